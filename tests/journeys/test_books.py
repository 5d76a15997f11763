"""The comparer itself: books that agree have no difference, and every planted one is named."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from tests.journeys.books import (
    Attempt,
    OurBook,
    journal_against_ours,
    ours_against_provider,
    payments_against_ledger,
    provider_against_ours,
)
from tests.journeys.journal import Answer, Exchange, Intent
from tests.journeys.outside import Movement


@dataclass(frozen=True, slots=True)
class Books:
    """All three, small enough to read: a sale with a refund, and a decline."""

    journal: tuple[Exchange, ...]
    ours: OurBook
    theirs: tuple[Movement, ...]

    def differences(self) -> list[str]:
        """What the comparer says."""
        return [
            *journal_against_ours(self.journal, self.ours),
            *ours_against_provider(self.ours, self.theirs),
            *provider_against_ours(self.theirs, self.ours),
            *payments_against_ledger(self.ours),
        ]


def _payment(payment_id: str, state: str, *growing: int) -> dict[str, Any]:
    authorized, captured, refunded = growing
    return {
        "object": "payment",
        "id": payment_id,
        "state": state,
        "reference": f"key-{payment_id}",
        "amount_minor": 1000,
        "currency": "EUR",
        "merchant_id": "mer_1",
        "livemode": False,
        "authorized_minor": authorized,
        "captured_minor": captured,
        "refunded_minor": refunded,
        "created_at": "now",
        "display_amount": "EUR 10.00",
    }


def _exchange(number: int, path: str, body: dict[str, Any], told: dict[str, Any]) -> Exchange:
    key = f"key-{told['id']}"
    intent = Intent(number, key, path, json.dumps({**body, "reference": key}))
    return Exchange(intent, Answer(number, 201, json.dumps(told)))


def _moved(kind: str, ref: str, amount_minor: int, state: str = "succeeded") -> Movement:
    payment = "pi_2" if ref == "att_3" else "pi_1"
    return Movement("re", ref, kind, amount_minor, "EUR", state, "now", payment, "ch", ref)


def _books() -> Books:
    sale, decline = (
        _payment("pay_1", "captured", 1000, 1000, 0),
        _payment("pay_2", "declined", 0, 0, 0),
    )
    now = _payment("pay_1", "partially_refunded", 1000, 1000, 300)
    refund = {
        "object": "refund",
        "id": "ref_1",
        "payment_id": "pay_1",
        "state": "succeeded",
        "amount_minor": 300,
        "currency": "EUR",
        "merchant_id": "mer_1",
        "livemode": False,
        "created_at": "now",
    }
    order = {"amount_minor": 1000, "currency": "EUR"}
    return Books(
        (
            _exchange(0, "/v1/payments", order, sale),
            _exchange(1, "/v1/payments/pay_1/refund", {"amount_minor": 300}, refund),
            _exchange(2, "/v1/payments", order, decline),
        ),
        OurBook(
            {"pay_1": now, "pay_2": decline},
            {"ref_1": refund},
            (
                Attempt("att_1", "pay_1", "sale", "succeeded", 1000, "EUR", None),
                Attempt("att_2", "pay_1", "refund", "succeeded", 300, "EUR", None),
                Attempt("att_3", "pay_2", "sale", "declined", 1000, "EUR", None),
            ),
            {"EUR": (1300, 1300)},
        ),
        (
            _moved("authorization", "att_1", 1000),
            _moved("capture", "att_1", 1000),
            _moved("refund", "att_2", 300),
            _moved("authorization", "att_3", 1000, "declined"),
        ),
    )


def test_books_that_agree_have_no_difference() -> None:
    assert _books().differences() == []


def _theirs(books: Books, change: Callable[[list[Movement]], Sequence[Movement]]) -> Books:
    return replace(books, theirs=tuple(change(list(books.theirs))))


def _row(books: Books, number: int, **changes: Any) -> Books:
    rows = list(books.theirs)
    rows[number] = msgspec.structs.replace(rows[number], **changes)
    return replace(books, theirs=tuple(rows))


def _attempt(books: Books, number: int, **changes: Any) -> Books:
    attempts = list(books.ours.attempts)
    attempts[number] = replace(attempts[number], **changes)
    return replace(books, ours=replace(books.ours, attempts=tuple(attempts)))


def _now(books: Books, **changes: Any) -> Books:
    payments = {**books.ours.payments, "pay_1": {**books.ours.payments["pay_1"], **changes}}
    return replace(books, ours=replace(books.ours, payments=payments))


def _without(books: Books, payment_id: str) -> Books:
    left = {name: one for name, one in books.ours.payments.items() if name != payment_id}
    attempts = tuple(one for one in books.ours.attempts if one.payment_id != payment_id)
    ours = replace(books.ours, payments=left, attempts=attempts)
    return replace(books, ours=ours)


def _answered(books: Books, number: int, **changes: Any) -> Books:
    exchange = books.journal[number]
    assert exchange.answer is not None
    told = json.dumps({**exchange.answer.told, **changes})
    again = replace(exchange, answer=Answer(9, exchange.answer.status, told))
    return replace(books, journal=(*books.journal, again))


PLANTED: dict[str, tuple[Callable[[Books], Books], str]] = {
    "they booked it twice": (
        lambda b: _theirs(b, lambda rows: [*rows, rows[1]]),
        "the provider did capture 2 times for att_1",
    ),
    "they never booked it": (
        lambda b: _theirs(b, lambda rows: rows[:2] + rows[3:]),
        "refund att_2 succeeded; the provider has nothing",
    ),
    "they booked a cent more": (
        lambda b: _row(b, 1, amount_minor=1001),
        "sale att_1 is EUR 1000 here and EUR 1001 there",
    ),
    "they booked another currency": (
        lambda b: _row(b, 1, currency="USD"),
        "sale att_1 is EUR 1000 here and USD 1000 there",
    ),
    "they charged again under a key of nobody's": (
        lambda b: _theirs(b, lambda rows: [*rows, _moved("capture", "att_9", 1000)]),
        "under att_9, which we do not know",
    ),
    "they took what we call declined": (
        lambda b: _row(b, 3, state="succeeded"),
        "sale att_3 is declined, yet authorization EUR 1000 succeeded there",
    ),
    "they voided a sale": (
        lambda b: _theirs(b, lambda rows: [*rows, _moved("void", "att_1", 1000)]),
        "the provider did a void for att_1, which is a sale",
    ),
    "we know no end of it": (
        lambda b: _attempt(b, 1, state="asked"),
        "refund att_2 is still open",
    ),
    "we gave up what they did": (
        lambda b: _attempt(b, 0, state="failed"),
        "sale att_1 is failed, yet",
    ),
    "what was given up was not given back": (
        lambda b: _attempt(b, 0, state="overtaken"),
        "pay_1 was given up and then succeeded",
    ),
    "our state is not theirs": (
        lambda b: _now(b, state="refunded"),
        "pay_1 is refunded here and partially_refunded there",
    ),
    "our amounts are not theirs": (
        lambda b: _now(b, captured_minor=999),
        "authorized, captured, refunded (1000, 999, 300) here and (1000, 1000, 300) there",
    ),
    "a payment is gone": (lambda b: _without(b, "pay_2"), "pay_2 was answered to key-pay_2"),
    "a payment was never asked for": (
        lambda b: replace(b, journal=b.journal[:2]),
        "pay_2 of EUR 10.00 was never asked for",
    ),
    "an order became two payments": (
        lambda b: _now(b, reference="key-pay_2"),
        "the order key-pay_2 became 2 payments",
    ),
    "the amount is another than was answered": (
        lambda b: _now(b, amount_minor=1001),
        "pay_1: amount_minor was 1000 and is 1001",
    ),
    "a state went back": (
        lambda b: _now(b, state="authorized"),
        "pay_1: was captured and became authorized",
    ),
    "a key was answered in two ways": (
        lambda b: _answered(b, 0, description="other"),
        "key-pay_1 at /v1/payments was given 2 different answers",
    ),
    "the book does not balance": (
        lambda b: replace(b, ours=replace(b.ours, trial={"EUR": (1300, 1200)})),
        "EUR: debits are 1300 and credits 1200",
    ),
    "the book has more than was moved": (
        lambda b: replace(b, ours=replace(b.ours, trial={"EUR": (2300, 2300)})),
        "EUR: the book moved 2300, the attempts 1300",
    ),
    "a refund is not among the refunds": (
        lambda b: replace(b, journal=b.journal[::2], ours=replace(b.ours, refunds={})),
        "pay_1 refunded 300, its refunds are 0",
    ),
}


@pytest.mark.proves("I2")
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_named(planted: str) -> None:
    plant, sentence = PLANTED[planted]
    found = plant(_books()).differences()
    assert any(sentence in one for one in found), found
