"""Nonsense never means yes and never means no, and the translation never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.connectors.psp.contract import Answer, Ask, Operation
from guilder.connectors.psp.stripe import translate
from guilder.connectors.psp.stripe.body import Body, part, word
from tests.connectors.psp.stripe.meanings import (
    ANSWERS,
    AUTHORIZE,
    GIVE_BACK,
    NO,
    UNSURE,
    VOID,
    YES,
)
from tests.connectors.psp.stripe.samples import ask_for, sample
from tests.connectors.unhurried import unhurried

VOCABULARY = """
    id object status amount amount_received amount_capturable currency metadata error type code
    card_error invalid_request_error payment_intent refund succeeded requires_capture canceled
    requires_payment_method last_payment_error latest_charge data has_more eur"""
WORDS = st.sampled_from(VOCABULARY.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=30,
)
OBJECTS = st.dictionaries(WORDS | st.text(max_size=8), JSON, max_size=10)
ASKS = st.sampled_from([ask_for(operation) for operation in Operation])
STATUSES = st.integers(100, 599) | st.sampled_from([200, 400, 401, 402, 403, 404, 409, 429, 500])


@pytest.mark.proves("S03", "S21")
@unhurried
@given(ask=ASKS, status=STATUSES, body=OBJECTS, in_doubt=st.booleans())
def test_garbage_is_neither_yes_nor_no(
    *, ask: Ask, status: int, body: dict[str, object], in_doubt: bool
) -> None:
    answer = translate.answer_to(ask, status, body, in_doubt=in_doubt)
    kind = word(part(body, "error"), "type")
    kinds = {"card_error", "invalid_request_error"}
    is_documented = status in {400, 401, 402, 403, 404} and kind in kinds
    assert answer.verdict is UNSURE or (answer.verdict is NO and is_documented)
    for found in (translate.found_payment(ask, body), refund_in(ask, body)):
        assert found is None or found.verdict is UNSURE
    translate.payments_found(ask, body)
    translate.next_page(body)


def refund_in(ask: Ask, body: Body) -> Answer | None:
    return translate.found_refund(ask, body) if ask.operation is GIVE_BACK else None


SUCCESSES = [name for name, (_, verdict) in ANSWERS.items() if verdict is YES]


@unhurried
@given(st.sampled_from(SUCCESSES), st.data())
def test_a_success_with_one_field_spoilt_never_becomes_another_success(
    name: str, draw: st.DataObject
) -> None:
    operation, _ = ANSWERS[name]
    body = sample(name).body
    field = draw.draw(st.sampled_from(sorted(body)))
    spoilt = {**body, field: draw.draw(JSON)}
    answer = translate.answer_to(ask_for(operation), 200, spoilt, in_doubt=False)
    if answer.verdict is YES:
        counted = {AUTHORIZE: "amount_capturable", VOID: "amount", GIVE_BACK: "amount"}
        said = spoilt[counted.get(operation, "amount_received")]
        assert answer.amount is not None
        assert answer.amount.currency.code.lower() == spoilt["currency"]
        assert type(said) is int
        assert spoilt["status"] == body["status"]
        assert isinstance(spoilt["id"], str)


@unhurried
@given(st.sampled_from(SUCCESSES), st.data())
def test_a_success_of_another_attempt_is_not_ours(name: str, draw: st.DataObject) -> None:
    operation, _ = ANSWERS[name]
    body = sample(name).body
    body["metadata"] = draw.draw(st.none() | st.text() | st.dictionaries(st.text(), st.text()))
    body["id"] = body["id"] if operation in translate.NEW else "pi_another"
    answer = translate.answer_to(ask_for(operation), 200, body, in_doubt=False)
    assert answer.verdict is UNSURE
