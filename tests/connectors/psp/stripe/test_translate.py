"""What each recorded answer of Stripe's means, asked for or looked up."""

from dataclasses import replace

import pytest

from guilder.connectors.psp.contract import Card, Operation, Verdict
from guilder.connectors.psp.stripe import translate
from guilder.kernel.money import Money
from tests.connectors.psp.stripe.meanings import (
    ANSWERS,
    AUTHORIZE,
    CAPTURE,
    GIVE_BACK,
    LISTS,
    NO,
    REFUSALS,
    SALE,
    UNSURE,
    VOID,
    YES,
    asked,
)
from tests.connectors.psp.stripe.samples import PAYMENT, REFUND, ask_for, names, sample


def test_every_recorded_answer_has_its_meaning_here() -> None:
    assert set(ANSWERS) | set(REFUSALS) | LISTS == names()
    assert len(names()) >= 40


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_means(name: str) -> None:
    operation, verdict = ANSWERS[name]
    answer = asked(name, operation)
    assert answer.verdict is verdict
    assert (answer.amount is None) == (verdict is not YES)
    assert (answer.decline is None) == (verdict is not NO)
    assert (answer.detail is None) == (verdict is not UNSURE)


@pytest.mark.parametrize(
    ("name", "operation", "amount"),
    [
        ("sale_succeeded", SALE, Money.of(1050, "EUR")),
        ("sale_succeeded_jpy", SALE, Money.of(1200, "JPY")),
        ("sale_succeeded_kwd", SALE, Money.of(12340, "KWD")),
        ("sale_succeeded_isk", SALE, Money.of(1500, "ISK")),
        ("sale_succeeded_mga", SALE, Money.of(500000, "MGA")),
        ("authorize_requires_capture", AUTHORIZE, Money.of(1050, "EUR")),
        ("capture_part", CAPTURE, Money.of(600, "EUR")),
        ("void_canceled", VOID, Money.of(1050, "EUR")),
        ("refund_succeeded", GIVE_BACK, Money.of(400, "EUR")),
    ],
)
def test_the_amount_is_what_they_say_in_our_units(
    name: str, operation: Operation, amount: Money
) -> None:
    assert asked(name, operation).amount == amount


@pytest.mark.proves("S21")
def test_another_amount_or_currency_than_asked_for_is_passed_on_as_they_say_it() -> None:
    body = {**sample("sale_succeeded").body, "amount_received": 1049, "currency": "usd"}
    answer = translate.answer_to(ask_for(SALE), 200, body, in_doubt=False)
    assert answer.amount == Money.of(1049, "USD")


def test_an_answer_names_their_payment_and_shows_the_card() -> None:
    answer = asked("sale_succeeded", SALE)
    assert answer.provider_ref == PAYMENT
    assert answer.card == Card("visa", "4242")
    assert asked("sale_succeeded_without_charge_details", SALE).card is None
    assert asked("refund_succeeded", GIVE_BACK).provider_ref == REFUND
    assert asked("error_card_insufficient_funds", SALE).provider_ref == PAYMENT


LOOKED_UP: dict[str, tuple[Operation, Verdict | None]] = {
    "sale_succeeded": (SALE, YES),
    "sale_found_declined": (SALE, NO),
    "sale_of_another_attempt": (SALE, UNSURE),
    "authorize_requires_capture": (AUTHORIZE, YES),
    "capture_whole": (CAPTURE, YES),
    "capture_not_done": (CAPTURE, None),
    "capture_by_another_attempt": (CAPTURE, NO),
    "capture_by_hand": (CAPTURE, YES),
    "capture_of_a_canceled_payment": (CAPTURE, NO),
    "capture_of_another_payment": (CAPTURE, UNSURE),
    "void_canceled": (VOID, YES),
    "void_not_done": (VOID, None),
    "void_after_capture": (VOID, NO),
}


@pytest.mark.parametrize("name", LOOKED_UP)
def test_their_record_of_a_payment_means(name: str) -> None:
    operation, verdict = LOOKED_UP[name]
    found = translate.found_payment(ask_for(operation), sample(name).body)
    assert (found and found.verdict) == verdict


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("list_with_our_refund", YES),
        ("list_without_our_refund", None),
        ("list_with_our_refund_twice", UNSURE),
        ("sale_succeeded", UNSURE),
    ],
)
def test_our_refund_is_found_by_its_metadata(name: str, verdict: Verdict | None) -> None:
    found = translate.found_refund(ask_for(GIVE_BACK), sample(name).body)
    assert (found and found.verdict) == verdict


def test_a_list_says_where_it_goes_on() -> None:
    assert translate.next_page(sample("list_with_more_pages").body) is not None
    assert translate.next_page(sample("list_with_our_refund").body) is None


def test_search_finds_the_payment_that_carries_the_attempt_and_no_other() -> None:
    ask = ask_for(SALE)
    assert translate.payments_found(ask, sample("search_found").body) == [PAYMENT]
    assert translate.payments_found(ask, sample("search_empty").body) == []
    assert translate.payments_found(ask, sample("sale_succeeded").body) is None
    stranger = replace(ask, attempt_id=ask_for(CAPTURE).attempt_id)
    assert translate.payments_found(stranger, sample("search_found").body) == []


def test_a_refund_of_another_payment_is_not_ours() -> None:
    body = {**sample("refund_succeeded").body, "payment_intent": "pi_of_another"}
    answer = translate.answer_to(ask_for(GIVE_BACK), 200, body, in_doubt=False)
    assert answer.verdict is UNSURE
