"""The first beat: write down what we are about to ask, before anyone is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from guilder.connectors.psp.contract import Operation
from guilder.connectors.psp.registry import Providers
from guilder.kernel.errors import Refusal
from guilder.kernel.ids import AttemptId, PaymentId, RefundId, ResellerId
from guilder.kernel.money import Money
from guilder.kernel.scope import Scope
from guilder.merchants import public as merchants
from guilder.payments import store
from guilder.payments.errors import PaymentNotFound
from guilder.payments.model import (
    Attempt,
    CaptureMethod,
    HistoryLine,
    NewOperation,
    NewPayment,
    Payment,
    PaymentMethod,
    Refund,
    Standing,
)
from guilder.payments.rules.guarding import amount_of
from guilder.payments.rules.routing import choose
from guilder.payments.states import AttemptState, PaymentState, RefundState
from guilder.plumbing import idempotency
from guilder.plumbing.db import Tx


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first beat came to: something to ask, or what was kept under a repeated key."""

    standing: Standing | None
    kept: idempotency.KeptKey | None


async def begin_payments(
    tx: Tx,
    providers: Providers,
    orders: Sequence[NewPayment],
    now: datetime,
    patience: timedelta,
) -> list[Begun | Refusal]:
    """Reserve the keys and insert a payment and its attempt for each order that may go ahead."""
    ids = [AttemptId.new() for _ in orders]
    kept = await idempotency.reserve(
        tx, [order.key for order in orders], [attempt_id.value for attempt_id in ids], now
    )
    outcomes = [_repeat(order.key, known) for order, known in zip(orders, kept, strict=True)]
    fresh = [order for order, done in zip(orders, outcomes, strict=True) if done is None]
    owners = await _owners(tx, fresh)
    begun: list[Standing] = []
    for position, order in enumerate(orders):
        if outcomes[position] is not None:
            continue
        owner = owners[order.scope, order.merchant_id]
        if isinstance(owner, Refusal):
            outcomes[position] = owner
            continue
        try:
            provider = choose(providers.side(is_test=order.scope.is_test))
        except Refusal as refusal:
            outcomes[position] = refusal
            continue
        payment = _payment(order, owner, provider, now)
        attempt = _creating_attempt(ids[position], payment, now + patience, now)
        standing = Standing(payment, attempt)
        begun.append(standing)
        outcomes[position] = Begun(standing, None)
    _share_refusals(ids, outcomes)
    await _release_refused(tx, [order.key for order in orders], outcomes)
    if begun:
        await store.insert_payments(tx, [standing.payment for standing in begun])
        await store.insert_attempts(tx, [standing.attempt for standing in begun])
        await store.insert_history(tx, [_asked(standing, now) for standing in begun])
    return _all(outcomes)


async def begin_operations(
    tx: Tx, orders: Sequence[NewOperation], now: datetime, patience: timedelta
) -> list[Begun | Refusal]:
    """Reserve the keys and insert an attempt, and for a refund the refund, for each order.

    The payments are locked, so what is decided here still holds when it is committed.
    """
    ids = [AttemptId.new() for _ in orders]
    kept = await idempotency.reserve(
        tx, [order.told.key for order in orders], [attempt_id.value for attempt_id in ids], now
    )
    outcomes = [_repeat(order.told.key, known) for order, known in zip(orders, kept, strict=True)]
    wanted = {
        order.told.payment_id for order, done in zip(orders, outcomes, strict=True) if not done
    }
    payments = await store.load_payments_for_update(tx, wanted)
    open_attempts = await store.list_open_attempts(tx, wanted)
    begun: list[Standing] = []
    for position, order in enumerate(orders):
        if outcomes[position] is not None:
            continue
        payment = payments.get(order.told.payment_id)
        if payment is None or not may_see(order.told.scope, payment):
            outcomes[position] = PaymentNotFound(f"there is no payment {order.told.payment_id}")
            continue
        theirs = open_attempts.setdefault(payment.id, [])
        try:
            amount = amount_of(order, payment, theirs)
        except Refusal as refusal:
            outcomes[position] = refusal
            continue
        standing = _operation(ids[position], order, payment, amount, now + patience, now)
        theirs.append(standing.attempt)
        begun.append(standing)
        outcomes[position] = Begun(standing, None)
    _share_refusals(ids, outcomes)
    await _release_refused(tx, [order.told.key for order in orders], outcomes)
    if begun:
        await store.insert_refunds(tx, [one.refund for one in begun if one.refund])
        await store.insert_attempts(tx, [one.attempt for one in begun])
        await store.insert_history(tx, [_asked(one, now) for one in begun])
    return _all(outcomes)


def may_see(scope: Scope, payment: Payment) -> bool:
    """Whether this payment lies within a caller's scope."""
    if payment.is_test is not scope.is_test:
        return False
    if scope.merchant_id is not None:
        return payment.merchant_id == scope.merchant_id
    return scope.reseller_id is None or payment.reseller_id == scope.reseller_id


