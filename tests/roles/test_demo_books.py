"""Three books compared: when they agree nothing is said, and every way to differ is named."""

from dataclasses import replace

import msgspec
import pytest

from guilder.roles.demo.books import (
    Attempt,
    OurPayment,
    compare_with_caller,
    compare_with_provider,
    doubled,
    our_payment,
)
from guilder.roles.demo.views import Facts, Movement, PaymentSeen, StepSeen, TrailSeen

PAYMENT = PaymentSeen(
    id="pay_1",
    merchant_id="mer_1",
    state="partially_refunded",
    amount_minor=1000,
    authorized_minor=1000,
    captured_minor=900,
    refunded_minor=300,
    currency="EUR",
    display_amount="EUR 10.00",
    reference="run:1",
    decline=None,
)
ATTEMPTS = (
    Attempt("att_1", "authorize", "succeeded", 1000, "EUR", "pi_1"),
    Attempt("att_2", "capture", "succeeded", 900, "EUR", "pi_1"),
    Attempt("att_3", "refund", "succeeded", 300, "EUR", "re_1"),
)
OURS = OurPayment(PAYMENT, ATTEMPTS, 600)


def line(kind: str, amount: int, attempt: str, ref: str = "pi_1", **changes: str) -> Movement:
    facts = {"state": "succeeded", "currency": "EUR", **changes}
    return Movement(
        ref=ref,
        our_ref="att_1",
        kind=kind,
        amount_minor=amount,
        currency=facts["currency"],
        state=facts["state"],
        payment_ref="pi_1",
        idempotency_key=attempt,
    )


AUTHORIZATION = line("authorization", 1000, "att_1")
CAPTURE = line("capture", 900, "att_2")
REFUND = line("refund", 300, "att_3", "re_1")
THEIRS = [AUTHORIZATION, CAPTURE, REFUND]


def test_equal_books_say_nothing() -> None:
    assert compare_with_provider([OURS], THEIRS) == []
    assert compare_with_provider([OURS], THEIRS[::-1]) == []
    assert compare_with_provider([], []) == []


@pytest.mark.proves("I2")
@pytest.mark.parametrize(
    ("movements", "named"),
    [
        ([CAPTURE, REFUND], "our book has a authorization, the provider's has not"),
        ([AUTHORIZATION, REFUND], "our book has a capture, the provider's has not"),
        ([*THEIRS, line("capture", 900, "att_9")], "the provider's book has pi_1 capture 900"),
        ([*THEIRS, CAPTURE], "the provider has pi_1 capture 900 EUR succeeded besides"),
        ([*THEIRS, line("void", 1000, "att_1")], "the provider has pi_1 void 1000"),
        ([AUTHORIZATION, line("capture", 901, "att_2"), REFUND], "we say 900 EUR succeeded"),
        (
            [AUTHORIZATION, line("capture", 900, "att_2", currency="USD"), REFUND],
            "the provider pi_1 capture 900 USD succeeded",
        ),
        (
            [AUTHORIZATION, CAPTURE, line("refund", 300, "att_3", "re_1", state="pending")],
            "the provider re_1 refund 300 EUR pending",
        ),
        (
            [AUTHORIZATION, CAPTURE, line("refund", 300, "att_3", "re_2")],
            "we know it as re_1, it is re_2",
        ),
    ],
)
def test_every_difference_with_the_provider_is_named(movements: list[Movement], named: str) -> None:
    assert any(named in told for told in compare_with_provider([OURS], movements))


@pytest.mark.proves("I1")
def test_a_ledger_that_holds_another_sum_is_named() -> None:
    told = compare_with_provider([replace(OURS, clearing_minor=601)], THEIRS)
    assert told == ["pay_1: the ledger has 601 EUR at the provider, the provider's book 600"]


def test_a_movement_without_a_key_is_known_by_its_metadata() -> None:
    told = msgspec.structs.replace(AUTHORIZATION, idempotency_key=None)
    assert compare_with_provider([OURS], [told, CAPTURE, REFUND]) == []


def refused(state: str, ref: str | None) -> OurPayment:
    sale = Attempt("att_1", "sale", state, 1000, "EUR", ref)
    return OurPayment(PAYMENT, (sale,), 0)


def test_what_was_refused_moved_nothing_on_either_side() -> None:
    no = line("authorization", 1000, "att_1", state="declined")
    assert compare_with_provider([refused("declined", "pi_1")], [no]) == []
    assert compare_with_provider([refused("declined", None)], []) == []
    assert compare_with_provider([refused("failed", None)], []) == []


