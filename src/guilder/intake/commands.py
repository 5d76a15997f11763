"""Operator's verbs for providers' messages."""

from datetime import datetime

from guilder.intake.actions.redrive_message import redrive_message, redrive_messages
from guilder.intake.queries import list_set_aside
from guilder.kernel.ids import InboundId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Database

SHOWN_MAX = 100


async def show_set_aside(db: Database, scope: Scope) -> list[str]:
    """One line for each of the oldest messages that were set aside, with its trouble."""
    async with db.reading() as tx:
        messages = await list_set_aside(tx, scope, limit=SHOWN_MAX)
    return [
        f"{message.id} {message.provider} {message.topic} {message.received_at:%Y-%m-%dT%H:%M:%SZ} "
        f"{message.trouble}"
        for message in messages
    ]


async def redrive(db: Database, *, message: str, now: datetime) -> str:
    """Queue one message again by its id, `inb_…`; says so."""
    message_id = InboundId.parse(message)
    await redrive_message(db, message_id=message_id, now=now)
    return f"{message_id} is queued again"


async def redrive_all(db: Database, *, provider: str | None, now: datetime) -> str:
    """Queue the oldest thousand that were set aside, of one provider or of all; says how many."""
    count = await redrive_messages(db, provider=provider, now=now)
    return f"{count} messages are queued again"
