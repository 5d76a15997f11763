"""The test cards: by the name of a payment method, and by number. Numbers are never stored."""

from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

Behaviour: TypeAlias = Literal[
    "plain",
    "booked_then_silent",
    "processing",
    "processing_fails",
    "refund_pending",
    "refund_fails",
]


class Decline(msgspec.Struct, frozen=True):
    """How a bank says no, in Stripe's codes."""

    code: str
    decline_code: str
    message: str
    param: str | None = None
    advice: str | None = None


class Card(msgspec.Struct, frozen=True):
    """A card as a charge shows it, and what happens when it is charged."""

    name: str
    brand: str
    last4: str
    funding: str
    country: str
    fingerprint: str
    decline: Decline | None
    behaviour: Behaviour


AGAIN, NEVER, CHECK = "try_again_later", "do_not_try_again", "confirm_card_data"

GENERIC = Decline("card_declined", "generic_decline", "The card was declined.", advice=AGAIN)
NO_FUNDS = Decline(
    "card_declined", "insufficient_funds", "The card has too little money.", advice=AGAIN
)
LOST = Decline("card_declined", "lost_card", "The card was declined.", advice=NEVER)
STOLEN = Decline("card_declined", "stolen_card", "The card was declined.", advice=NEVER)
TOO_OFTEN = Decline(
    "card_declined", "card_velocity_exceeded", "The card reached a limit.", advice=AGAIN
)
FRAUD = Decline("card_declined", "fraudulent", "The card was declined.")
EXPIRED = Decline("expired_card", "expired_card", "The card has expired.", "exp_month", CHECK)
CVC = Decline("incorrect_cvc", "incorrect_cvc", "The security code is wrong.", "cvc", CHECK)
TROUBLE = Decline(
    "processing_error", "processing_error", "The bank could not work on it.", advice=AGAIN
)
LIVE_CARD = Decline(
    "card_declined", "test_mode_live_card", "This is no test card, and here is the test mode."
)
WRONG_NUMBER = Decline("incorrect_number", "incorrect_number", "The number is wrong.", "number")

# name, number, brand, funding, decline, behaviour
_TABLE: tuple[tuple[str, str, str, str, Decline | None, Behaviour], ...] = (
    ("visa", "4242424242424242", "visa", "credit", None, "plain"),
    ("visa_debit", "4000056655665556", "visa", "debit", None, "plain"),
    ("mastercard", "5555555555554444", "mastercard", "credit", None, "plain"),
    ("mastercard_debit", "5200828282828210", "mastercard", "debit", None, "plain"),
    ("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", None, "plain"),
    ("amex", "378282246310005", "amex", "credit", None, "plain"),
    ("discover", "6011111111111117", "discover", "credit", None, "plain"),
    ("diners", "3056930009020004", "diners", "credit", None, "plain"),
    ("jcb", "3566002020360505", "jcb", "credit", None, "plain"),
    ("unionpay", "6200000000000005", "unionpay", "credit", None, "plain"),
    ("chargeDeclined", "4000000000000002", "visa", "credit", GENERIC, "plain"),
    ("chargeDeclinedInsufficientFunds", "4000000000009995", "visa", "credit", NO_FUNDS, "plain"),
    ("chargeDeclinedLostCard", "4000000000009987", "visa", "credit", LOST, "plain"),
    ("chargeDeclinedStolenCard", "4000000000009979", "visa", "credit", STOLEN, "plain"),
    ("chargeDeclinedExpiredCard", "4000000000000069", "visa", "credit", EXPIRED, "plain"),
    ("chargeDeclinedIncorrectCvc", "4000000000000127", "visa", "credit", CVC, "plain"),
    ("chargeDeclinedProcessingError", "4000000000000119", "visa", "credit", TROUBLE, "plain"),
    ("chargeDeclinedFraudulent", "4100000000000019", "visa", "credit", FRAUD, "plain"),
    (
        "chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "visa",
        "credit",
        TOO_OFTEN,
        "plain",
    ),
    ("pendingRefund", "4000000000007726", "visa", "credit", None, "refund_pending"),
    ("refundFail", "4000000000005126", "visa", "credit", None, "refund_fails"),
)
# Cards that exist only here, without a number: the name after pm_sandbox_.
_OWN: tuple[tuple[str, Decline | None, Behaviour], ...] = (
    ("bookedThenSilent", None, "booked_then_silent"),
    ("processing", None, "processing"),
    ("processingThenFails", TROUBLE, "processing_fails"),
)


def find_card(payment_method: str) -> Card | None:
    """The card behind a payment method's or token's name, such as pm_card_visa."""
    return _BY_NAME.get(payment_method)


def card_of_number(number: str) -> Card | Decline:
    """The card with this number; what is no test card is declined as Stripe's test mode does."""
    card = _BY_NUMBER.get(number)
    if card is not None:
        return card
    return LIVE_CARD if _luhn_holds(number) else WRONG_NUMBER


def _card(
    name: str, number: str, brand: str, funding: str, decline: Decline | None, how: Behaviour
) -> Card:
    fingerprint = sha256(f"sandbox:{number}".encode()).hexdigest()[:16]
    return Card(name, brand, number[-4:], funding, "US", fingerprint, decline, how)


def _luhn_holds(number: str) -> bool:
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_BY_NAME: dict[str, Card] = {}
_BY_NUMBER: dict[str, Card] = {}
for _name, _number, _brand, _funding, _decline, _how in _TABLE:
    _made = _card(f"pm_card_{_name}", _number, _brand, _funding, _decline, _how)
    _BY_NUMBER[_number] = _made
    _BY_NAME[f"pm_card_{_name}"] = _BY_NAME[f"tok_{_name}"] = _made
    if _name.startswith("chargeDeclined"):
        _BY_NAME[f"pm_card_visa_{_name}"] = _BY_NAME[f"tok_visa_{_name}"] = _made
for _name, _decline, _how in _OWN:
    _own = f"pm_sandbox_{_name}"
    _BY_NAME[_own] = _card(_own, "4242424242424242", "visa", "credit", _decline, _how)

NAMES: tuple[str, ...] = tuple(_BY_NAME)
