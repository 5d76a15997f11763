"""Payments per second: over HTTP with the sandbox as provider, and the same writes without both."""

import asyncio
import time
from datetime import timedelta

import msgspec

from bench import driver
from bench.installation import Platform, running
from bench.report import Report, percentiles
from guilder.connectors.psp.contract import Answer, Ask, Card, Verdict
from guilder.connectors.psp.registry import Providers
from guilder.kernel.clock import Clock
from guilder.kernel.idempotency import Answer as KeptAnswer
from guilder.kernel.idempotency import Key, fingerprint
from guilder.kernel.ids import MerchantId
from guilder.kernel.money import Money
from guilder.kernel.scope import Scope
from guilder.payments import public as payments
from guilder.payments.actions.create_payment import create_payment
from guilder.payments.model import CaptureMethod, NewPayment, Standing
from guilder.plumbing.db import Database
from guilder.roles.parts import embedded_url

CONNECTIONS = (1, 64, 400)
BODY = msgspec.json.encode(
    {
        "amount_minor": 1050,
        "currency": "EUR",
        "payment_method": {"type": "card", "token": "pm_card_visa"},
    }
)


class _Instant:
    """A provider without a network: it says yes at once."""

    name = "stripe"

    async def ask(self, ask: Ask) -> Answer:
        return Answer(Verdict.SUCCEEDED, str(ask.attempt_id), ask.amount, card=Card("visa", "4242"))

    async def look_up(self, ask: Ask) -> Answer:
        return await self.ask(ask)

    def read_message(self, *_: object) -> object:
        raise AssertionError("a provider without a network sends no messages")

    async def close(self) -> None:
        return


async def run(report: Report, *, seconds: int) -> None:
    """Measure both, several times over, and print the ratios."""
    async with running() as platform:
        report.heading("payments: create with capture, one provider call each, all durable")
        await _http(report, platform, "warm-up", 16, 2)
        rates = {
            n: await _http(report, platform, f"HTTP, {n} connections", n, seconds)
            for n in CONNECTIONS
        }
        limits = {n: await _limit(report, platform, n, seconds) for n in CONNECTIONS}
        report.add(
            "ratio of HTTP to the same writes alone",
            **{f"at_{n}": round(rates[n] / limits[n], 3) for n in CONNECTIONS},
        )


async def _http(
    report: Report, platform: Platform, name: str, connections: int, seconds: float
) -> float:
    run_id = time.perf_counter_ns()

    def make(number: int) -> bytes:
        return driver.request("/v1/payments", platform.merchant_key, f"b-{run_id}-{number}", BODY)

    outcome = await driver.load(platform.api, make, connections=connections, seconds=seconds)
    wrong = sum(count for status, count in outcome.statuses.items() if status != 201)
    report.add(
        name,
        per_second=round(outcome.per_second),
        **percentiles(outcome.seconds),
        not_201=wrong,
    )
    return outcome.per_second


async def _limit(report: Report, platform: Platform, callers: int, seconds: float) -> float:
    """The same rows by the same code, without HTTP and without a provider's network."""
    db = await Database.open(embedded_url(platform.home), connections_max=8, name="bench")
    psp = _Instant()
    providers = Providers(test={"stripe": psp}, live={})  # pyright: ignore[reportArgumentType]
    kit = payments.kit(db, providers, Clock(), patience=timedelta(seconds=30))
    merchant = MerchantId.parse(platform.merchant_id)
    done: list[float] = []
    run_id = time.perf_counter_ns()
    counter = iter(range(1 << 62))
    started = time.perf_counter()

    async def one() -> None:
        while time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            await create_payment(kit, _order(merchant, f"l-{run_id}-{next(counter)}"), _show)
            done.append(time.perf_counter() - begun)

    await asyncio.gather(*(one() for _ in range(callers)))
    elapsed = time.perf_counter() - started
    await db.close()
    rate = len(done) / elapsed
    report.add(
        f"no HTTP, no provider, {callers} callers", per_second=round(rate), **percentiles(done)
    )
    return rate


def _order(merchant: MerchantId, key: str) -> NewPayment:
    return NewPayment(
        scope=Scope(is_test=True),
        merchant_id=merchant,
        amount=Money.of(1050, "EUR"),
        capture_method=CaptureMethod.AUTOMATIC,
        method_type="card",
        token="pm_card_visa",
        reference=None,
        description=None,
        metadata={},
        key=Key(merchant.value, is_test=True, key=key, fingerprint=fingerprint("POST", "/", BODY)),
    )


def _show(standing: Standing) -> KeptAnswer:
    return KeptAnswer(201, str(standing.payment.id).encode())
