"""Whether an operation may be asked at all, decided before any provider hears of it."""

from collections.abc import Sequence

from guilder.connectors.psp.contract import Operation
from guilder.kernel.money import Money
from guilder.payments.errors import (
    CaptureExceedsAuthorized,
    OperationInProgress,
    PaymentNotCapturable,
    PaymentNotRefundable,
    PaymentNotVoidable,
    RefundExceedsCaptured,
)
from guilder.payments.model import Attempt, NewOperation, Payment
from guilder.payments.states import PaymentState

_REFUNDABLE = frozenset(
    {PaymentState.CAPTURED, PaymentState.PARTIALLY_CAPTURED, PaymentState.PARTIALLY_REFUNDED}
)


def amount_of(order: NewOperation, payment: Payment, open_attempts: Sequence[Attempt]) -> Money:
    """How much to ask for, in minor units of the payment's currency.

    Raises the refusal of the operation in this order: wrong state, something in progress, too
    much. `open_attempts` are those whose end is not known.
    """
    match order.operation:
        case Operation.CAPTURE:
            return _to_capture(order, payment, open_attempts)
        case Operation.VOID:
            return _to_void(payment, open_attempts)
        case Operation.REFUND:
            return _to_refund(order, payment, open_attempts)
        case Operation.AUTHORIZE | Operation.SALE:
            raise ValueError("a payment is authorized by creating it")


def _to_capture(order: NewOperation, payment: Payment, open_attempts: Sequence[Attempt]) -> Money:
    if payment.state is not PaymentState.AUTHORIZED:
        raise PaymentNotCapturable(
            f"the payment is {payment.state}; only an authorized payment can be captured, once"
        )
    _refuse_if_busy(open_attempts)
    amount_minor = order.told.amount_minor or payment.authorized_minor
    if amount_minor > payment.authorized_minor:
        raise CaptureExceedsAuthorized(
            f"{amount_minor} is more than the {payment.authorized_minor} that are authorized",
            param="amount_minor",
        )
    return Money(amount_minor, payment.amount.currency)


def _to_void(payment: Payment, open_attempts: Sequence[Attempt]) -> Money:
    if payment.state is not PaymentState.AUTHORIZED:
        raise PaymentNotVoidable(
            f"the payment is {payment.state}; only an authorized payment can be voided, "
            "captured money is refunded"
        )
    _refuse_if_busy(open_attempts)
    return Money(payment.authorized_minor, payment.amount.currency)


def _to_refund(order: NewOperation, payment: Payment, open_attempts: Sequence[Attempt]) -> Money:
    if payment.state not in _REFUNDABLE:
        raise PaymentNotRefundable(
            f"the payment is {payment.state}; only captured money can be refunded"
        )
    on_their_way = sum(
        attempt.amount.amount_minor
        for attempt in open_attempts
        if attempt.operation is Operation.REFUND
    )
    left = payment.captured_minor - payment.refunded_minor - on_their_way
    amount_minor = order.told.amount_minor or left
    if left <= 0 or amount_minor > left:
        raise RefundExceedsCaptured(
            f"only {max(left, 0)} of what was captured is neither refunded nor on its way back",
            param="amount_minor",
        )
    return Money(amount_minor, payment.amount.currency)


def _refuse_if_busy(open_attempts: Sequence[Attempt]) -> None:
    for attempt in open_attempts:
        if attempt.operation is not Operation.REFUND:
            raise OperationInProgress(
                f"a {attempt.operation} of this payment has been asked and is not answered yet",
                retry_after_seconds=1,
            )
