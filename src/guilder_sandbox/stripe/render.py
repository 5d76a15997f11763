"""Stripe's JSON shapes, made from what is remembered."""

from guilder_sandbox.stripe.cards import GENERIC, Card, Decline, find_card
from guilder_sandbox.stripe.currencies import from_iso, tariff_fee, to_iso
from guilder_sandbox.stripe.model import (
    Attempt,
    Endpoint,
    Intent,
    Refund,
    charge_id,
    charge_transaction_id,
    refund_transaction_id,
)
from guilder_sandbox.stripe.refusals import DOCS

Shape = dict[str, object]

AUTHORIZATION_SECONDS = 7 * 86_400
AVAILABLE_SECONDS = 2 * 86_400
NOBODY: Shape = {
    "address": {
        "city": None,
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    },
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}


def intent_shape(intent: Intent) -> Shape:
    """The payment intent with references; `expand` puts things in their place."""
    last = intent.last()
    failed = last is not None and last.state == "failed"
    live = intent.live()
    held = live is not None and live.state == "authorized"
    automatic = intent.automatic_methods
    return {
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": live.amount if live is not None and held else 0,
        "amount_details": {"tip": {}},
        "amount_received": live.captured if live is not None else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": (
            None if automatic is None else {"allow_redirects": automatic, "enabled": True}
        ),
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "client_secret": f"{intent.id}_secret_{intent.id[5:17]}",
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": intent.customer,
        "description": intent.description,
        "last_payment_error": _last_error(intent, last) if last is not None and failed else None,
        "latest_charge": None if last is None else charge_id(intent, last),
        "livemode": False,
        "metadata": intent.metadata,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": intent.method,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": intent.method_types,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent.suffix,
        "status": intent.status,
        "transfer_data": None,
        "transfer_group": None,
    }


def charge_shape(intent: Intent, attempt: Attempt) -> Shape:
    decline = decline_of(attempt)
    paid = attempt.state in {"authorized", "captured", "released"}
    captured = attempt.state == "captured"
    back = attempt.refunded + attempt.released()
    status = "failed" if attempt.state == "failed" else "succeeded" if paid else "pending"
    return {
        "id": charge_id(intent, attempt),
        "object": "charge",
        "amount": attempt.amount,
        "amount_captured": attempt.captured,
        "amount_refunded": back,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": charge_transaction_id(intent, attempt) if captured else None,
        "billing_details": NOBODY,
        "calculated_statement_descriptor": "GUILDER SANDBOX",
        "captured": captured,
        "created": attempt.at,
        "currency": intent.currency,
        "customer": intent.customer,
        "description": intent.description,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if decline is None else decline.code,
        "failure_message": None if decline is None else decline.message,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent.metadata if attempt.metadata is None else attempt.metadata,
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent.id,
        "payment_method": attempt.method,
        "payment_method_details": {"card": _card_details(attempt), "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": back == attempt.amount and paid,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent.suffix,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def refund_shape(refund: Refund) -> Shape:
    card: Shape = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
    if refund.reference is not None:
        card.update(reference=refund.reference, reference_status="available")
    card["type"] = "refund"
    shape: Shape = {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": refund_transaction_id(refund),
        "charge": refund.charge_id,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": {"card": card, "type": "card"},
        "metadata": refund.metadata,
        "payment_intent": refund.intent_id,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }
    if refund.failure_reason is not None:
        shape["failure_reason"] = refund.failure_reason
    return shape


def method_shape(method: str, card: Card, *, at: int) -> Shape:
    return {
        "id": method,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": NOBODY,
        "card": {
            "brand": card.brand,
            "country": card.country,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": card.fingerprint,
            "funding": card.funding,
            "last4": card.last4,
        },
        "created": at,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def charge_transaction_shape(intent: Intent, attempt: Attempt) -> Shape:
    """The effect of a capture on the balance, less the tariff's fee."""
    gross = to_iso(attempt.captured, intent.currency)
    return transaction_shape(
        charge_transaction_id(intent, attempt),
        source=charge_id(intent, attempt),
        kind="charge",
        at=attempt.at,
        currency=intent.currency,
        amounts=(attempt.captured, from_iso(tariff_fee(gross), intent.currency)),
    )


def refund_transaction_shape(refund: Refund) -> Shape:
    """The effect of a refund on the balance; the fee of the capture is not given back."""
    return transaction_shape(
        refund_transaction_id(refund),
        source=refund.id,
        kind="refund",
        at=refund.created,
        currency=refund.currency,
        amounts=(-refund.amount, 0),
    )


def transaction_shape(
    id: str,
    *,
    source: str,
    kind: str,
    at: int,
    currency: str,
    amounts: tuple[int, int],
) -> Shape:
    """A balance transaction; `amounts` are gross and fee in Stripe's units."""
    gross, fee = amounts
    description = "Payment processing fees of the sandbox"
    detail: Shape = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": gross,
        "available_on": at + AVAILABLE_SECONDS,
        "created": at,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": gross - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def endpoint_shape(endpoint: Endpoint, *, with_secret: bool) -> Shape:
    shape: Shape = {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": endpoint.created,
        "description": endpoint.description,
        "enabled_events": endpoint.enabled_events,
        "livemode": False,
        "metadata": endpoint.metadata,
        "status": "disabled" if endpoint.disabled else "enabled",
        "url": endpoint.url,
    }
    if with_secret:
        shape["secret"] = endpoint.secret
    return shape


def decline_of(attempt: Attempt) -> Decline | None:
    """Why the attempt failed, or None when it did not."""
    if attempt.state != "failed":
        return None
    card = find_card(attempt.card)
    return card.decline if card is not None and card.decline is not None else GENERIC


def error_shape(intent: Intent, attempt: Attempt, decline: Decline) -> Shape:
    """A decline as `error` and as `last_payment_error` say it, without the payment intent."""
    shape: Shape = {"charge": charge_id(intent, attempt), "code": decline.code}
    shape["decline_code"] = decline.decline_code
    shape["doc_url"] = DOCS + decline.code.replace("_", "-")
    shape["message"] = decline.message
    if decline.param is not None:
        shape["param"] = decline.param
    if decline.advice is not None:
        shape["advice_code"] = decline.advice
    card = find_card(attempt.card)
    if card is not None:
        shape["payment_method"] = method_shape(attempt.method, card, at=attempt.at)
    shape["type"] = "card_error"
    return shape


def _last_error(intent: Intent, attempt: Attempt) -> Shape | None:
    decline = decline_of(attempt)
    return None if decline is None else error_shape(intent, attempt, decline)


def _outcome(decline: Decline | None) -> Shape:
    if decline is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "The payment went through.",
            "type": "authorized",
        }
    blocked = decline.decline_code == "fraudulent"
    return {
        "advice_code": decline.advice,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else decline.decline_code,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 92 if blocked else 12,
        "seller_message": "The payment was blocked." if blocked else "The bank said no.",
        "type": "blocked" if blocked else "issuer_declined",
    }


def _card_details(attempt: Attempt) -> Shape:
    card = find_card(attempt.card)
    if card is None:
        return {"brand": "unknown", "last4": None}
    return {
        "amount_authorized": attempt.amount,
        "authorization_code": None if attempt.state == "failed" else "123456",
        "brand": card.brand,
        "capture_before": (
            attempt.at + AUTHORIZATION_SECONDS if attempt.state == "authorized" else None
        ),
        "checks": {"address_line1_check": None, "address_postal_code_check": None}
        | {"cvc_check": "pass"},
        "country": card.country,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": card.brand,
        "three_d_secure": None,
        "wallet": None,
    }
