"""The outbox: news written with the change it tells of, and delivered at least once after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

import msgspec

from guilder.kernel import codec
from guilder.kernel.finding import Finding
from guilder.kernel.ids import EventId, Id, MerchantId
from guilder.plumbing.db import ReadTx, Tx

TRIES_MAX = 10  # With the doubling wait below, about a quarter of an hour of trying.
WAIT_FIRST_SECONDS = 1


class Event(Protocol):
    """A fact in the past tense, frozen, with a topic and a version."""

    topic: ClassVar[str]
    version: ClassVar[int]

    @property
    def subject(self) -> Id:
        """What it is about; order is kept per subject."""
        ...

    @property
    def merchant_id(self) -> MerchantId: ...

    @property
    def is_test(self) -> bool: ...

    @property
    def happened_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way: its id, what it says as plain JSON values, and whom it concerns."""

    id: EventId
    topic: str
    version: int
    subject: str
    merchant_id: MerchantId
    is_test: bool
    happened_at: datetime
    payload: dict[str, Any]


async def put(tx: Tx, events: Sequence[Event]) -> list[EventId]:
    """Announce events in the transaction of what they tell; returns their ids in order."""
    ids = [EventId.new() for _ in events]
    await tx.run(
        """
        insert into plumbing.outbox
               (id, topic, version, subject, merchant_id, is_test, happened_at, payload)
        select * from unnest(
               $1::uuid[], $2::text[], $3::int[], $4::text[], $5::uuid[], $6::bool[],
               $7::timestamptz[], $8::jsonb[])
        """,
        [event_id.value for event_id in ids],
        [event.topic for event in events],
        [event.version for event in events],
        [str(event.subject) for event in events],
        [event.merchant_id.value for event in events],
        [event.is_test for event in events],
        [event.happened_at for event in events],
        [codec.to_json(event).decode() for event in events],
    )
    return ids


async def claim(tx: Tx, now: datetime, *, limit: int) -> list[Message]:
    """The oldest messages that are due, and the sole right to relay until this transaction ends.

    Empty when another relay is at it. A message waits behind an earlier one of its subject.
    """
    if not await tx.value("select pg_try_advisory_xact_lock(7104301)"):
        return []
    rows = await tx.rows(
        """
        select id, topic, version, subject, merchant_id, is_test, happened_at, payload
          from plumbing.outbox as message
         where state = 'new'
           and next_try_at <= $1
           and not exists (
               select from plumbing.outbox as earlier
                where earlier.state = 'new'
                  and earlier.tries > 0
                  and earlier.next_try_at > $1
                  and earlier.subject = message.subject
                  and earlier.position < message.position)
         order by position
         limit $2
        """,
        now,
        limit,
    )
    return [
        Message(
            id=EventId(row["id"]),
            topic=row["topic"],
            version=row["version"],
            subject=row["subject"],
            merchant_id=MerchantId(row["merchant_id"]),
            is_test=row["is_test"],
            happened_at=row["happened_at"],
            payload=msgspec.json.decode(row["payload"]),
        )
        for row in rows
    ]


async def mark_published(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """These messages have reached everyone who named their topic."""
    await tx.run(
        """
        update plumbing.outbox set state = 'published', published_at = $2
         where id = any($1::uuid[])
        """,
        list(ids),
        now,
    )


async def mark_tried(tx: Tx, message_id: UUID, now: datetime, trouble: str) -> None:
    """A consumer failed: try again later, each time twice as long, or set the message aside."""
    await tx.run(
        """
        update plumbing.outbox
           set tries = tries + 1,
               trouble = left($3, 2000),
               state = case when tries + 1 >= $4 then 'failed' else 'new' end,
               next_try_at = $2::timestamptz + make_interval(secs => $5 * power(2, tries))
         where id = $1
        """,
        message_id,
        now,
        trouble,
        TRIES_MAX,
        WAIT_FIRST_SECONDS,
    )


async def list_about(tx: ReadTx, subjects: Sequence[str]) -> list[tuple[Message, str]]:
    """All messages about these subjects, oldest first, each with its state."""
    rows = await tx.rows(
        """
        select id, topic, version, subject, merchant_id, is_test, happened_at, payload, state
          from plumbing.outbox
         where subject = any($1::text[])
         order by position
         limit 1000
        """,
        list(subjects),
    )
    return [
        (
            Message(
                id=EventId(row["id"]),
                topic=row["topic"],
                version=row["version"],
                subject=row["subject"],
                merchant_id=MerchantId(row["merchant_id"]),
                is_test=row["is_test"],
                happened_at=row["happened_at"],
                payload=msgspec.json.decode(row["payload"]),
            ),
            str(row["state"]),
        )
        for row in rows
    ]


async def verify_outbox(tx: ReadTx) -> list[Finding]:
    """I11: news that was set aside, or has waited longer than its tries can take."""
    rows = await tx.rows(
        """
        select id, topic, state, trouble
          from plumbing.outbox
         where state = 'failed'
            or (state = 'new' and happened_at < now() - interval '1 hour')
         order by position
         limit 100
        """
    )
    return [
        Finding(
            "I11",
            str(EventId(row["id"])),
            f"{row['topic']} is {row['state']}: {row['trouble'] or 'no relay has taken it up'}",
        )
        for row in rows
    ]
