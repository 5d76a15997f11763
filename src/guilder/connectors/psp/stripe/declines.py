"""Stripe's words for no, and ours; what is not listed is still a no, for no special reason."""

# Sources: https://docs.stripe.com/declines/codes, https://docs.stripe.com/error-codes and the
# refund object's failure_reason at https://docs.stripe.com/api/refunds/object.

import re

from guilder.connectors.psp.contract import Advice, Decline, Reason
from guilder.connectors.psp.stripe.body import Body, word

CODE = re.compile(r"[a-z0-9_]{1,80}")
UNREADABLE = "unreadable"

_MEANINGS: dict[tuple[Reason, Advice], str] = {
    (Reason.AUTHENTICATION_REQUIRED, Advice.AUTHENTICATE): """
        authentication_required mobile_device_authentication_required
        payment_intent_action_required""",
    (Reason.AUTHENTICATION_REQUIRED, Advice.OTHER_METHOD): """
        offline_pin_required online_or_offline_pin_required payment_intent_authentication_failure
        setup_intent_authentication_failure""",
    (Reason.EXPIRED_CARD, Advice.OTHER_METHOD): """
        expired_card invalid_expiry_month invalid_expiry_year new_account_information_available""",
    (Reason.GENERIC_DECLINE, Advice.NEVER): """
        do_not_try_again duplicate_transaction payment_method_customer_decline
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order""",
    (Reason.GENERIC_DECLINE, Advice.OTHER_METHOD): """
        call_issuer card_declined do_not_honor generic_decline incorrect_address incorrect_pin
        incorrect_zip invalid_pin no_action_taken payment_intent_payment_attempt_expired
        payment_intent_payment_attempt_failed payment_method_provider_decline""",
    (Reason.GENERIC_DECLINE, Advice.RETRY_LATER): "approve_with_id try_again_later",
    (Reason.INCORRECT_CVC, Advice.OTHER_METHOD): "incorrect_cvc invalid_cvc",
    (Reason.INCORRECT_NUMBER, Advice.OTHER_METHOD): """
        incorrect_number invalid_account invalid_number""",
    (Reason.INSUFFICIENT_FUNDS, Advice.OTHER_METHOD): "insufficient_funds",
    (Reason.INSUFFICIENT_FUNDS, Advice.RETRY_LATER): "balance_insufficient",
    (Reason.INVALID_REQUEST, Advice.OTHER_METHOD): """
        invalid_source_usage payment_method_billing_details_address_missing
        payment_method_invalid_parameter payment_method_invalid_parameter_testmode
        payment_method_unactivated payment_method_unexpected_state resource_missing
        token_already_used token_in_use""",
    (Reason.LIMIT_EXCEEDED, Advice.NEVER): "amount_too_large charge_exceeds_source_limit",
    (Reason.LIMIT_EXCEEDED, Advice.OTHER_METHOD): """
        card_velocity_exceeded invalid_amount pin_try_exceeded withdrawal_count_limit_exceeded""",
    (Reason.LIMIT_EXCEEDED, Advice.RETRY_LATER): "card_decline_rate_limit_exceeded",
    (Reason.LOST_OR_STOLEN, Advice.NEVER): "lost_card pickup_card stolen_card",
    (Reason.NOT_SUPPORTED, Advice.OTHER_METHOD): """
        card_not_supported currency_not_supported invalid_card_type not_permitted
        payment_intent_incompatible_payment_method payment_method_currency_mismatch
        payment_method_not_available payment_method_unsupported_type restricted_card
        service_not_allowed test_mode_live_card testmode_decline token_card_network_invalid
        transaction_not_allowed""",
    (Reason.PROVIDER_FAULT, Advice.RETRY_LATER): """
        account_invalid api_key_expired issuer_not_available livemode_mismatch
        payment_method_provider_timeout platform_account_required platform_api_key_expired
        processing_error reenter_transaction secret_key_required testmode_charges_only
        tls_version_unsupported""",
    (Reason.SUSPECTED_FRAUD, Advice.NEVER): "fraudulent merchant_blacklist",
    (Reason.SUSPECTED_FRAUD, Advice.OTHER_METHOD): "security_violation",
}

MEANINGS: dict[str, tuple[Reason, Advice]] = {
    code: meaning for meaning, codes in _MEANINGS.items() for code in codes.split()
}
"""Decline codes, and the error codes that can stand in their place, with our reason and advice."""

ADVICE = {
    "confirm_card_data": Advice.OTHER_METHOD,
    "do_not_try_again": Advice.NEVER,
    "try_again_later": Advice.RETRY_LATER,
}
"""The issuer's own advice, when it gives one."""

REFUND_FAILURES: dict[str, tuple[Reason, Advice]] = {
    "charge_for_pending_refund_disputed": (Reason.INVALID_REQUEST, Advice.NEVER),
    "declined": (Reason.GENERIC_DECLINE, Advice.OTHER_METHOD),
    "expired_or_canceled_card": (Reason.EXPIRED_CARD, Advice.OTHER_METHOD),
    "insufficient_funds": (Reason.INSUFFICIENT_FUNDS, Advice.RETRY_LATER),
    "lost_or_stolen_card": (Reason.LOST_OR_STOLEN, Advice.OTHER_METHOD),
    "merchant_request": (Reason.GENERIC_DECLINE, Advice.NEVER),
    "unknown": (Reason.GENERIC_DECLINE, Advice.OTHER_METHOD),
}
"""Why a refund failed after it was accepted; another method then means another way to pay back."""


def card_decline(error: Body) -> Decline:
    """What a card error, or a payment's last error, says."""
    code = _code(error, "code") or ""
    raw = _code(error, "decline_code") or code
    reason, advice = MEANINGS.get(raw) or MEANINGS.get(code) or MEANINGS["generic_decline"]
    return Decline(reason, _advised(error, advice), raw or UNREADABLE)


def refusal(error: Body) -> Decline:
    """What an error about the request itself says."""
    code = _code(error, "code") or word(error, "type") or UNREADABLE
    reason, advice = MEANINGS.get(code, (Reason.INVALID_REQUEST, Advice.NEVER))
    return Decline(reason, advice, code)


def refund_failure(refund: Body) -> Decline:
    """Why a refund did not go through; a canceled one gives no reason."""
    raw = _code(refund, "failure_reason") or _code(refund, "status") or UNREADABLE
    reason, advice = REFUND_FAILURES.get(raw, (Reason.GENERIC_DECLINE, Advice.OTHER_METHOD))
    return Decline(reason, advice, raw)


def _code(body: Body, name: str) -> str | None:
    """A code as they write codes; anything else might be a text for people, or worse."""
    found = word(body, name)
    return found if found is not None and CODE.fullmatch(found) else None


def _advised(error: Body, advice: Advice) -> Advice:
    """The issuer's advice goes before ours, but softens neither a never nor a challenge."""
    if advice in {Advice.NEVER, Advice.AUTHENTICATE}:
        return advice
    return ADVICE.get(word(error, "advice_code") or "", advice)
