"""What can be done to a payment intent: create, confirm, capture, cancel."""

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.charging import Source, charge, conclude, source_in
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.form import Form, words
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import Attempt, Intent, charge_id
from guilder_sandbox.stripe.refusals import Refused, invalid, missing, refused
from guilder_sandbox.stripe.render import intent_shape
from guilder_sandbox.stripe.shown import show_intent
from guilder_sandbox.wire import Answer

CREATE_PARAMS = words(
    "amount currency payment_method payment_method_data payment_method_types confirm capture_method"
    " metadata description statement_descriptor statement_descriptor_suffix off_session return_url"
    " error_on_requires_action automatic_payment_methods confirmation_method customer expand"
    " receipt_email setup_future_usage shipping payment_method_options mandate mandate_data"
    " on_behalf_of transfer_data transfer_group application_fee_amount radar_options"
    " use_stripe_sdk payment_method_configuration amount_details payment_details"
)
CONFIRM_PARAMS = words(
    "payment_method payment_method_data payment_method_types capture_method off_session return_url"
    " error_on_requires_action expand receipt_email setup_future_usage shipping mandate"
    " mandate_data payment_method_options radar_options use_stripe_sdk amount_details"
)
CAPTURE_PARAMS = words(
    "amount_to_capture metadata expand final_capture statement_descriptor application_fee_amount"
    " statement_descriptor_suffix transfer_data amount_details"
)
CANCEL_PARAMS = frozenset(("cancellation_reason", "expand"))
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
ONLY_WITH_CONFIRM = ("off_session", "return_url", "error_on_requires_action", "mandate")


def create(desk: Desk, later: Later, call: Call) -> Answer:
    params.allow_only(call.form, CREATE_PARAMS)
    confirm = params.boolean(call.form, "confirm")
    if not confirm:
        _refuse_what_needs_confirm(call.form)
    intent = _new_intent(desk, call.form)
    if confirm:
        _need_a_way_back(call.form, intent)
    source = source_in(call.form)
    intent.seq, intent.id = desk.new_id("pi_", "stripe_intent")
    if source is not None:
        _take(intent, source)
        intent.status = "requires_confirmation"
    snapshot = desk.save_intent(intent)
    desk.index_metadata(intent)
    desk.tell("payment_intent.created", about=intent.id, snapshot=snapshot, call=call)
    if confirm:
        return _confirm_now(desk, later, call, intent)
    return show_intent(desk, intent, call)


def confirm(desk: Desk, later: Later, call: Call) -> Answer:
    params.allow_only(call.form, CONFIRM_PARAMS)
    intent = _intent_of(desk, call)
    if intent.status not in {"requires_payment_method", "requires_confirmation"}:
        raise _unexpected(intent, "confirm")
    source = source_in(call.form)
    method = params.choice(call.form, "capture_method", CAPTURE_METHODS)
    _need_a_way_back(call.form, intent)
    if source is not None:
        _take(intent, source)
    if method is not None:
        intent.capture_method = method
    return _confirm_now(desk, later, call, intent)


def capture(desk: Desk, later: Later, call: Call) -> Answer:
    del later  # Captures of cards end at once.
    params.allow_only(call.form, CAPTURE_PARAMS)
    if call.form.get("final_capture", "true") != "true":
        raise invalid("The sandbox captures a payment once", param="final_capture")
    intent = _intent_of(desk, call)
    attempt = intent.live()
    ready = intent.status == "requires_capture" or (call.lenient and intent.status == "succeeded")
    if attempt is None or not ready:
        raise _unexpected(intent, "capture")
    amount = params.amount(call.form, "amount_to_capture", of_currency=intent.currency)
    if amount is None:
        amount = attempt.amount
    if amount > attempt.amount and not call.lenient:
        raise refused(
            f"The amount is above the {attempt.amount} that can be captured.",
            param="amount_to_capture",
            code="amount_too_large",
            about=intent_shape(intent),
        )
    attempt.captured += amount
    attempt.state = "captured"
    intent.status = "succeeded"
    _set_metadata(desk, call, intent)
    snapshot = desk.save_intent(intent)
    desk.move("capture", call, (intent, attempt), amount=amount, state="succeeded")
    about = charge_id(intent, attempt)
    desk.tell("charge.captured", about=about, snapshot=snapshot, call=call)
    desk.tell("payment_intent.succeeded", about=intent.id, snapshot=snapshot, call=call)
    return show_intent(desk, intent, call)


