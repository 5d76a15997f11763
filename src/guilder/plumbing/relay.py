"""The relay: carries news from the outbox to the consumers that named its topic."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from guilder.plumbing import inbox, outbox
from guilder.plumbing.db import Database, DatabaseAway, Tx
from guilder.plumbing.logs import logger
from guilder.plumbing.outbox import Message

log = logger(__name__)

BATCH = 200  # Messages a round: few enough that a round is short, enough to share commits.


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a context does about others' news; `topics` None means all of them.

    `run` works on messages in order, in a transaction that has noted them in the inbox.
    """

    name: str
    topics: frozenset[str] | None
    run: Callable[[Tx, Sequence[Message]], Awaitable[None]]

    def wants(self, message: Message) -> bool:
        """Whether this consumer named the message's topic."""
        return self.topics is None or message.topic in self.topics


async def relay_once(db: Database, consumers: Sequence[Consumer], now: datetime) -> int:
    """Carry one batch; returns how many messages were taken up, zero when there is nothing to do.

    A message counts as published when every consumer has committed its part. A consumer that
    fails holds back its message and the later ones of the same subject, and nothing else.
    """
    async with db.transaction() as tx:
        messages = await outbox.claim(tx, now, limit=BATCH)
        failed: dict[str, str] = {}
        for consumer in consumers:
            wanted = [message for message in messages if consumer.wants(message)]
            failed |= await _hand_over(db, consumer, wanted)
        held: set[str] = set()
        done: list[UUID] = []
        for message in messages:
            if str(message.id) in failed:
                held.add(message.subject)
                await outbox.mark_tried(tx, message.id.value, now, failed[str(message.id)])
            elif message.subject not in held:
                done.append(message.id.value)
        await outbox.mark_published(tx, done, now)
    return len(messages)


async def _hand_over(
    db: Database, consumer: Consumer, messages: Sequence[Message]
) -> dict[str, str]:
    """Run one consumer on its messages together, or one by one when that fails.

    Returns the troubles by message id. After a trouble, later messages of the subject wait.
    """
    if not messages:
        return {}
    try:
        await _run(db, consumer, messages)
    except DatabaseAway:
        raise
    except Exception as trouble:
        if len(messages) == 1:
            message = messages[0]
            log.warning(
                "a consumer failed", consumer=consumer.name, message=str(message.id), exc_info=True
            )
            return {str(message.id): f"{consumer.name}: {type(trouble).__name__}: {trouble}"}
    else:
        return {}
    troubles: dict[str, str] = {}
    held: set[str] = set()
    for message in messages:
        if message.subject in held:
            continue
        found = await _hand_over(db, consumer, [message])
        if found:
            held.add(message.subject)
            troubles |= found
    return troubles


async def _run(db: Database, consumer: Consumer, messages: Sequence[Message]) -> None:
    async with db.transaction() as tx:
        fresh = await inbox.first_times(
            tx, consumer.name, [message.id.value for message in messages]
        )
        new = [message for message in messages if message.id.value in fresh]
        if new:
            await consumer.run(tx, new)
