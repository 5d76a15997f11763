"""The words that tests use: a merchant, a payment, a provider that stays silent, the book."""

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from guilder.connectors.psp.contract import Operation
from guilder.connectors.psp.registry import Providers
from guilder.connectors.psp.scripted.connector import Scripted
from guilder.kernel import codec
from guilder.kernel.clock import Clock
from guilder.kernel.finding import Finding
from guilder.kernel.idempotency import Answer, Key, fingerprint
from guilder.kernel.ids import MerchantId, PaymentId
from guilder.kernel.money import Currency, Money
from guilder.kernel.scope import Scope
from guilder.ledger import public as ledger
from guilder.merchants import public as merchants
from guilder.payments import public as payments
from guilder.payments.actions.capture_payment import capture_payment
from guilder.payments.actions.create_payment import create_payment
from guilder.payments.actions.refund_payment import refund_payment
from guilder.payments.actions.resolve_attempts import resolve_attempts
from guilder.payments.actions.void_payment import void_payment
from guilder.payments.model import (
    Answered,
    CaptureMethod,
    Instruction,
    NewPayment,
    Payment,
    Standing,
    Story,
)
from guilder.plumbing.db import Database

ACTIONS = {
    Operation.CAPTURE: capture_payment,
    Operation.VOID: void_payment,
    Operation.REFUND: refund_payment,
}


@dataclass(slots=True)
class World:
    """A database, a clock to move, a scripted provider, and one merchant of the platform."""

    db: Database
    psp: Scripted
    kit: payments.Kit
    clock: Clock
    merchant_id: MerchantId
    scope: Scope = field(default_factory=lambda: Scope(is_test=True))
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def order(
        self, amount_minor: int = 10_00, currency: str = "EUR", **changes: object
    ) -> Answered:
        """Order a payment; `key`, `capture_method`, `scope` and `token` may be given."""
        key = str(changes.pop("key", f"key-{next(self._numbers)}"))
        token = str(changes.pop("token", "pm_card_visa"))
        method = CaptureMethod(str(changes.pop("capture_method", "automatic")))
        scope = changes.pop("scope", self.scope)
        assert isinstance(scope, Scope)
        assert not changes, f"the world knows nothing of {changes}"
        body = f"{amount_minor} {currency} {method} {token}".encode()
        return await create_payment(
            self.kit,
            NewPayment(
                scope=scope,
                merchant_id=self.merchant_id,
                amount=Money.of(amount_minor, currency),
                capture_method=method,
                method_type="card",
                token=token,
                reference=None,
                description=None,
                metadata={},
                key=self.key(key, body),
            ),
            show,
        )

    async def pay(
        self, amount_minor: int = 10_00, currency: str = "EUR", **changes: object
    ) -> Payment:
        """Order a payment and look at how it stands."""
        answered = await self.order(amount_minor, currency, **changes)
        return await self.payment(shown(answered))

    async def operate(
        self,
        operation: Operation,
        payment_id: PaymentId,
        amount_minor: int | None = None,
        *,
        key: str | None = None,
        scope: Scope | None = None,
    ) -> Answered:
        """Capture, void or refund."""
        key = key or f"key-{next(self._numbers)}"
        body = f"{operation} {payment_id} {amount_minor}".encode()
        told = Instruction(scope or self.scope, payment_id, self.key(key, body), amount_minor)
        return await ACTIONS[operation](self.kit, told, show)

    def key(self, key: str, body: bytes) -> Key:
        """A key of this world's merchant, for a request with this body."""
        return Key(self.merchant_id.value, True, key, fingerprint("POST", "/", body))  # noqa: FBT003

    async def payment(self, payment_id: PaymentId) -> Payment:
        """How a payment stands."""
        return (await self.story(payment_id)).payment

    async def story(self, payment_id: PaymentId) -> Story:
        """A payment with its attempts, refunds and history."""
        async with self.db.reading() as tx:
            story = await payments.find_story(tx, self.scope, payment_id)
        assert story is not None
        return story

    async def resolve(self, *, after: timedelta = timedelta(minutes=5)) -> int:
        """Let time pass and have the worker look up what is due."""
        self.clock.move(after)
        return await resolve_attempts(self.kit, self.clock.now())

    async def balances(self) -> dict[str, int]:
        """Balances by purpose and currency, in minor units on the normal side, zeros left out."""
        async with self.db.reading() as tx:
            rows = await tx.rows(
                """
                select purpose || ' ' || currency as name,
                       sum(sign * (debits_minor - credits_minor))::bigint as balance
                  from ledger.account
                  join ledger.balance on balance.account_id = account.id
                 group by purpose, currency
                """
            )
        return {row["name"]: row["balance"] for row in rows if row["balance"]}

    async def topics(self) -> list[str]:
        """The topics of all news, in order."""
        async with self.db.reading() as tx:
            rows = await tx.rows("select topic from plumbing.outbox order by position")
        return [row["topic"] for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many rows the money path has written, to show that nothing changed."""
        async with self.db.reading() as tx:
            row = await tx.row(
                """
                select (select count(*) from payments.payment) as payments,
                       (select count(*) from payments.attempt) as attempts,
                       (select count(*) from payments.refund) as refunds,
                       (select count(*) from payments.history) as history,
                       (select count(*) from ledger.entry) as entries,
                       (select count(*) from plumbing.outbox) as events,
                       (select count(*) from plumbing.idempotency_key) as keys
                """
            )
        names = ("payments", "attempts", "refunds", "history", "entries", "events", "keys")
        return {name: row[name] for name in names}

    async def findings(self) -> list[Finding]:
        """What the invariants say; empty when all is well."""
        async with self.db.reading() as tx:
            book = await ledger.prove_book(tx)
            return [*book.findings, *await payments.verify_payments(tx)]


@asynccontextmanager
async def world_on(
    db: Database, *, patience: timedelta = timedelta(seconds=30)
) -> AsyncGenerator[World]:
    """A world on a fresh database."""
    clock = Clock()
    psp = Scripted()
    providers = Providers(test={psp.name: psp}, live={})
    async with db.transaction() as tx:
        merchant = await merchants.create_merchant(
            tx,
            Scope(is_test=True),
            merchants.NewMerchant(
                name="Tulip & Sons",
                default_currency=Currency.of("EUR"),
                country="NL",
                metadata={},
                reseller_id=None,
            ),
            by=None,
            now=clock.now(),
        )
    kit = payments.kit(db, providers, clock, patience=patience)
    yield World(db, psp, kit, clock, merchant.id)
    await kit.drain()


def show(standing: Standing) -> Answer:
    """A plain rendering of how things stand: the payment, its state, and the refund."""
    refund = standing.refund
    body = {
        "payment": str(standing.payment.id),
        "state": standing.payment.state.value,
        "attempt": standing.attempt.state.value,
        "refund": refund.state.value if refund else None,
        "version": standing.payment.version,
    }
    return Answer(202 if standing.attempt.state == "asked" else 201, codec.to_json(body))


def shown(answered: Answered) -> PaymentId:
    """Which payment an answer is about."""
    told: dict[str, Any] = msgspec.json.decode(answered.answer.body)
    return PaymentId.parse(told["payment"])


__all__ = ["World", "show", "shown", "world_on"]