def cancel(desk: Desk, later: Later, call: Call) -> Answer:
    del later  # Voids of cards end at once.
    params.allow_only(call.form, CANCEL_PARAMS)
    reason = params.choice(call.form, "cancellation_reason", CANCEL_REASONS)
    intent = _intent_of(desk, call)
    if intent.status in {"succeeded", "canceled", "processing"} and not call.lenient:
        raise _unexpected(intent, "cancel")
    attempt = intent.live()
    intent.status = "canceled"
    intent.canceled_at = desk.clock.seconds()
    intent.cancellation_reason = reason
    if attempt is not None and attempt.state == "authorized":
        attempt.state = "released"
    snapshot = desk.save_intent(intent)
    if attempt is not None:
        _release(desk, call, intent, attempt, snapshot)
    desk.tell("payment_intent.canceled", about=intent.id, snapshot=snapshot, call=call)
    return show_intent(desk, intent, call)


def conclude_slowly(desk: Desk, seq: int) -> None:
    """A payment that was processing comes to its end."""
    intent = desk.intent_at(seq)
    if intent is None or intent.status != "processing":
        return
    attempt = intent.attempts[-1]
    conclude(desk, None, intent, attempt, declined=attempt.card.endswith("ThenFails"))


def _new_intent(desk: Desk, form: Form) -> Intent:
    currency = params.currency(form) if "currency" in form else None
    amount = params.amount(form, "amount", of_currency=currency or "usd")
    if amount is None:
        raise params.parameter_missing("amount")
    if currency is None:
        raise params.parameter_missing("currency")
    method_types = params.texts(form, "payment_method_types")
    redirects = _automatic_methods(form, method_types)
    if method_types and "card" not in method_types:
        raise invalid("The sandbox takes cards only", param="payment_method_types")
    return Intent(
        seq=0,
        id="",
        created=desk.clock.seconds(),
        amount=amount,
        currency=currency,
        status="requires_payment_method",
        capture_method=(
            params.choice(form, "capture_method", CAPTURE_METHODS) or "automatic_async"
        ),
        method_types=method_types or ["card"],
        metadata=params.merge({}, params.metadata(form)),
        description=params.text(form, "description"),
        suffix=params.text(form, "statement_descriptor_suffix"),
        customer=params.text(form, "customer"),
        automatic_methods=redirects,
    )


def _automatic_methods(form: Form, method_types: list[str]) -> str | None:
    """Without a list of types, the account's own methods are used, some of which redirect."""
    asked = params.nested(form, "automatic_payment_methods")
    enabled = params.boolean(asked, "enabled")
    if method_types:
        if enabled:
            raise invalid(
                "payment_method_types and automatic_payment_methods exclude each other",
                param="automatic_payment_methods",
                code="parameters_exclusive",
            )
        return None
    return params.choice(asked, "allow_redirects", ("always", "never")) or "always"


def _refuse_what_needs_confirm(form: Form) -> None:
    for name in ONLY_WITH_CONFIRM:
        if name in form:
            raise invalid(f"{name} can only be sent together with confirm=true", param=name)


def _need_a_way_back(form: Form, intent: Intent) -> None:
    if intent.automatic_methods == "always" and params.text(form, "return_url") is None:
        raise invalid(
            "The methods enabled for this account may send the payer away, so a return_url is"
            " needed; or name payment_method_types, or forbid it with"
            " automatic_payment_methods[allow_redirects]=never.",
            param="return_url",
        )


def _take(intent: Intent, source: Source) -> None:
    intent.card, intent.method = source.card, source.method


def _confirm_now(desk: Desk, later: Later, call: Call, intent: Intent) -> Answer:
    if intent.method is None:
        raise refused(
            "There is no payment method to confirm this PaymentIntent with.",
            code="payment_intent_unexpected_state",
            about=intent_shape(intent),
        )
    declined = charge(desk, later, call, intent)
    if declined is not None:
        raise declined
    return show_intent(desk, intent, call)


def _release(desk: Desk, call: Call, intent: Intent, attempt: Attempt, snapshot: bytes) -> None:
    """A void is the release of the whole hold; Stripe tells it as a refunded charge as well."""
    desk.move("void", call, (intent, attempt), amount=attempt.amount, state="succeeded")
    about = charge_id(intent, attempt)
    desk.tell("charge.refunded", about=about, snapshot=snapshot, call=call)


def _set_metadata(desk: Desk, call: Call, intent: Intent) -> None:
    """Metadata sent with a capture becomes the intent's; the charge keeps what it had."""
    sent = params.metadata(call.form)
    if not sent:
        return
    for attempt in intent.attempts:
        if attempt.metadata is None:
            attempt.metadata = intent.metadata
    intent.metadata = params.merge(intent.metadata, sent)
    desk.index_metadata(intent)


def _intent_of(desk: Desk, call: Call) -> Intent:
    intent = desk.find_intent(call.id)
    if intent is None:
        raise missing("payment_intent", call.id, param="intent", status=404)
    return intent


def _unexpected(intent: Intent, verb: str) -> Refused:
    return refused(
        f"This PaymentIntent's status is {intent.status}, so it is too early or too late to"
        f" {verb} it.",
        code="payment_intent_unexpected_state",
        about=intent_shape(intent),
    )
