"""Start messages that were set aside afresh, after people have repaired what was wrong."""

from collections.abc import Sequence
from datetime import datetime

from guilder.intake import store
from guilder.intake.actions.receive_message import APPLY_JOB, QUEUE
from guilder.intake.errors import MessageNotFound, MessageNotSetAside
from guilder.intake.rules import JOB_PATIENCE
from guilder.intake.states import MessageState
from guilder.kernel.ids import InboundId
from guilder.plumbing import jobs
from guilder.plumbing.db import Database, Tx


async def redrive_message(db: Database, *, message_id: InboundId, now: datetime) -> None:
    """Queue one message again. Raises `MessageNotFound` or `MessageNotSetAside`."""
    async with db.transaction() as tx:
        state = await store.load_state(tx, message_id)
        if state is None:
            raise MessageNotFound(f"there is no message {message_id}")
        if state is not MessageState.FAILED:
            raise MessageNotSetAside(f"the message is {state}; only one set aside is driven again")
        await _redrive(tx, [message_id], now)


async def redrive_messages(
    db: Database, *, provider: str | None, now: datetime, limit: int = 1000
) -> int:
    """Queue the oldest messages that were set aside, of one provider or of all; how many."""
    async with db.transaction() as tx:
        ids = await store.load_set_aside(tx, provider=provider, limit=limit)
        if ids:
            await _redrive(tx, ids, now)
    return len(ids)


async def _redrive(tx: Tx, ids: Sequence[InboundId], now: datetime) -> None:
    await store.save_redriven(tx, ids, now, now + JOB_PATIENCE)
    await jobs.defer(
        tx, APPLY_JOB, [{"message_id": str(message_id)} for message_id in ids], queue=QUEUE
    )
