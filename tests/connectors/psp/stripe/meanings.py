"""What every recorded answer means: the tables that the tests of the translation go by."""

from typing import TypeAlias

from guilder.connectors.psp.contract import Advice, Answer, Operation, Reason, Verdict
from guilder.connectors.psp.stripe import translate
from tests.connectors.psp.stripe.samples import ask_for, sample

AUTHORIZE, SALE = Operation.AUTHORIZE, Operation.SALE
CAPTURE, VOID, GIVE_BACK = Operation.CAPTURE, Operation.VOID, Operation.REFUND
YES, NO, WAIT, UNSURE = Verdict.SUCCEEDED, Verdict.DECLINED, Verdict.PENDING, Verdict.UNKNOWN

Refusal: TypeAlias = tuple[Operation, Reason, Advice, str]

ANSWERS: dict[str, tuple[Operation, Verdict]] = {
    "sale_succeeded": (SALE, YES),
    "sale_succeeded_jpy": (SALE, YES),
    "sale_succeeded_kwd": (SALE, YES),
    "sale_succeeded_isk": (SALE, YES),
    "sale_succeeded_mga": (SALE, YES),
    "sale_succeeded_without_charge_details": (SALE, YES),
    "sale_processing": (SALE, WAIT),
    "sale_requires_action": (SALE, WAIT),
    "sale_requires_confirmation": (SALE, WAIT),
    "sale_not_tried_yet": (SALE, WAIT),
    "sale_found_declined": (SALE, NO),
    "sale_found_canceled": (SALE, NO),
    "sale_only_reserved": (SALE, UNSURE),
    "sale_of_another_attempt": (SALE, UNSURE),
    "sale_with_an_error_inside": (SALE, UNSURE),
    "sale_in_a_state_of_tomorrow": (SALE, UNSURE),
    "sale_in_no_currency": (SALE, UNSURE),
    "sale_with_an_amount_in_words": (SALE, UNSURE),
    "sale_with_the_charge_of_another": (SALE, UNSURE),
    "authorize_requires_capture": (AUTHORIZE, YES),
    "authorize_captured_at_once": (AUTHORIZE, UNSURE),
    "capture_whole": (CAPTURE, YES),
    "capture_part": (CAPTURE, YES),
    "capture_by_another_attempt": (CAPTURE, UNSURE),
    "capture_by_hand": (CAPTURE, YES),
    "capture_not_done": (CAPTURE, UNSURE),
    "capture_of_a_canceled_payment": (CAPTURE, NO),
    "capture_of_another_payment": (CAPTURE, UNSURE),
    "void_canceled": (VOID, YES),
    "void_expired": (VOID, YES),
    "void_not_done": (VOID, UNSURE),
    "void_after_capture": (VOID, NO),
    "void_after_part_was_received": (VOID, UNSURE),
    "refund_succeeded": (GIVE_BACK, YES),
    "refund_pending": (GIVE_BACK, WAIT),
    "refund_requires_action": (GIVE_BACK, WAIT),
    "refund_failed": (GIVE_BACK, NO),
    "refund_canceled": (GIVE_BACK, NO),
    "refund_of_another_attempt": (GIVE_BACK, UNSURE),
    "refund_in_a_state_of_tomorrow": (GIVE_BACK, UNSURE),
    "error_card_of_another_attempt": (SALE, UNSURE),
    "error_card_and_yet_paid": (SALE, UNSURE),
    "error_rate_limit": (SALE, UNSURE),
    "error_lock_timeout": (CAPTURE, UNSURE),
    "error_key_in_use": (SALE, UNSURE),
    "error_key_reused": (SALE, UNSURE),
    "error_conflict": (SALE, UNSURE),
    "error_dependency": (SALE, UNSURE),
    "error_server": (SALE, UNSURE),
    "error_gateway": (SALE, UNSURE),
    "error_unavailable": (SALE, UNSURE),
    "error_gateway_timeout": (SALE, UNSURE),
    "error_of_no_kind": (SALE, UNSURE),
}
"""What a recorded answer to an asking means, when it comes to the first try."""

