"""What webhooks do about others' news: tell merchants."""

from collections.abc import Sequence

from guilder.kernel.clock import Clock
from guilder.plumbing.db import Tx
from guilder.plumbing.outbox import Message
from guilder.plumbing.relay import Consumer
from guilder.webhooks.actions.queue_deliveries import queue_deliveries


def consumers(clock: Clock) -> list[Consumer]:
    """All topics are queued for whoever wants them; the relay has noted them in the inbox."""

    async def queue(tx: Tx, messages: Sequence[Message]) -> None:
        await queue_deliveries(tx, messages, now=clock.now())

    return [Consumer("webhooks.queue_deliveries", None, queue)]
