"""The worker: jobs, reconcilers, and messages to merchants."""

import asyncio
import contextlib
from datetime import datetime
from urllib.parse import urlsplit

from guilder.connectors.psp.contract import News
from guilder.intake import jobs as intake_jobs
from guilder.intake import public as intake
from guilder.kernel.secret import Secret
from guilder.ledger import public as ledger
from guilder.payments import public as payments
from guilder.plumbing import idempotency
from guilder.plumbing.jobs import Runner
from guilder.roles.loops import keep_doing
from guilder.roles.parts import Parts
from guilder.webhooks import public as webhooks

RESOLVE_SECONDS = 0.25
PARKED_SECONDS = 1.0
DELIVERY_SECONDS = 0.2
EXPIRY_SECONDS = 60.0
MONTHS_SECONDS = 3600.0
EXPIRED_AT_ONCE = 1000


async def run_worker(parts: Parts, url: Secret, stopping: asyncio.Event) -> None:
    """Work until asked to stop; what is under way then is finished."""
    tools = intake.Tools(parts.db, parts.providers, _record_news(parts))
    runner = Runner(url, intake_jobs.jobs(tools, parts.clock))
    sender = await webhooks.Sender.open(
        allow_private_receivers=parts.settings.allow_private_receivers,
        ports_refused=_own_ports(parts, url),
    )
    courier = webhooks.Courier(parts.db, sender)

    async def resolve() -> int:
        return await payments.resolve_attempts(parts.payments, parts.clock.now())

    async def look_at_parked() -> int:
        return await intake.apply_due(tools, now=parts.clock.now())

    async def forget_expired() -> int:
        async with parts.db.transaction() as tx:
            now = parts.clock.now()
            return await idempotency.forget_expired(tx, now, limit=EXPIRED_AT_ONCE)

    async def reserve_months() -> int:
        await ledger.reserve_months(parts.db, parts.clock.now())
        return 0

    try:
        async with asyncio.TaskGroup() as group:
            for name, step, pause in (
                ("resolve attempts", resolve, RESOLVE_SECONDS),
                ("look at parked messages", look_at_parked, PARKED_SECONDS),
                ("forget expired keys", forget_expired, EXPIRY_SECONDS),
                ("make room for the months to come", reserve_months, MONTHS_SECONDS),
            ):
                group.create_task(keep_doing(name, step, pause_seconds=pause, stopping=stopping))
            group.create_task(_deliver(parts, courier, stopping))
            group.create_task(_run_jobs(runner, stopping))
    finally:
        await courier.finish()
        await sender.close()


def _own_ports(parts: Parts, url: Secret) -> set[int]:
    """Ports of our own parts: no merchant's webhook is sent there."""
    own = {parts.settings.port, parts.settings.sandbox_port, urlsplit(url.reveal()).port or 5432}
    return own - {0}


def _record_news(parts: Parts) -> intake.RecordNews:
    async def record(provider: str, news: News, now: datetime, /, *, is_test: bool) -> str:
        outcome = await payments.record_news(parts.payments, provider, news, now, is_test=is_test)
        return outcome.value

    return record


async def _deliver(parts: Parts, courier: webhooks.Courier, stopping: asyncio.Event) -> None:
    async def send() -> int:
        sent = await courier.send_due(parts.clock.now())
        if sent == 0:
            await courier.rest(DELIVERY_SECONDS)
        return sent

    await keep_doing("send webhooks", send, pause_seconds=0, stopping=stopping)


async def _run_jobs(runner: Runner, stopping: asyncio.Event) -> None:
    """Run jobs until asked to stop; a runner that lost its database is started again."""

    async def run() -> int:
        running = asyncio.create_task(runner.run())
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not running.done():
            running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return 0

    await keep_doing("run jobs", run, pause_seconds=1.0, stopping=stopping)
