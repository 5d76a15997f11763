"""Take in a provider's message: verify it, keep it as it came, and only then say thank you."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from guilder.connectors.psp.contract import ForgedMessage, MalformedMessage, Psp
from guilder.connectors.psp.registry import Providers, UnknownProvider
from guilder.intake import store
from guilder.intake.model import NewMessage, Receipt
from guilder.intake.rules import JOB_PATIENCE, kept_headers
from guilder.kernel.ids import InboundId
from guilder.plumbing import jobs
from guilder.plumbing.batch import Batcher
from guilder.plumbing.db import Database, Tx

APPLY_JOB = "intake.apply_message"
QUEUE = "intake"
_NAME_MAX = 255

Keeper = Batcher[NewMessage, Receipt]
"""Keeps messages that arrive at the same moment with one statement and one commit."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came over the wire; `headers` by lower-case name, `raw` the body as it was sent."""

    provider: str
    headers: Mapping[str, str]
    raw: bytes


def keeper(db: Database) -> Keeper:
    """The batcher that `receive_message` needs; one per process."""
    return Batcher(db, _keep)


async def receive_message(
    providers: Providers, kept_by: Keeper, *, inbound: Inbound, now: datetime
) -> Receipt:
    """Keep a message once and queue its work; returns after the durable commit.

    The mode is that of the secret which signed it. Raises `UnknownProvider`, `ForgedMessage` or
    `MalformedMessage`, and then nothing was kept.
    """
    return await kept_by.put(_verified(providers, inbound, now))


def _verified(providers: Providers, inbound: Inbound, now: datetime) -> NewMessage:
    sides = [
        (is_test, side[inbound.provider])
        for is_test in (True, False)
        if inbound.provider in (side := providers.side(is_test=is_test))
    ]
    if not sides:
        raise UnknownProvider(f"there is no provider {inbound.provider[:60]!r} here")
    for is_test, psp in sides:
        message = _read(psp, inbound, is_test=is_test, now=now)
        if message is not None:
            return message
    raise ForgedMessage(f"no valid signature of {inbound.provider} is on this message")


def _read(psp: Psp, inbound: Inbound, *, is_test: bool, now: datetime) -> NewMessage | None:
    """The message as this side reads it; None when this side's secret did not sign it."""
    try:
        message = psp.read_message(inbound.headers, inbound.raw, now)
    except ForgedMessage:
        return None
    for name in (message.event_id, message.topic):
        if not 0 < len(name) <= _NAME_MAX or "\0" in name:
            raise MalformedMessage("the message's own id and type must be 1-255 characters")
    return NewMessage(
        id=InboundId.new(),
        provider=inbound.provider,
        is_test=is_test,
        provider_event_id=message.event_id,
        topic=message.topic,
        payment_ref=message.news.payment_ref if message.news else None,
        our_ref=message.news.our_ref if message.news else None,
        headers=kept_headers(inbound.headers),
        payload=inbound.raw,
        happened_at=message.happened_at,
        received_at=now,
    )


async def _keep(tx: Tx, messages: Sequence[NewMessage]) -> list[Receipt]:
    await store.insert_messages(
        tx, messages, [message.received_at + JOB_PATIENCE for message in messages]
    )
    receipts = await store.load_receipts(tx, messages)
    fresh = [receipt.message_id for receipt in receipts if not receipt.is_repeat]
    if fresh:
        await jobs.defer(
            tx, APPLY_JOB, [{"message_id": str(message_id)} for message_id in fresh], queue=QUEUE
        )
    return receipts
