"""How Stripe says no: every documented code has a reason, and a new one is still a no."""

import pytest

from guilder.connectors.psp.contract import Advice
from guilder.connectors.psp.stripe import translate
from guilder.connectors.psp.stripe.body import Body
from guilder.connectors.psp.stripe.declines import ADVICE, MEANINGS, REFUND_FAILURES
from tests.connectors.psp.stripe.meanings import GIVE_BACK, NO, REFUSALS, SALE, UNSURE, asked
from tests.connectors.psp.stripe.samples import ask_for, sample


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_means(name: str) -> None:
    operation, reason, advice, raw = REFUSALS[name]
    answer = asked(name, operation)
    assert answer.verdict is NO
    assert answer.decline is not None
    assert (answer.decline.reason, answer.decline.advice, answer.decline.raw) == (
        reason,
        advice,
        raw,
    )


@pytest.mark.proves("S03")
@pytest.mark.parametrize("name", REFUSALS)
def test_after_a_try_in_doubt_only_a_card_error_is_a_no(name: str) -> None:
    operation, *_ = REFUSALS[name]
    answer = asked(name, operation, in_doubt=True)
    assert answer.verdict is (NO if name.startswith("error_card_") else UNSURE)


DOCUMENTED = """
    authentication_required approve_with_id call_issuer card_not_supported card_velocity_exceeded
    currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card
    fraudulent generic_decline incorrect_address incorrect_cvc incorrect_number incorrect_pin
    incorrect_zip insufficient_funds invalid_account invalid_amount invalid_cvc
    invalid_expiry_month invalid_expiry_year invalid_number invalid_pin issuer_not_available
    lost_card merchant_blacklist mobile_device_authentication_required
    new_account_information_available no_action_taken not_permitted offline_pin_required
    online_or_offline_pin_required pickup_card pin_try_exceeded processing_error
    reenter_transaction restricted_card revocation_of_all_authorizations
    revocation_of_authorization security_violation service_not_allowed stolen_card
    stop_payment_order test_mode_live_card testmode_decline transaction_not_allowed
    try_again_later withdrawal_count_limit_exceeded"""
"""Stripe's published list of decline codes."""


@pytest.mark.parametrize("code", DOCUMENTED.split())
def test_every_documented_decline_code_has_a_reason_and_is_a_sure_no(code: str) -> None:
    body = declined_with(code)
    answer = translate.answer_to(ask_for(SALE), 402, body, in_doubt=False)
    assert answer.verdict is NO
    assert answer.decline is not None
    assert (answer.decline.reason, answer.decline.advice) == MEANINGS[code]
    assert answer.decline.raw == code


@pytest.mark.parametrize("advice", ADVICE)
def test_the_issuers_advice_goes_before_ours_but_softens_no_never(advice: str) -> None:
    mild = asked_with_advice("do_not_honor", advice)
    assert mild is ADVICE[advice]
    assert asked_with_advice("stolen_card", advice) is Advice.NEVER
    assert asked_with_advice("authentication_required", advice) is Advice.AUTHENTICATE


@pytest.mark.parametrize("reason", REFUND_FAILURES)
def test_every_documented_refund_failure_has_a_reason(reason: str) -> None:
    body = {**sample("refund_failed").body, "failure_reason": reason}
    answer = translate.answer_to(ask_for(GIVE_BACK), 200, body, in_doubt=False)
    assert answer.decline is not None
    assert answer.decline.raw == reason


@pytest.mark.parametrize("code", ["Your card <b>was</b> declined", "", "x" * 81, 7, None])
def test_a_code_that_is_no_code_is_not_passed_on(code: object) -> None:
    error = {"type": "card_error", "decline_code": code, "message": "the number is 4242"}
    answer = translate.answer_to(ask_for(SALE), 402, {"error": error}, in_doubt=False)
    assert answer.decline is not None
    assert answer.decline.raw == "unreadable"


def declined_with(code: str, **more: str) -> Body:
    return {"error": {"type": "card_error", "code": "card_declined", "decline_code": code, **more}}


def asked_with_advice(code: str, advice: str) -> Advice | None:
    body = declined_with(code, advice_code=advice)
    answer = translate.answer_to(ask_for(SALE), 402, body, in_doubt=False)
    return answer.decline and answer.decline.advice


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 424, 429, 500])
def test_a_card_error_speaks_only_with_its_own_status(status: int) -> None:
    body = sample("error_card_lost_card").body
    answer = translate.answer_to(ask_for(SALE), status, body, in_doubt=False)
    assert answer.verdict is UNSURE


@pytest.mark.parametrize("code", ["idempotency_key_in_use", "lock_timeout", "rate_limit"])
def test_a_request_that_met_another_is_no_no(code: str) -> None:
    error = {"type": "invalid_request_error", "code": code}
    answer = translate.answer_to(ask_for(SALE), 400, {"error": error}, in_doubt=False)
    assert answer.verdict is UNSURE
