"""How each kind of record reads as a step of a trail."""

from guilder.intake.public import KeptMessage
from guilder.kernel.clock import rfc3339
from guilder.kernel.ids import PLATFORM
from guilder.ledger.public import PostedEntry
from guilder.payments.public import Attempt, Story
from guilder.plumbing.idempotency import KeptKey
from guilder.plumbing.outbox import Message
from guilder.trail.model import Step, StepKind
from guilder.webhooks.public import Delivery


def steps_of_story(story: Story) -> list[Step]:
    """The attempts and the history of a payment."""
    return [
        *(_attempt(attempt) for attempt in story.attempts),
        *(
            Step(line.happened_at, StepKind.HISTORY, str(line.attempt_id), line.what, line.facts)
            for line in story.history
        ),
    ]


def step_of_key(kept: KeptKey) -> Step:
    """The request, by its idempotency key."""
    status = kept.answer.status if kept.answer else None
    summary = f"answered {status}" if status else "not answered yet"
    facts: dict[str, str | int | None] = {
        "key": kept.key.key,
        "fingerprint": kept.key.fingerprint.hex(),
        "status": status,
    }
    return Step(kept.reserved_at, StepKind.REQUEST, kept.key.key, summary, facts)


def steps_of_entry(entry: PostedEntry) -> list[Step]:
    """The lines of an entry."""
    return [
        Step(
            entry.recorded_at,
            StepKind.POSTING,
            str(entry.id),
            f"{line.side} {line.amount} {line.purpose}",
            {
                "reason": entry.reason,
                "account_id": str(line.account_id),
                "owner": "platform" if line.owner_id == PLATFORM.value else "merchant",
                "purpose": line.purpose,
                "side": line.side.value,
                "amount_minor": line.amount.amount_minor,
                "currency": line.amount.currency.code,
            },
        )
        for line in entry.lines
    ]


def step_of_event(message: Message, state: str) -> Step:
    """An event and whether it has reached everyone."""
    facts: dict[str, str | int | None] = {"topic": message.topic, "state": state}
    return Step(message.happened_at, StepKind.EVENT, str(message.id), message.topic, facts)


def step_of_delivery(delivery: Delivery) -> Step:
    """A message to a merchant's endpoint."""
    at = delivery.delivered_at or delivery.created_at
    return Step(
        at,
        StepKind.DELIVERY,
        str(delivery.id),
        f"{delivery.topic} to {delivery.url}: {delivery.state}",
        {
            "event_id": str(delivery.event_id),
            "state": delivery.state.value,
            "tries": delivery.tries,
            "last_status": delivery.last_status,
            "url": delivery.url,
        },
    )


def step_of_message(message: KeptMessage) -> Step:
    """A provider's own message."""
    return Step(
        message.received_at,
        StepKind.MESSAGE,
        str(message.id),
        f"{message.provider} told {message.topic}: {message.state}",
        {
            "provider": message.provider,
            "provider_event_id": message.provider_event_id,
            "topic": message.topic,
            "state": message.state.value,
            "outcome": message.outcome,
            "processed_at": rfc3339(message.processed_at) if message.processed_at else None,
        },
    )


def _attempt(attempt: Attempt) -> Step:
    return Step(
        attempt.asked_at,
        StepKind.ATTEMPT,
        str(attempt.id),
        f"{attempt.operation} {attempt.amount} at {attempt.provider}: {attempt.state}",
        {
            "operation": attempt.operation.value,
            "state": attempt.state.value,
            "provider": attempt.provider,
            "provider_ref": attempt.provider_ref,
            "verdict": attempt.verdict,
            "asked_count": attempt.asked_count,
            "amount_minor": attempt.amount.amount_minor,
            "currency": attempt.amount.currency.code,
            "undoes": str(attempt.undoes_id) if attempt.undoes_id else None,
        },
    )
