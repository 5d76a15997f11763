"""SQL that keeps providers' messages, hands them to one worker at a time, and concludes them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from guilder.intake.model import Claim, Conclusion, NewMessage, Receipt
from guilder.intake.states import MessageState
from guilder.kernel import codec
from guilder.kernel.ids import InboundId
from guilder.plumbing.db import Row, Tx


async def insert_messages(
    tx: Tx, messages: Sequence[NewMessage], next_try_at: Sequence[datetime]
) -> None:
    """Keep the messages whose provider's event is new; one that is there stays as it first came.

    They go in the order of their events, so that two bursts of the same ones cannot deadlock.
    """
    order = sorted(
        range(len(messages)),
        key=lambda n: (messages[n].provider, messages[n].is_test, messages[n].provider_event_id),
    )
    ordered = [messages[n] for n in order]
    await tx.run(
        """
        insert into intake.message
               (id, provider, is_test, provider_event_id, topic, payment_ref, our_ref,
                is_signature_valid, headers, payload, happened_at, received_at, moved_at,
                next_try_at)
        select given.id, provider, is_test, event_id, topic, payment_ref, our_ref, true, headers,
               payload, happened_at, received_at, received_at, next_try_at
          from unnest($1::uuid[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::text[],
                      $7::uuid[], $8::jsonb[], $9::bytea[], $10::timestamptz[],
                      $11::timestamptz[], $12::timestamptz[])
               as given (id, provider, is_test, event_id, topic, payment_ref, our_ref, headers,
                         payload, happened_at, received_at, next_try_at)
        on conflict on constraint each_event_of_a_provider_once do nothing
        """,
        [message.id.value for message in ordered],
        [message.provider for message in ordered],
        [message.is_test for message in ordered],
        [message.provider_event_id for message in ordered],
        [message.topic for message in ordered],
        [message.payment_ref for message in ordered],
        [message.our_ref.value if message.our_ref else None for message in ordered],
        [codec.to_json(dict(message.headers)).decode() for message in ordered],
        [message.payload for message in ordered],
        [message.happened_at for message in ordered],
        [message.received_at for message in ordered],
        [next_try_at[n] for n in order],
    )


async def load_receipts(tx: Tx, messages: Sequence[NewMessage]) -> list[Receipt]:
    """Under which id each of these messages is kept, in their order."""
    rows = await tx.rows(
        """
        select kept.id, kept.provider, kept.is_test, kept.provider_event_id
          from unnest($1::text[], $2::bool[], $3::text[])
               as given (provider, is_test, provider_event_id)
          join intake.message as kept using (provider, is_test, provider_event_id)
        """,
        [message.provider for message in messages],
        [message.is_test for message in messages],
        [message.provider_event_id for message in messages],
    )
    kept = {
        (row["provider"], row["is_test"], row["provider_event_id"]): InboundId(row["id"])
        for row in rows
    }
    ids = [
        kept[message.provider, message.is_test, message.provider_event_id] for message in messages
    ]
    return [
        Receipt(kept_id, is_repeat=kept_id != message.id)
        for kept_id, message in zip(ids, messages, strict=True)
    ]


async def claim_message(
    tx: Tx, message_id: InboundId, now: datetime, until: datetime
) -> Claim | None:
    """The message, locked and for this worker alone until `until`.

    None when it is concluded, or another worker has it at this moment.
    """
    row = await tx.find(
        """
        update intake.message
           set tries = tries + 1, claimed_until = $3
         where id = $1
           and state in ('received', 'parked')
           and (claimed_until is null or claimed_until <= $2)
        returning id, provider, is_test, headers, payload, received_at, state, tries, claimed_until
        """,
        message_id.value,
        now,
        until,
    )
    return _claim(row) if row else None


async def claim_due(tx: Tx, now: datetime, until: datetime, *, limit: int) -> list[Claim]:
    """Messages whose next look is due, for this worker alone until `until`; oldest first."""
    rows = await tx.rows(
        """
        with due as (
            select id
              from intake.message
             where state in ('received', 'parked')
               and next_try_at <= $1
               and (claimed_until is null or claimed_until <= $1)
             order by next_try_at
             limit $3
               for update skip locked)
        update intake.message as message
           set tries = tries + 1, claimed_until = $2
          from due
         where message.id = due.id
        returning message.id, provider, is_test, headers, payload, received_at, state, tries,
                  claimed_until
        """,
        now,
        until,
        limit,
    )
    return sorted((_claim(row) for row in rows), key=lambda claim: claim.id)


async def save_conclusions(tx: Tx, conclusions: Sequence[Conclusion], now: datetime) -> int:
    """Write what became of claimed messages; returns how many were still this worker's to write.

    A worker that lost its claim to another one (its time was up) changes nothing.
    """
    ordered = sorted(conclusions, key=lambda conclusion: conclusion.claim.id)
    return await tx.run(
        """
        update intake.message as message
           set state = given.after,
               moved_at = case when given.after = given.before then moved_at else $1 end,
               processed_at = case when given.after = 'processed' then $1 end,
               outcome = given.outcome,
               trouble = coalesce(given.trouble, message.trouble),
               next_try_at = coalesce(given.next_try_at, message.next_try_at),
               claimed_until = null
          from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
                      $7::text[], $8::timestamptz[])
               as given (id, before, claimed_until, after, outcome, trouble, next_try_at)
         where message.id = given.id
           and message.state = given.before
           and message.claimed_until = given.claimed_until
        """,
        now,
        [conclusion.claim.id.value for conclusion in ordered],
        [conclusion.claim.state.value for conclusion in ordered],
        [conclusion.claim.claimed_until for conclusion in ordered],
        [conclusion.state.value for conclusion in ordered],
        [conclusion.outcome for conclusion in ordered],
        [conclusion.trouble for conclusion in ordered],
        [conclusion.next_try_at for conclusion in ordered],
    )


async def load_state(tx: Tx, message_id: InboundId) -> MessageState | None:
    """The state of a message, whose row is locked; None when there is no such message."""
    state = await tx.value(
        "select state from intake.message where id = $1 for no key update", message_id.value
    )
    return MessageState(state) if state is not None else None


async def load_set_aside(tx: Tx, *, provider: str | None, limit: int) -> list[InboundId]:
    """The oldest messages that were set aside, of one provider or of all, locked."""
    rows = await tx.rows(
        """
        select id
          from intake.message
         where state = 'failed'
           and ($1::text is null or provider = $1)
         order by id
         limit $2
           for no key update
        """,
        provider,
        limit,
    )
    return [InboundId(row["id"]) for row in rows]


async def save_redriven(
    tx: Tx, message_ids: Sequence[InboundId], now: datetime, next_try_at: datetime
) -> int:
    """Start messages that were set aside afresh; returns how many of them were."""
    return await tx.run(
        """
        update intake.message
           set state = 'received', moved_at = $2, tries = 0, next_try_at = $3, claimed_until = null
         where id = any($1::uuid[])
           and state = 'failed'
        """,
        [message_id.value for message_id in message_ids],
        now,
        next_try_at,
    )


def _claim(row: Row) -> Claim:
    return Claim(
        id=InboundId(row["id"]),
        provider=row["provider"],
        is_test=row["is_test"],
        headers=msgspec.json.decode(row["headers"], type=dict[str, str]),
        payload=bytes(row["payload"]),
        received_at=row["received_at"],
        state=MessageState(row["state"]),
        tries=row["tries"],
        claimed_until=row["claimed_until"],
    )
