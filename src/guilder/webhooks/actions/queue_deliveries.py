"""Queue what merchants want to be told: a batch of events becomes deliveries in two statements."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from guilder.kernel.ids import DeliveryId
from guilder.plumbing.db import Tx
from guilder.plumbing.outbox import Message
from guilder.webhooks import store
from guilder.webhooks.model import Listener, QueuedMessage
from guilder.webhooks.rules.body import compose_body
from guilder.webhooks.rules.schedule import TRIES_MAX


async def queue_deliveries(tx: Tx, messages: Sequence[Message], *, now: datetime) -> int:
    """Queue each message for each enabled endpoint of its merchant and mode that wants its topic.

    Returns how many deliveries are new; the same messages again make none.
    """
    listeners = await store.list_listeners(tx, messages)
    if not listeners:
        return 0
    queued = _in_sequence(messages, listeners)
    deliveries = [
        (DeliveryId.new(), listener.endpoint_id, messages[listener.place].id)
        for listener in sorted(listeners, key=lambda one: (one.place, one.endpoint_id))
    ]
    return await store.insert_deliveries(tx, queued, deliveries, tries_max=TRIES_MAX, now=now)


def _in_sequence(messages: Sequence[Message], listeners: Sequence[Listener]) -> list[QueuedMessage]:
    """The messages somebody listens to, in their order, each with its subject's next number."""
    last: defaultdict[str, int] = defaultdict(int)
    for listener in listeners:
        last[messages[listener.place].subject] = listener.last_sequence
    queued: list[QueuedMessage] = []
    for place in sorted({listener.place for listener in listeners}):
        message = messages[place]
        last[message.subject] += 1
        queued.append(_queued(message, last[message.subject]))
    return queued


def _queued(message: Message, sequence: int) -> QueuedMessage:
    return QueuedMessage(
        event_id=message.id,
        is_test=message.is_test,
        merchant_id=message.merchant_id,
        topic=message.topic,
        subject=message.subject,
        sequence=sequence,
        happened_at=message.happened_at,
        body=compose_body(
            topic=message.topic,
            subject=message.subject,
            sequence=sequence,
            happened_at=message.happened_at,
            payload=message.payload,
        ),
    )
