"""Gathering a trail through the doors of those who know."""

from guilder.intake import public as intake
from guilder.kernel.ids import PaymentId
from guilder.kernel.scope import Scope
from guilder.ledger import public as ledger
from guilder.payments import public as payments
from guilder.plumbing import idempotency, outbox
from guilder.plumbing.db import Database
from guilder.trail.actions import steps as read
from guilder.trail.model import Step, Trail
from guilder.webhooks import public as webhooks


async def tell_trail(db: Database, scope: Scope, payment_id: PaymentId) -> Trail:
    """Everything that happened to a payment, from one snapshot. Raises `PaymentNotFound`."""
    async with db.reading() as tx:
        story = await payments.find_story(tx, scope, payment_id)
        if story is None:
            raise payments.PaymentNotFound(f"there is no payment {payment_id}")
        sources = [str(attempt.id) for attempt in story.attempts]
        keys = [
            await idempotency.find_by_subject(tx, attempt.id.value) for attempt in story.attempts
        ]
        entries = await ledger.list_entries_by_source(tx, scope, payments.SYSTEM, sources)
        events = await outbox.list_about(tx, [str(payment_id)])
        deliveries = await webhooks.list_deliveries_about(
            tx, scope, [message.id for message, _ in events]
        )
        messages = await intake.list_messages_about(
            tx,
            scope,
            provider=story.payment.provider,
            payment_refs=[story.payment.provider_ref] if story.payment.provider_ref else [],
        )
    steps: list[Step] = [
        *(read.step_of_key(kept) for kept in keys if kept is not None),
        *read.steps_of_story(story),
        *(step for entry in entries for step in read.steps_of_entry(entry)),
        *(read.step_of_event(message, state) for message, state in events),
        *(read.step_of_delivery(delivery) for delivery in deliveries),
        *(read.step_of_message(message) for message in messages),
    ]
    return Trail(story.payment, tuple(sorted(steps, key=lambda step: step.at)))