def test_a_refusal_that_the_provider_does_not_have_so_is_named() -> None:
    yes = [AUTHORIZATION, line("capture", 1000, "att_1")]
    for state in ("declined", "failed"):
        told = compare_with_provider([refused(state, None)], yes)
        assert f"we say {state}, the provider has pi_1 authorization 1000 EUR succeeded" in told[0]
    told = compare_with_provider([refused("declined", "pi_1")], [])
    assert "its book has nothing of it" in told[0]


def test_an_open_attempt_is_a_difference() -> None:
    [told] = compare_with_provider([refused("asked", None)], [])
    assert "not known yet" in told


def test_an_overtaken_payment_and_its_undoing_are_two_movements_each() -> None:
    sale = Attempt("att_1", "sale", "overtaken", 1000, "EUR", "pi_1")
    undo = Attempt("att_2", "refund", "succeeded", 1000, "EUR", "re_1")
    movements = [
        AUTHORIZATION,
        line("capture", 1000, "att_1"),
        line("refund", 1000, "att_2", "re_1"),
    ]
    assert compare_with_provider([OurPayment(PAYMENT, (sale, undo), 0)], movements) == []


def compared(ours: list[OurPayment], **journal: object) -> list[str]:
    told: dict[str, object] = {
        "seen": {"pay_1": PAYMENT},
        "answered": {"pay_1": PAYMENT},
        "merchants": {"mer_1"},
        "unanswered": set[str](),
    }
    return compare_with_caller(ours, **{**told, **journal})  # pyright: ignore[reportArgumentType]


def test_a_journal_that_tells_the_same_says_nothing() -> None:
    assert compared([OURS]) == []


@pytest.mark.proves("I4")
def test_what_was_answered_must_still_be_there() -> None:
    [told] = compared([])
    assert told == "the caller was told of pay_1, our book has no such payment"


def test_a_payment_that_changed_since_is_named_with_what_changed() -> None:
    now = msgspec.structs.replace(PAYMENT, state="refunded", refunded_minor=900)
    [told] = compared([replace(OURS, payment=now)])
    assert "told state partially_refunded, our book says refunded" in told
    assert "told refunded_minor 300, our book says 900" in told


def test_a_payment_whose_order_was_not_through_may_have_gone_on_but_not_changed_its_amount() -> (
    None
):
    before = msgspec.structs.replace(PAYMENT, state="processing", captured_minor=0)
    assert compared([OURS], seen={}, answered={"pay_1": before}) == []
    other = msgspec.structs.replace(before, amount_minor=999)
    assert "amount_minor 999" in compared([OURS], seen={}, answered={"pay_1": other})[0]


def test_a_payment_of_ours_that_the_caller_never_heard_of_is_named() -> None:
    [told] = compared([OURS], seen={}, answered={})
    assert told == "our book has pay_1, of which the caller was never told"
    assert compared([OURS], seen={}, answered={}, unanswered={"run:1"}) == []
    assert compared([OURS], seen={}, answered={}, merchants=set[str]()) == []


@pytest.mark.proves("I3")
def test_an_order_that_was_paid_twice_is_named() -> None:
    twin = replace(OURS, payment=msgspec.structs.replace(PAYMENT, id="pay_2"))
    assert doubled([OURS], {"mer_1"}) == []
    assert doubled([OURS, twin], {"mer_1"}) == ["the order run:1 was paid 2 times: pay_1, pay_2"]
    declined = msgspec.structs.replace(PAYMENT, id="pay_2", authorized_minor=0)
    assert doubled([OURS, replace(OURS, payment=declined)], {"mer_1"}) == []


def test_a_trail_gives_the_attempts_and_what_the_provider_holds() -> None:
    amount: Facts = {"amount_minor": 1000, "currency": "EUR"}
    asked: Facts = {"operation": "sale", "state": "succeeded", "provider_ref": "pi_1", **amount}
    debit: Facts = {"purpose": "psp_clearing:stripe", "side": "debit", **amount}
    credit: Facts = {"purpose": "merchant_payable", "side": "credit", **amount}
    back: Facts = {**debit, "side": "credit", "amount_minor": 400}
    trail = TrailSeen(
        "pay_1",
        "captured",
        [
            StepSeen("attempt", "att_1", "", asked),
            *(StepSeen("posting", "ent_1", "", facts) for facts in (debit, credit, back)),
        ],
    )
    told = our_payment(PAYMENT, trail)
    assert told.attempts == (Attempt("att_1", "sale", "succeeded", 1000, "EUR", "pi_1"),)
    assert told.clearing_minor == 600
