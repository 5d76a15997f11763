"""How an order must end, worked out from its row alone; the API is then held to it."""

from dataclasses import dataclass

from guilder.connectors.psp.contract import Reason
from guilder.connectors.psp.stripe.amounts import to_theirs
from guilder.kernel.money import Money
from guilder.roles.demo.cards import CARDS
from guilder.roles.demo.orders import Order, Step, Verb

DONE = "done"
REFUND_FAILED = "refund_failed"

_AMOUNT_MAX, _AMOUNT_MAX_IDR = 99_999_999, 999_999_999_999
"""The largest amounts the provider takes, in its own units."""

_REFUNDABLE = frozenset({"captured", "partially_captured", "partially_refunded"})


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a payment must stand, in minor units, and what each step must have come to.

    `steps` has one word for each of the order's steps: done, refund_failed, or the error code of
    the refusal that the API must answer with.
    """

    state: str
    authorized_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    decline: Reason | None = None
    steps: tuple[str, ...] = ()


def expected_end(order: Order) -> Ending:
    """The end of an order that the world, with all its faults, must come to."""
    stand = _Stand(order)
    steps = tuple(stand.take(step) for step in order.then)
    return Ending(
        state=stand.state,
        authorized_minor=stand.authorized,
        captured_minor=stand.captured,
        refunded_minor=stand.refunded,
        decline=stand.decline,
        steps=steps,
    )


class _Stand:
    """A payment as it would stand after each step."""

    def __init__(self, order: Order) -> None:
        self._currency = order.amount.currency
        self.decline = decline_of(order)
        self.authorized = self.captured = self.refunded = 0
        self.state = "declined"
        if self.decline is None:
            self.authorized = order.amount.amount_minor
            self.state = "authorized"
            if order.capture == "automatic":
                self.captured = self.authorized
                self.state = "captured"

    def take(self, step: Step) -> str:
        match step.verb:
            case Verb.CAPTURE:
                return self._capture(step.amount_minor)
            case Verb.VOID:
                return self._void()
            case Verb.REFUND:
                return self._refund(step.amount_minor)

    def _capture(self, amount: int | None) -> str:
        if self.state != "authorized":
            return "payment_not_capturable"
        wanted = amount or self.authorized
        if wanted > self.authorized:
            return "capture_exceeds_authorized"
        if not self._can_be_said(wanted):
            return "operation_declined"
        self.captured = wanted
        whole = wanted == self.authorized
        self.state = "captured" if whole else "partially_captured"
        return DONE

    def _void(self) -> str:
        if self.state != "authorized":
            return "payment_not_voidable"
        self.state = "reversed"
        return DONE

    def _refund(self, amount: int | None) -> str:
        if self.state not in _REFUNDABLE:
            return "payment_not_refundable"
        left = self.captured - self.refunded
        wanted = amount or left
        if wanted > left:
            return "refund_exceeds_captured"
        if not self._can_be_said(wanted):
            return REFUND_FAILED
        self.refunded += wanted
        whole = self.refunded == self.captured
        self.state = "refunded" if whole else "partially_refunded"
        return DONE

    def _can_be_said(self, amount_minor: int) -> bool:
        return to_theirs(Money(amount_minor, self._currency)) is not None


def decline_of(order: Order) -> Reason | None:
    """Why the payment itself must be declined, None when it must not.

    Three-decimal amounts must end in zero, because the card networks carry two of the decimals.
    """
    amount = to_theirs(order.amount)
    if amount is None:
        return Reason.INVALID_REQUEST
    if amount > (_AMOUNT_MAX_IDR if order.amount.currency.code == "IDR" else _AMOUNT_MAX):
        return Reason.LIMIT_EXCEEDED
    return CARDS[order.card].decline
