"""Outbox, relay and inbox: told once, heard at least once, acted on once, in order per subject."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from guilder.kernel.ids import MerchantId, PaymentId
from guilder.plumbing import outbox
from guilder.plumbing.db import Database, Tx
from guilder.plumbing.outbox import Message
from guilder.plumbing.relay import Consumer, relay_once

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Happened:
    """A thing that happened, for these tests."""

    topic: ClassVar[str] = "thing.happened"
    version: ClassVar[int] = 1

    subject: PaymentId
    merchant_id: MerchantId
    is_test: bool
    happened_at: datetime
    number: int


def happened(subject: PaymentId, number: int) -> Happened:
    return Happened(subject, MerchantId.new(), is_test=True, happened_at=NOW, number=number)


class Diary:
    """A consumer that writes down what it heard, and fails on command."""

    def __init__(self, *, fails_on: int | None = None) -> None:
        self.fails_on = fails_on
        self.consumer = Consumer("diary", frozenset({"thing.happened"}), self._write)

    async def _write(self, tx: Tx, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.payload["number"] == self.fails_on:
                raise ValueError("this one is bad")
            await tx.run(
                "insert into public.diary (subject, number) values ($1, $2)",
                message.subject,
                message.payload["number"],
            )


async def _tell(db: Database, *events: Happened) -> None:
    async with db.transaction() as tx:
        await tx.run(
            "create table if not exists public.diary (line serial, subject text, number int)"
        )
        await outbox.put(tx, events)


async def _heard(db: Database) -> list[int]:
    async with db.reading() as tx:
        return [
            row["number"] for row in await tx.rows("select number from public.diary order by line")
        ]


@pytest.mark.proves("S4-17", "S0-04")
async def test_news_is_heard_once_and_in_order(database: Database) -> None:
    subject, diary = PaymentId.new(), Diary()
    await _tell(database, *(happened(subject, n) for n in range(5)))
    assert await relay_once(database, [diary.consumer], NOW) == 5
    assert await relay_once(database, [diary.consumer], NOW) == 0
    assert await _heard(database) == [0, 1, 2, 3, 4]


@pytest.mark.proves("S4-17")
async def test_news_of_an_undone_change_is_never_heard(database: Database) -> None:
    await _tell(database)

    async def undo() -> None:
        async with database.transaction() as tx:
            await outbox.put(tx, [happened(PaymentId.new(), 1)])
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await undo()
    assert await relay_once(database, [Diary().consumer], NOW) == 0


@pytest.mark.proves("S4-17", "I7")
async def test_a_relay_that_died_before_its_mark_changes_nothing_the_second_time(
    database: Database,
) -> None:
    diary = Diary()
    await _tell(database, happened(PaymentId.new(), 1))
    await relay_once(database, [diary.consumer], NOW)
    async with database.transaction() as tx:
        await tx.run("update plumbing.outbox set state = 'new', published_at = null")
    assert await relay_once(database, [diary.consumer], NOW) == 1
    assert await _heard(database) == [1]


@pytest.mark.proves("S19")
async def test_a_bad_message_holds_back_its_own_subject_only_and_is_set_aside_at_last(
    database: Database,
) -> None:
    bad, good = PaymentId.new(), PaymentId.new()
    diary = Diary(fails_on=1)
    await _tell(database, happened(bad, 0), happened(bad, 1), happened(bad, 2), happened(good, 10))
    await relay_once(database, [diary.consumer], NOW)
    assert sorted(await _heard(database)) == [0, 10]

    now = NOW
    for _ in range(outbox.TRIES_MAX * 2):
        now += timedelta(hours=1)
        await relay_once(database, [diary.consumer], now)
    async with database.reading() as tx:
        rows = await tx.rows("select state, trouble from plumbing.outbox order by position")
    assert [row["state"] for row in rows] == ["published", "failed", "published", "published"]
    assert "this one is bad" in rows[1]["trouble"]
    assert sorted(await _heard(database)) == [0, 2, 10]


@pytest.mark.proves("S4-17")
async def test_two_relays_at_once_do_not_tell_twice(database: Database) -> None:
    diary = Diary()
    await _tell(database, *(happened(PaymentId.new(), n) for n in range(50)))
    await asyncio.gather(*(relay_once(database, [diary.consumer], NOW) for _ in range(4)))
    await relay_once(database, [diary.consumer], NOW)
    assert sorted(await _heard(database)) == list(range(50))


@pytest.mark.proves("I9")
async def test_what_was_told_cannot_be_changed_or_deleted(database: Database) -> None:
    await _tell(database, happened(PaymentId.new(), 1))
    for statement in (
        "update plumbing.outbox set payload = '{}'",
        "update plumbing.outbox set topic = 'other'",
        "delete from plumbing.outbox",
    ):
        with pytest.raises(Exception, match="append-only"):
            async with database.transaction() as tx:
                await tx.run(statement)