def _repeat(key: idempotency.Key, known: idempotency.KeptKey | None) -> Begun | Refusal | None:
    """None for a key that is now ours; otherwise what its repetition comes to."""
    if known is None:
        return None
    try:
        idempotency.check(known, key)
    except Refusal as refusal:
        return refusal
    return Begun(None, known)


async def _owners(
    tx: Tx, orders: Sequence[NewPayment]
) -> "dict[tuple[Scope, object], ResellerId | Refusal | None]":
    """For each merchant that is ordered for: its reseller, or why it may not take payments."""
    owners: dict[tuple[Scope, object], ResellerId | Refusal | None] = {}
    for order in orders:
        who = (order.scope, order.merchant_id)
        if who in owners:
            continue
        try:
            merchant = await merchants.load_merchant(tx, order.scope, order.merchant_id)
            merchants.must_be_active(merchant)
        except Refusal as refusal:
            owners[who] = refusal
        else:
            owners[who] = merchant.reseller_id
    return owners


def _share_refusals(ids: Sequence[AttemptId], outcomes: list[Begun | Refusal | None]) -> None:
    """A repeat of an order that is refused in the same batch is refused with it.

    Nothing was kept under their key, so there is no answer to wait for.
    """
    refused = {
        attempt_id.value: outcome
        for attempt_id, outcome in zip(ids, outcomes, strict=True)
        if isinstance(outcome, Refusal)
    }
    for position, outcome in enumerate(outcomes):
        if isinstance(outcome, Begun) and outcome.kept and outcome.kept.subject_id:
            outcomes[position] = refused.get(outcome.kept.subject_id, outcome)


async def _release_refused(
    tx: Tx, keys: Sequence[idempotency.Key], outcomes: Sequence[Begun | Refusal | None]
) -> None:
    refused = [
        key
        for key, outcome in zip(keys, outcomes, strict=True)
        if isinstance(outcome, Refusal) and not isinstance(outcome, idempotency.KeyReused)
    ]
    if refused:
        await idempotency.release(tx, refused)


def _payment(
    order: NewPayment,
    reseller_id: ResellerId | None,
    provider: str,
    now: datetime,
) -> Payment:
    return Payment(
        id=PaymentId.new(),
        is_test=order.scope.is_test,
        merchant_id=order.merchant_id,
        reseller_id=reseller_id,
        state=PaymentState.PROCESSING,
        amount=order.amount,
        capture_method=order.capture_method,
        authorized_minor=0,
        captured_minor=0,
        refunded_minor=0,
        method=PaymentMethod(order.method_type),
        provider=provider,
        provider_ref=None,
        decline=None,
        reference=order.reference,
        description=order.description,
        metadata=order.metadata,
        created_at=now,
        updated_at=now,
        version=1,
    )


def _creating_attempt(
    attempt_id: AttemptId, payment: Payment, resolve_at: datetime, now: datetime
) -> Attempt:
    automatic = payment.capture_method is CaptureMethod.AUTOMATIC
    operation = Operation.SALE if automatic else Operation.AUTHORIZE
    return _attempt(attempt_id, payment, operation, payment.amount, resolve_at, now)


def _operation(
    attempt_id: AttemptId,
    order: NewOperation,
    payment: Payment,
    amount: Money,
    resolve_at: datetime,
    now: datetime,
) -> Standing:
    attempt = _attempt(attempt_id, payment, order.operation, amount, resolve_at, now)
    if order.operation is not Operation.REFUND:
        return Standing(payment, attempt)
    refund = Refund(
        id=RefundId.new(),
        is_test=payment.is_test,
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        reseller_id=payment.reseller_id,
        state=RefundState.PENDING,
        amount=amount,
        reason=order.told.reason,
        provider_ref=None,
        failure=None,
        created_at=now,
        updated_at=now,
    )
    return Standing(payment, replace(attempt, refund_id=refund.id), refund)


def _attempt(
    attempt_id: AttemptId,
    payment: Payment,
    operation: Operation,
    amount: Money,
    resolve_at: datetime,
    now: datetime,
) -> Attempt:
    return Attempt(
        id=attempt_id,
        is_test=payment.is_test,
        payment_id=payment.id,
        refund_id=None,
        undoes_id=None,
        operation=operation,
        state=AttemptState.ASKED,
        amount=amount,
        provider=payment.provider,
        payment_ref=payment.provider_ref,
        provider_ref=None,
        verdict=None,
        detail=None,
        asked_at=now,
        asked_count=0,
        resolve_at=resolve_at,
        concluded_at=None,
    )


def _asked(standing: Standing, now: datetime) -> HistoryLine:
    attempt = standing.attempt
    return HistoryLine(
        payment_id=standing.payment.id,
        attempt_id=attempt.id,
        what=f"{attempt.operation} asked",
        facts={
            "before": standing.payment.state.value,
            "after": standing.payment.state.value,
            "attempt": attempt.state.value,
            "amount_minor": attempt.amount.amount_minor,
            "provider": attempt.provider,
        },
        happened_at=now,
    )


def _all(outcomes: Sequence[Begun | Refusal | None]) -> list[Begun | Refusal]:
    decided = [outcome for outcome in outcomes if outcome is not None]
    assert len(decided) == len(outcomes), "every order has an outcome"
    return decided
