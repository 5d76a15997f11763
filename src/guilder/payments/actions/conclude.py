"""The third beat: what a provider said becomes state, book and news, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import AttemptId, PaymentId, RefundId
from guilder.ledger import public as ledger
from guilder.payments import store
from guilder.payments.events import PaymentEvent
from guilder.payments.model import Attempt, Conclusion, HistoryLine, Payment, Refund, Standing
from guilder.payments.rules.concluding import Change, conclude, history_of, is_refused
from guilder.plumbing import idempotency, outbox
from guilder.plumbing.db import Tx


@dataclass(slots=True)
class _Work:
    """What stands in memory while a batch of answers is worked through, and what to save of it."""

    before: dict[PaymentId, Payment]
    payments: dict[PaymentId, Payment]
    attempts: dict[AttemptId, Attempt]
    refunds: dict[RefundId, Refund]
    undone: list[Attempt] = field(default_factory=list[Attempt])
    entries: list[ledger.Entry] = field(default_factory=list[ledger.Entry])
    news: list[PaymentEvent] = field(default_factory=list[PaymentEvent])
    history: list[HistoryLine] = field(default_factory=list[HistoryLine])
    changed_attempts: set[AttemptId] = field(default_factory=set[AttemptId])
    changed_refunds: set[RefundId] = field(default_factory=set[RefundId])

    def standing(self, attempt_id: AttemptId) -> Standing:
        """The attempt with its payment and its refund, as they stand now."""
        attempt = self.attempts[attempt_id]
        refund = self.refunds[attempt.refund_id] if attempt.refund_id else None
        return Standing(self.payments[attempt.payment_id], attempt, refund)

    def take(self, before: Standing, change: Change, at: datetime) -> None:
        """Let a change stand, and note what is to be saved of it."""
        self.payments[change.payment.id] = change.payment
        self.attempts[change.attempt.id] = change.attempt
        self.changed_attempts.add(change.attempt.id)
        if change.refund is not None:
            self.refunds[change.refund.id] = change.refund
            self.changed_refunds.add(change.refund.id)
        if change.undo is not None:
            self.undone.append(change.undo)
        if change.entry is not None:
            self.entries.append(change.entry)
        self.news.extend(change.news)
        self.history.append(history_of(before, change, at))


async def conclude_attempts(
    tx: Tx, conclusions: Sequence[Conclusion], patience: timedelta
) -> list[Standing | Refusal]:
    """Apply answers in the order of their arrival; each slot is how things stand after it.

    Whoever comes second finds nothing left to do. The order of locks is: payments, keys, accounts.
    """
    work = await _load(tx, conclusions)
    for conclusion in conclusions:
        before = work.standing(conclusion.attempt_id)
        change = conclude(before, conclusion.answer, conclusion.at, patience=patience)
        if change is not None:
            work.take(before, change, conclusion.at)
    await _save(tx, work)
    await _answer_callers(tx, conclusions, work)
    await _post(tx, work, conclusions[-1].at)
    return [work.standing(conclusion.attempt_id) for conclusion in conclusions]


async def _load(tx: Tx, conclusions: Sequence[Conclusion]) -> _Work:
    payments = await store.load_payments_for_update(tx, {one.payment_id for one in conclusions})
    attempts = await store.load_attempts(tx, {one.attempt_id for one in conclusions})
    refund_ids = {attempt.refund_id for attempt in attempts.values() if attempt.refund_id}
    refunds = await store.load_refunds(tx, refund_ids) if refund_ids else {}
    return _Work(dict(payments), payments, attempts, refunds)


async def _save(tx: Tx, work: _Work) -> None:
    changed = [one for one, payment in work.payments.items() if payment != work.before[one]]
    for payment_id in changed:
        # Several answers on one payment in one batch are one step of its version.
        step = work.before[payment_id].version + 1
        work.payments[payment_id] = replace(work.payments[payment_id], version=step)
    if changed:
        pairs = [(work.before[one], work.payments[one]) for one in changed]
        saved = await store.save_payments(tx, pairs)
        assert saved == len(pairs), "a locked payment stays as it was read"
    if work.changed_refunds:
        await store.save_refunds(tx, [work.refunds[one] for one in sorted(work.changed_refunds)])
    if work.changed_attempts:
        await store.save_attempts(tx, [work.attempts[one] for one in sorted(work.changed_attempts)])
    if work.undone:
        await store.insert_attempts(tx, work.undone)
    if work.history:
        await store.insert_history(tx, work.history)
    if work.news:
        await outbox.put(tx, work.news)


async def _answer_callers(tx: Tx, conclusions: Sequence[Conclusion], work: _Work) -> None:
    keys: list[idempotency.Key] = []
    answers: list[idempotency.Answer] = []
    for one in conclusions:
        standing = work.standing(one.attempt_id)
        if one.key is None or one.show is None or is_refused(standing.attempt):
            continue
        keys.append(one.key)
        answers.append(one.show(standing))
    if keys:
        await idempotency.answer(tx, keys, answers)


async def _post(tx: Tx, work: _Work, now: datetime) -> None:
    """The book comes last. None of these accounts has a floor, so a refusal is a bug."""
    if not work.entries:
        return
    for outcome in await ledger.post_entries(tx, work.entries, now):
        if isinstance(outcome, Refusal):
            raise outcome
