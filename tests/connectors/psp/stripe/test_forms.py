"""What we send to Stripe, field by field, and amounts in its units."""

from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.connectors.psp.stripe import translate
from guilder.connectors.psp.stripe.amounts import from_theirs, to_theirs
from guilder.kernel.money import Money
from tests.connectors.psp.stripe.meanings import AUTHORIZE, CAPTURE, GIVE_BACK, SALE
from tests.connectors.psp.stripe.samples import PAID_BY, PAYMENT, ask_for
from tests.connectors.unhurried import unhurried


def test_the_form_of_a_sale_says_all_that_stripe_needs() -> None:
    ask = replace(ask_for(SALE), hints={"cart": "77", "guilder_attempt": "mine", "a[b]": "x"})
    assert translate.fields_of(ask) == [
        ("amount", "1050"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
        ("capture_method", "automatic"),
        ("error_on_requires_action", "true"),
        ("expand[]", "latest_charge"),
        ("description", "order-1001"),
        ("metadata[cart]", "77"),
        ("metadata[guilder_attempt]", str(PAID_BY)),
    ]


def test_the_form_of_an_authorization_asks_for_no_capture() -> None:
    fields = cast("translate.Fields", translate.fields_of(ask_for(AUTHORIZE)))
    assert ("capture_method", "manual") in fields


def test_hints_are_cut_to_what_they_take() -> None:
    hints = {f"key{number}": "v" * 600 for number in range(60)} | {"k" * 41: "v", "empty": ""}
    ask = replace(ask_for(SALE), hints=hints, description="d" * 2000)
    fields = dict(translate.fields_of(ask) or [])
    metadata = {name: value for name, value in fields.items() if name.startswith("metadata[")}
    assert len(metadata) <= 49
    assert max(len(value) for value in metadata.values()) == 500
    assert "metadata[empty]" not in metadata
    assert len(fields["description"]) == 1000


def test_the_other_forms_name_the_payment_the_amount_and_the_attempt() -> None:
    capture = dict(translate.fields_of(ask_for(CAPTURE)) or [])
    assert capture["amount_to_capture"] == "1050"
    assert capture["metadata[guilder_capture]"] == str(ask_for(CAPTURE).attempt_id)
    assert "metadata[guilder_attempt]" not in capture  # It would hide the payment's own attempt.
    refund = dict(translate.fields_of(ask_for(GIVE_BACK)) or [])
    assert refund["payment_intent"] == PAYMENT
    assert refund["amount"] == "400"
    assert refund["metadata[guilder_attempt]"] == str(ask_for(GIVE_BACK).attempt_id)


def test_an_amount_they_cannot_say_exactly_has_no_form() -> None:
    for amount in (Money.of(12345, "KWD"), Money.of(50, "MGA")):
        assert translate.fields_of(ask_for(SALE, amount=amount)) is None


@unhurried
@given(st.integers(1, 10**9), st.sampled_from(["EUR", "JPY", "KWD", "ISK", "UGX", "MGA", "BHD"]))
def test_what_they_can_say_comes_back_as_it_went(amount_minor: int, code: str) -> None:
    amount = Money.of(amount_minor, code)
    theirs = to_theirs(amount)
    assert theirs is None or from_theirs(theirs, code.lower()) == amount


@pytest.mark.parametrize(
    ("amount", "theirs"),
    [
        (Money.of(1050, "EUR"), 1050),
        (Money.of(500, "JPY"), 500),
        (Money.of(5, "UGX"), 500),
        (Money.of(5, "ISK"), 500),
        (Money.of(500, "MGA"), 5),
        (Money.of(501, "MGA"), None),
        (Money.of(12340, "KWD"), 12340),
        (Money.of(12345, "KWD"), None),
    ],
)
def test_an_amount_in_their_units(amount: Money, theirs: int | None) -> None:
    assert to_theirs(amount) == theirs


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (0, "eur"),
        (-1, "eur"),
        (10**16, "eur"),
        (5, "EUR"),
        (5, "zzz"),
        (5, "ısk"),
        (550, "isk"),
        (None, "eur"),
        (5, None),
    ],
)
def test_what_is_no_amount_of_money_is_none(amount: int | None, currency: str | None) -> None:
    assert from_theirs(amount, currency) is None
