"""Charge a card for a payment intent: the one place where the bank says yes, no, or later."""

import msgspec

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.cards import Card, Decline, card_of_number, find_card
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.form import Form
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import Attempt, Intent, charge_id, new_token
from guilder_sandbox.stripe.refusals import DOCS, Refused, invalid, missing
from guilder_sandbox.stripe.render import decline_of, error_shape, intent_shape

PROCESSING_MS = 2_000  # How long a slow method takes to say how it ended.


class Source(msgspec.Struct):
    """What pays: a card by its name here, and the id of a payment method made from it."""

    card: str
    method: str


def source_in(form: Form) -> Source | None:
    """The payment method that a request brings, or None when it brings none."""
    name = params.text(form, "payment_method")
    if name is not None:
        card = find_card(name)
        if card is None:
            raise missing("PaymentMethod", name, param="payment_method", status=400)
        return _source(card)
    details = params.nested(form, "payment_method_data")
    if not details:
        return None
    if params.required_text(details, "type") != "card":
        raise invalid("The sandbox takes cards only", param="payment_method_data[type]")
    return _source(_card_in(params.nested(details, "card")))


def charge(desk: Desk, later: Later, call: Call | None, intent: Intent) -> Refused | None:
    """Charge the intent's card now; return the decline to answer, or None when it went well.

    The caller has set the card and the method, and has not yet saved the intent.
    """
    assert intent.card is not None, "a charge needs a card"
    assert intent.method is not None, "a charge needs a payment method"
    card = find_card(intent.card)
    assert card is not None, "the cards of the table stay in it"
    attempt = Attempt(
        number=len(intent.attempts) + 1,
        at=desk.clock.seconds(),
        card=intent.card,
        method=intent.method,
        amount=intent.amount,
        state="pending",
    )
    intent.attempts = [*intent.attempts, attempt]
    if card.behaviour in {"processing", "processing_fails"}:
        intent.status = "processing"
        snapshot = desk.save_intent(intent)
        desk.tell("payment_intent.processing", about=intent.id, snapshot=snapshot, call=call)
        later.schedule("conclude_intent", intent.seq, after_ms=PROCESSING_MS)
        return None
    return conclude(desk, call, intent, attempt, declined=card.decline is not None)


def conclude(
    desk: Desk, call: Call | None, intent: Intent, attempt: Attempt, *, declined: bool
) -> Refused | None:
    """The bank has spoken: book it and tell it."""
    if declined:
        return _fail(desk, call, intent, attempt)
    manual = intent.capture_method == "manual"
    attempt.state = "authorized" if manual else "captured"
    attempt.captured = 0 if manual else attempt.amount
    intent.status = "requires_capture" if manual else "succeeded"
    snapshot = desk.save_intent(intent)
    charged, amount = (intent, attempt), attempt.amount
    desk.move("authorization", call, charged, amount=amount, state="succeeded")
    if not manual:
        desk.move("capture", call, charged, amount=amount, state="succeeded")
    about = charge_id(intent, attempt)
    outcome = "amount_capturable_updated" if manual else "succeeded"
    desk.tell("charge.succeeded", about=about, snapshot=snapshot, call=call)
    desk.tell(f"payment_intent.{outcome}", about=intent.id, snapshot=snapshot, call=call)
    return None


def _fail(desk: Desk, call: Call | None, intent: Intent, attempt: Attempt) -> Refused | None:
    attempt.state = "failed"
    intent.status = "requires_payment_method"
    intent.method = None
    snapshot = desk.save_intent(intent)
    charged = (intent, attempt)
    desk.move("authorization", call, charged, amount=attempt.amount, state="declined")
    about = charge_id(intent, attempt)
    desk.tell("charge.failed", about=about, snapshot=snapshot, call=call)
    desk.tell("payment_intent.payment_failed", about=intent.id, snapshot=snapshot, call=call)
    decline = decline_of(attempt)
    assert decline is not None, "a failed attempt has its reason"
    error = error_shape(intent, attempt, decline)
    error["payment_intent"] = intent_shape(intent)
    return Refused(402, error, remembered=True)


def _source(card: Card) -> Source:
    return Source(card.name, f"pm_1{new_token(0)[2:]}")


def _card_in(details: Form) -> Card:
    """The card with the number sent; refused at once when it is no test card."""
    token = params.text(details, "token")
    if token is not None:
        card = find_card(token)
        if card is None:
            raise missing("token", token, param="payment_method_data[card][token]", status=400)
        return card
    number = params.required_text(details, "number").replace(" ", "")
    found = card_of_number(number)
    if isinstance(found, Decline):
        error: dict[str, object] = {
            "code": found.code,
            "decline_code": found.decline_code,
            "doc_url": DOCS + found.code.replace("_", "-"),
            "message": found.message,
            "type": "card_error",
        }
        if found.param is not None:
            error["param"] = found.param
        raise Refused(402, error, remembered=True)
    return found
