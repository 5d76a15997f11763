"""Merchants with endpoints, events to tell them of, and a courier that carries them."""

import itertools
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from guilder.kernel.clock import Clock
from guilder.kernel.ids import DeliveryId, EndpointId, EventId, MerchantId, PaymentId, RefundId
from guilder.kernel.money import Currency, Money
from guilder.kernel.page import PageRequest
from guilder.kernel.scope import Scope
from guilder.merchants import public as merchants
from guilder.payments.events import PaymentCaptured, PaymentRefunded
from guilder.plumbing import outbox
from guilder.plumbing.db import Database, Row
from guilder.plumbing.relay import relay_once
from guilder.webhooks import queries
from guilder.webhooks.actions.create_endpoint import create_endpoint
from guilder.webhooks.consumers import consumers
from guilder.webhooks.model import Delivery, Endpoint, NewEndpoint, Try
from guilder.webhooks.public import Courier, Sender
from guilder.webhooks.queries import DeliveryFilter

KEY = "key_of_a_test"


@dataclass(slots=True)
class Post:
    """Webhooks as a test uses them."""

    db: Database
    clock: Clock
    sender: Sender
    courier: Courier
    merchant_id: MerchantId
    scope: Scope = field(default_factory=lambda: Scope(is_test=True))
    secrets: dict[EndpointId, str] = field(default_factory=dict)
    amounts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    async def listen(self, url: str, *topics: str, **changes: object) -> Endpoint:
        """Create an endpoint; `merchant_id` and `is_test` may be given."""
        merchant_id = changes.pop("merchant_id", self.merchant_id)
        is_test = bool(changes.pop("is_test", True))
        assert isinstance(merchant_id, MerchantId)
        order = NewEndpoint(is_test, merchant_id, url, topics or ("*",), None, KEY)
        async with self.db.transaction() as tx:
            endpoint, secret = await create_endpoint(
                tx, Scope(is_test=is_test), order, allow_private=True, now=self.clock.now()
            )
        self.secrets[endpoint.id] = secret.reveal()
        await self.forget_news()
        return endpoint

    async def forget_news(self) -> None:
        """Take what was announced so far as told to everyone, so that a test has only its own."""
        async with self.db.transaction() as tx:
            await tx.run(
                "update plumbing.outbox set state = 'published', published_at = $1 "
                "where state = 'new'",
                self.clock.now(),
            )

    def captured(self, payment_id: PaymentId | None = None, **changes: object) -> PaymentCaptured:
        """The news of a captured payment."""
        merchant_id = changes.get("merchant_id", self.merchant_id)
        assert isinstance(merchant_id, MerchantId)
        reference = changes.get("reference", "order-1001")
        return PaymentCaptured(
            payment_id=payment_id or PaymentId.new(),
            merchant_id=merchant_id,
            is_test=bool(changes.get("is_test", True)),
            state="captured",
            amount=Money.of(next(self.amounts), "EUR"),
            reference=str(reference),
            happened_at=self.clock.now(),
        )

    def refunded(self, payment_id: PaymentId) -> PaymentRefunded:
        """The news of a refund."""
        return PaymentRefunded(
            payment_id=payment_id,
            merchant_id=self.merchant_id,
            is_test=True,
            state="refunded",
            amount=Money.of(next(self.amounts), "EUR"),
            reference=None,
            happened_at=self.clock.now(),
            refund_id=RefundId.new(),
        )

    async def announce(self, *events: outbox.Event) -> list[EventId]:
        """Put events into the outbox and have the relay carry them."""
        async with self.db.transaction() as tx:
            ids = await outbox.put(tx, list(events))
        await self.relay()
        return ids

    async def relay(self) -> None:
        """Carry what is in the outbox."""
        while await relay_once(self.db, consumers(self.clock), self.clock.now()):
            pass

    async def send(self, *, after: timedelta = timedelta(0)) -> int:
        """Let time pass, and send all that is due then; returns how many tries there were."""
        self.clock.move(after)
        now, tries = self.clock.now(), 0
        while begun := await self.courier.send_due(now):
            tries += begun
            await self.courier.finish()
        return tries

    async def deliveries(self, **wanted: object) -> list[Delivery]:
        """All deliveries, oldest first, or those of an endpoint or an event."""
        wanted_by = DeliveryFilter(**wanted)  # pyright: ignore[reportArgumentType]
        async with self.db.reading() as tx:
            page = await queries.list_deliveries(tx, self.scope, wanted_by, PageRequest(1000))
        return list(page.rows)[::-1]

    async def delivery(self) -> Delivery:
        """The only delivery there is."""
        [found] = await self.deliveries()
        return found

    async def tries(self, delivery_id: DeliveryId) -> list[Try]:
        """The log of a delivery."""
        async with self.db.reading() as tx:
            return await queries.list_tries(tx, self.scope, delivery_id)

    async def endpoint(self, endpoint_id: EndpointId) -> Row:
        """An endpoint's row."""
        async with self.db.reading() as tx:
            return await tx.row("select * from webhooks.endpoint where id = $1", endpoint_id.value)

    async def topics(self) -> list[str]:
        """The topics of news nobody has carried yet."""
        async with self.db.reading() as tx:
            rows = await tx.rows(
                "select topic from plumbing.outbox where state = 'new' order by position"
            )
        return [row["topic"] for row in rows]

    async def merchant(self, *, is_test: bool = True) -> MerchantId:
        """Another merchant."""
        return await new_merchant(self.db, self.clock.now(), is_test=is_test)


async def new_merchant(db: Database, now: datetime, *, is_test: bool) -> MerchantId:
    """A merchant of the platform."""
    async with db.transaction() as tx:
        merchant = await merchants.create_merchant(
            tx,
            Scope(is_test=is_test),
            merchants.NewMerchant(
                name="Tulip & Sons",
                default_currency=Currency.of("EUR"),
                country="NL",
                metadata={},
                reseller_id=None,
            ),
            by=None,
            now=now,
        )
    return merchant.id


@pytest.fixture
async def post(database: Database) -> AsyncGenerator[Post]:
    """Webhooks on a fresh database, with a merchant and a sender that may go to loopback."""
    clock = Clock()
    merchant_id = await new_merchant(database, clock.now(), is_test=True)
    sender = await Sender.open(allow_private_receivers=True)
    courier = Courier(database, sender)
    yield Post(database, clock, sender, courier, merchant_id)
    await courier.finish(0.1)
    await sender.close()
