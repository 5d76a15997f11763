"""Refunds: of a captured charge, up to what was captured, in as many parts as wanted."""

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.cards import find_card
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.form import Form, words
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import Attempt, Intent, Refund, charge_id, new_token, seq_of
from guilder_sandbox.stripe.refusals import invalid, missing, refused
from guilder_sandbox.stripe.shown import show_refund
from guilder_sandbox.wire import Answer

REFUND_PARAMS = words(
    "amount charge payment_intent reason metadata expand refund_application_fee reverse_transfer"
    " instructions_email origin customer currency"
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
SLOW_REFUND_MS = 2_000


def create_refund(desk: Desk, later: Later, call: Call) -> Answer:
    params.allow_only(call.form, REFUND_PARAMS)
    reason = params.choice(call.form, "reason", REASONS)
    metadata = params.merge({}, params.metadata(call.form))
    intent, attempt = _captured_charge(desk, call.form)
    amount = _refundable_amount(call, intent, attempt)
    attempt.refunded += amount
    packed = desk.save_intent(intent)
    seq, refund_id = desk.new_id("re_", "stripe_refund")
    state = "pending" if _how(attempt) == "refund_pending" else "succeeded"
    charged = (intent, attempt)
    movement = desk.move("refund", call, charged, amount=amount, state=state, ref=refund_id)
    refund = Refund(
        seq=seq,
        id=refund_id,
        created=desk.clock.seconds(),
        amount=amount,
        currency=intent.currency,
        intent_seq=intent.seq,
        intent_id=intent.id,
        charge_id=charge_id(intent, attempt),
        attempt=attempt.number,
        status=state,
        reason=reason,
        metadata=metadata,
        movement=movement,
    )
    _tell(desk, later, call, refund, packed)
    return show_refund(desk, refund, call)


def find_charge(desk: Desk, id: str) -> tuple[Intent, Attempt] | None:
    """The charge of this id, with its intent, or None."""
    seq = seq_of(id, "ch_")
    intent = None if seq is None else desk.intent_at(seq)
    if intent is None:
        return None
    return next(((intent, a) for a in intent.attempts if charge_id(intent, a) == id), None)


def refund_subject(desk: Desk, form: Form) -> Intent | None:
    """The payment intent that a refund is about, or None when it names none that exists."""
    intent_id = params.text(form, "payment_intent")
    if intent_id is not None:
        return desk.find_intent(intent_id)
    found = find_charge(desk, params.text(form, "charge") or "")
    return None if found is None else found[0]


def settle_slowly(desk: Desk, seq: int) -> None:
    """A refund that was on its way arrives, or comes back."""
    refund = desk.refund_at(seq)
    intent = None if refund is None else desk.intent_at(refund.intent_seq)
    if refund is None or intent is None or refund.failure_reason is not None:
        return
    attempt = intent.attempts[refund.attempt - 1]
    fails = _how(attempt) == "refund_fails"
    refund.status = "failed" if fails else "succeeded"
    movement = desk.book.load(refund.movement)
    movement.state = refund.status
    desk.book.record(movement)
    if fails:
        refund.failure_reason = "expired_or_canceled_card"
        attempt.refunded -= refund.amount
        desk.save_intent(intent)
    else:
        refund.reference = new_token(seq)[2:14]
    snapshot = desk.save_refund(refund)
    type_name = "refund.failed" if fails else "refund.updated"
    desk.tell(type_name, about=refund.id, snapshot=snapshot, call=None)


def _captured_charge(desk: Desk, form: Form) -> tuple[Intent, Attempt]:
    intent_id, charge_ref = params.text(form, "payment_intent"), params.text(form, "charge")
    if intent_id is not None:
        intent = desk.find_intent(intent_id)
        if intent is None:
            raise missing("payment_intent", intent_id, param="payment_intent", status=404)
        attempt = intent.live()
    elif charge_ref is not None:
        found = find_charge(desk, charge_ref)
        if found is None:
            raise missing("charge", charge_ref, param="charge", status=404)
        intent, attempt = found
    else:
        raise invalid(
            "A payment_intent or a charge is needed.", param="charge", code="parameter_missing"
        )
    if attempt is None or attempt.state in {"failed", "pending"}:
        raise refused(f"The PaymentIntent {intent.id} has no successful charge to refund.")
    if attempt.state == "authorized":
        raise refused(f"The charge was not captured; cancel the PaymentIntent {intent.id} instead.")
    return intent, attempt


def _refundable_amount(call: Call, intent: Intent, attempt: Attempt) -> int:
    left = attempt.captured - attempt.refunded
    asked = params.amount(call.form, "amount", of_currency=intent.currency)
    if call.lenient:
        return asked or max(left, attempt.captured)
    if left <= 0:
        raise refused(
            f"The charge {charge_id(intent, attempt)} has been refunded already.",
            code="charge_already_refunded",
        )
    if asked is not None and asked > left:
        raise refused(f"The refund of {asked} is above the {left} that are left.", param="amount")
    return left if asked is None else asked


def _tell(desk: Desk, later: Later, call: Call, refund: Refund, charge_snapshot: bytes) -> None:
    """At once: created and refunded. For a card of the quick kind, its reference as well."""
    snapshot = desk.save_refund(refund)
    desk.tell("refund.created", about=refund.id, snapshot=snapshot, call=call)
    desk.tell("charge.refunded", about=refund.charge_id, snapshot=charge_snapshot, call=call)
    intent = desk.intent_at(refund.intent_seq)
    assert intent is not None, "the intent was refunded a moment ago"
    if _how(intent.attempts[refund.attempt - 1]) in {"refund_pending", "refund_fails"}:
        later.schedule("settle_refund", refund.seq, after_ms=SLOW_REFUND_MS)
        return
    refund.reference = new_token(refund.seq)[2:14]
    snapshot = desk.save_refund(refund)
    desk.tell("refund.updated", about=refund.id, snapshot=snapshot, call=None)


def _how(attempt: Attempt) -> str:
    card = find_card(attempt.card)
    return "plain" if card is None else card.behaviour
