"""The states of payments, attempts and refunds, and the moves between them."""

from collections.abc import Mapping
from enum import StrEnum


class PaymentState(StrEnum):
    """Where a payment is; each comment says what is true of the money."""

    PROCESSING = "processing"  # A provider was asked, or is about to be; it may have moved.
    AUTHORIZED = "authorized"  # The money is reserved at the payer's bank, not yet ours.
    PARTIALLY_CAPTURED = "partially_captured"  # A part is ours; the rest was let go.
    CAPTURED = "captured"  # All of it is ours to pay on.
    PARTIALLY_REFUNDED = "partially_refunded"  # A part of what was captured went back.
    REFUNDED = "refunded"  # All of what was captured went back.
    REVERSED = "reversed"  # The reserved money was let go; none moved.
    DECLINED = "declined"  # A sure no of the provider; none moved.
    FAILED = "failed"  # The provider never saw it; none moved.


class AttemptState(StrEnum):
    """Where one asking of a provider is."""

    ASKED = "asked"  # Intended or sent; what became of it is not known yet.
    SUCCEEDED = "succeeded"  # The provider did it.
    DECLINED = "declined"  # The provider surely did not.
    FAILED = "failed"  # The provider never saw it, after the patience.
    OVERTAKEN = "overtaken"  # A yes came after all; another attempt undoes it.


class RefundState(StrEnum):
    """Where a refund is."""

    PENDING = "pending"  # Asked; the money may be on its way back.
    SUCCEEDED = "succeeded"  # The money went back.
    FAILED = "failed"  # None went back.


class IllegalMove(Exception):  # noqa: N818 - named for the situation.
    """A move that the table does not have: only a bug can ask for one."""


P, A, R = PaymentState, AttemptState, RefundState

MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    P.PROCESSING: frozenset({P.AUTHORIZED, P.CAPTURED, P.DECLINED, P.FAILED}),
    P.AUTHORIZED: frozenset({P.PARTIALLY_CAPTURED, P.CAPTURED, P.REVERSED}),
    P.PARTIALLY_CAPTURED: frozenset({P.PARTIALLY_REFUNDED, P.REFUNDED}),
    P.CAPTURED: frozenset({P.PARTIALLY_REFUNDED, P.REFUNDED}),
    P.PARTIALLY_REFUNDED: frozenset({P.REFUNDED}),
    P.REFUNDED: frozenset(),
    P.REVERSED: frozenset(),
    P.DECLINED: frozenset(),
    P.FAILED: frozenset(),
}
assert set(MOVES) == set(PaymentState), "every state has its moves"

ATTEMPT_MOVES: Mapping[AttemptState, frozenset[AttemptState]] = {
    A.ASKED: frozenset({A.SUCCEEDED, A.DECLINED, A.FAILED}),
    A.SUCCEEDED: frozenset(),
    A.DECLINED: frozenset(),
    A.FAILED: frozenset({A.OVERTAKEN}),
    A.OVERTAKEN: frozenset(),
}
assert set(ATTEMPT_MOVES) == set(AttemptState), "every state has its moves"

REFUND_MOVES: Mapping[RefundState, frozenset[RefundState]] = {
    R.PENDING: frozenset({R.SUCCEEDED, R.FAILED}),
    R.SUCCEEDED: frozenset(),
    R.FAILED: frozenset(),
}
assert set(REFUND_MOVES) == set(RefundState), "every state has its moves"


def move(before: PaymentState, after: PaymentState) -> PaymentState:
    """The state after, if the table allows it. Raises `IllegalMove`."""
    if after not in MOVES[before]:
        raise IllegalMove(f"a {before} payment cannot become {after}")
    return after
