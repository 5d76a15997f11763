"""A desk for providers' messages, a provider on each side of the wall, and payments behind it."""

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import pytest

from guilder.connectors.psp.contract import (
    Answer,
    News,
    Operation,
    ProviderMessage,
    Verdict,
)
from guilder.connectors.psp.registry import Providers
from guilder.connectors.psp.scripted.connector import Scripted
from guilder.intake.actions.apply_message import Tools, apply_due, apply_message
from guilder.intake.actions.receive_message import Inbound, Keeper, keeper, receive_message
from guilder.intake.model import Receipt
from guilder.kernel.ids import AttemptId, InboundId
from guilder.kernel.money import Money
from guilder.kernel.secret import Secret
from guilder.payments import public as payments
from guilder.plumbing.db import Database, Row
from tests.world import World, world_on


@dataclass(slots=True)
class Mailbox:
    """Intake as a test uses it: messages go in, are applied, and their rows are looked at."""

    world: World
    live: Scripted
    providers: Providers
    kept_by: Keeper
    tools: Tools
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.world.clock.now()

    @property
    def db(self) -> Database:
        return self.world.db

    def write(self, message: ProviderMessage, *, is_test: bool = True) -> Inbound:
        """A message as the provider of this side sends it."""
        psp = self.world.psp if is_test else self.live
        headers, raw = psp.write_message(message)
        return Inbound(psp.name, headers, raw)

    async def hand_in(self, inbound: Inbound) -> Receipt:
        """Hand in a message now."""
        return await receive_message(self.providers, self.kept_by, inbound=inbound, now=self.now)

    async def receive(self, message: ProviderMessage, *, is_test: bool = True) -> InboundId:
        """Write and hand in."""
        return (await self.hand_in(self.write(message, is_test=is_test))).message_id

    async def apply(self, message_id: InboundId) -> None:
        """What the message's job does."""
        await apply_message(self.tools, message_id=message_id, now=self.now)

    async def apply_due(self, *, after: timedelta) -> int:
        """Let time pass, and have the worker look at what is due."""
        self.now += after
        return await apply_due(self.tools, now=self.now)

    async def row(self, message_id: InboundId) -> Row:
        """The message's row."""
        async with self.db.reading() as tx:
            return await tx.row("select * from intake.message where id = $1", message_id.value)

    async def count(self) -> int:
        """How many messages are kept."""
        async with self.db.reading() as tx:
            return await tx.value("select count(*) from intake.message")

    async def history(self, message_id: InboundId) -> list[tuple[str, str]]:
        """The moves of a message, in order."""
        async with self.db.reading() as tx:
            rows = await tx.rows(
                """
                select before, after from intake.message_history
                 where message_id = $1 order by position
                """,
                message_id.value,
            )
        return [(row["before"], row["after"]) for row in rows]


def told(
    event_id: str, at: datetime, news: News | None = None, *, topic: str = "payment.done"
) -> ProviderMessage:
    """A message with this id there, at this time."""
    return ProviderMessage(event_id, topic, at, news)


def sale_of(attempt_id: AttemptId, amount_minor: int = 10_00, currency: str = "EUR") -> News:
    """The news that a sale succeeded."""
    ref = f"scripted_{attempt_id}"
    answer = Answer(Verdict.SUCCEEDED, ref, Money.of(amount_minor, currency))
    return News(Operation.SALE, attempt_id, ref, answer)


def digest(payload: bytes) -> str:
    """A short name for bytes, for messages of assertions."""
    return hashlib.sha256(payload).hexdigest()[:12]


@pytest.fixture
async def mailbox(database: Database) -> AsyncGenerator[Mailbox]:
    """Intake on a fresh database, with payments behind it."""
    async with world_on(database) as world:
        live = Scripted(secret=Secret("scripted live"))
        providers = Providers(test={"scripted": world.psp}, live={"scripted": live})
        tools = Tools(database, providers, partial(payments.record_news, world.kit))
        yield Mailbox(world, live, providers, keeper(database), tools)