REFUSALS: dict[str, Refusal] = {
    "error_card_generic_decline": (
        SALE,
        Reason.GENERIC_DECLINE,
        Advice.RETRY_LATER,
        "generic_decline",
    ),
    "error_card_insufficient_funds": (
        SALE,
        Reason.INSUFFICIENT_FUNDS,
        Advice.OTHER_METHOD,
        "insufficient_funds",
    ),
    "error_card_lost_card": (SALE, Reason.LOST_OR_STOLEN, Advice.NEVER, "lost_card"),
    "error_card_stolen_card": (AUTHORIZE, Reason.LOST_OR_STOLEN, Advice.NEVER, "stolen_card"),
    "error_card_fraudulent": (SALE, Reason.SUSPECTED_FRAUD, Advice.NEVER, "fraudulent"),
    "error_card_do_not_honor": (SALE, Reason.GENERIC_DECLINE, Advice.NEVER, "do_not_honor"),
    "error_card_velocity": (
        SALE,
        Reason.LIMIT_EXCEEDED,
        Advice.OTHER_METHOD,
        "card_velocity_exceeded",
    ),
    "error_card_not_supported": (
        SALE,
        Reason.NOT_SUPPORTED,
        Advice.OTHER_METHOD,
        "card_not_supported",
    ),
    "error_card_expired": (SALE, Reason.EXPIRED_CARD, Advice.OTHER_METHOD, "expired_card"),
    "error_card_incorrect_cvc": (SALE, Reason.INCORRECT_CVC, Advice.OTHER_METHOD, "incorrect_cvc"),
    "error_card_incorrect_number": (
        SALE,
        Reason.INCORRECT_NUMBER,
        Advice.OTHER_METHOD,
        "incorrect_number",
    ),
    "error_card_processing_error": (
        SALE,
        Reason.PROVIDER_FAULT,
        Advice.RETRY_LATER,
        "processing_error",
    ),
    "error_card_authentication_required": (
        SALE,
        Reason.AUTHENTICATION_REQUIRED,
        Advice.AUTHENTICATE,
        "authentication_required",
    ),
    "error_card_action_required": (
        SALE,
        Reason.AUTHENTICATION_REQUIRED,
        Advice.AUTHENTICATE,
        "payment_intent_action_required",
    ),
    "error_card_code_of_tomorrow": (
        SALE,
        Reason.GENERIC_DECLINE,
        Advice.OTHER_METHOD,
        "moon_in_wrong_phase",
    ),
    "error_card_rate_limit": (
        SALE,
        Reason.LIMIT_EXCEEDED,
        Advice.RETRY_LATER,
        "card_decline_rate_limit_exceeded",
    ),
    "error_request_missing_parameter": (
        SALE,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "parameter_missing",
    ),
    "error_request_unknown_parameter": (
        AUTHORIZE,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "parameter_unknown",
    ),
    "error_request_without_code": (
        SALE,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "invalid_request_error",
    ),
    "error_request_no_such_method": (
        SALE,
        Reason.INVALID_REQUEST,
        Advice.OTHER_METHOD,
        "resource_missing",
    ),
    "error_request_no_such_payment": (
        CAPTURE,
        Reason.INVALID_REQUEST,
        Advice.OTHER_METHOD,
        "resource_missing",
    ),
    "error_request_amount_too_small": (
        SALE,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "amount_too_small",
    ),
    "error_request_amount_too_large": (
        SALE,
        Reason.LIMIT_EXCEEDED,
        Advice.NEVER,
        "amount_too_large",
    ),
    "error_request_token_used": (
        SALE,
        Reason.INVALID_REQUEST,
        Advice.OTHER_METHOD,
        "token_already_used",
    ),
    "error_request_unexpected_state": (
        CAPTURE,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "payment_intent_unexpected_state",
    ),
    "error_request_already_refunded": (
        GIVE_BACK,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "charge_already_refunded",
    ),
    "error_request_refund_too_large": (
        GIVE_BACK,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "invalid_request_error",
    ),
    "error_request_refund_disputed": (
        GIVE_BACK,
        Reason.INVALID_REQUEST,
        Advice.NEVER,
        "charge_disputed",
    ),
    "error_request_balance_insufficient": (
        GIVE_BACK,
        Reason.INSUFFICIENT_FUNDS,
        Advice.RETRY_LATER,
        "balance_insufficient",
    ),
    "error_unrecognized_url": (SALE, Reason.INVALID_REQUEST, Advice.NEVER, "invalid_request_error"),
    "error_unauthorized": (
        SALE,
        Reason.PROVIDER_FAULT,
        Advice.RETRY_LATER,
        "invalid_request_error",
    ),
    "error_key_expired": (SALE, Reason.PROVIDER_FAULT, Advice.RETRY_LATER, "api_key_expired"),
    "error_forbidden": (
        CAPTURE,
        Reason.PROVIDER_FAULT,
        Advice.RETRY_LATER,
        "invalid_request_error",
    ),
}
"""Which recorded errors are a sure no to the first try, and why."""

LISTS = {
    "list_with_our_refund",
    "list_without_our_refund",
    "list_with_our_refund_twice",
    "list_with_more_pages",
    "search_found",
    "search_empty",
}


def asked(name: str, operation: Operation, *, in_doubt: bool = False) -> Answer:
    """What the recorded answer of this name means to the ask it belongs to."""
    answer = sample(name)
    return translate.answer_to(ask_for(operation), answer.status, answer.body, in_doubt=in_doubt)
