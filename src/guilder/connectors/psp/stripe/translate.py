"""Stripe's words and ours; pure, total and modest: what is not understood is UNKNOWN."""

from guilder.connectors.psp.contract import (
    Advice,
    Answer,
    Ask,
    Card,
    Decline,
    Operation,
    Reason,
    Verdict,
)
from guilder.connectors.psp.stripe.amounts import from_theirs, to_theirs
from guilder.connectors.psp.stripe.body import Body, part, parts, reference, whole, word
from guilder.connectors.psp.stripe.declines import card_decline, refund_failure, refusal
from guilder.kernel.money import Money

Fields = list[tuple[str, str]]

ATTEMPT = "guilder_attempt"
"""The metadata key under which a payment or a refund there carries the attempt that made it."""

CAPTURE = "guilder_capture"
"""The metadata key under which a payment there carries the attempt that captured it."""

NEW = frozenset({Operation.AUTHORIZE, Operation.SALE})
"""The operations that make a payment there; the others work on one that exists."""

DESCRIPTION_MAX, HINTS_MAX, HINT_KEY_MAX, HINT_MAX = 1000, 48, 40, 500  # What they accept.
CHARGE = ("expand[]", "latest_charge")
UNDECIDED = frozenset({"processing", "requires_action", "requires_confirmation"})
UNSURE = frozenset({"idempotency_key_in_use", "lock_timeout", "rate_limit"})
MOVED = frozenset({"processing", "requires_capture", "succeeded"})
CANCELED = Decline(Reason.GENERIC_DECLINE, Advice.NEVER, "canceled")
TAKEN = Decline(Reason.INVALID_REQUEST, Advice.NEVER, "payment_intent_unexpected_state")
CAPTURED_BEFORE = Decline(Reason.INVALID_REQUEST, Advice.NEVER, "charge_already_captured")


def fields_of(ask: Ask) -> Fields | None:
    """The form to send; `None` when they cannot say this amount of this currency exactly."""
    amount = to_theirs(ask.amount)
    if amount is None:
        return None
    name = str(ask.attempt_id)
    match ask.operation:
        case Operation.AUTHORIZE | Operation.SALE:
            return _new_payment(ask, amount)
        case Operation.CAPTURE:
            return [("amount_to_capture", str(amount)), (f"metadata[{CAPTURE}]", name), CHARGE]
        case Operation.VOID:
            return [CHARGE]
        case Operation.REFUND:
            return [
                ("payment_intent", known_payment(ask)),
                ("amount", str(amount)),
                (f"metadata[{ATTEMPT}]", name),
            ]


def known_payment(ask: Ask) -> str:
    """Their id of the payment that this attempt works on."""
    assert ask.provider_ref is not None, f"a {ask.operation} needs the provider's payment"
    return ask.provider_ref


def answer_to(ask: Ask, status: int, body: Body, *, in_doubt: bool) -> Answer:
    """What their answer to this attempt means; `in_doubt` when an earlier try may have been done.

    A card error under our idempotency key speaks for all tries. Another refusal speaks only for
    the request that got it, so after a try in doubt it is not yet a no.
    """
    if 200 <= status < 300:
        return _done(ask, body)
    error = part(body, "error")
    kind, code = word(error, "type"), word(error, "code")
    if status == 402 and kind == "card_error":
        return _card_refused(ask, error)
    if not in_doubt and kind == "invalid_request_error" and code not in UNSURE:
        if status in {400, 402, 404}:
            return Answer(Verdict.DECLINED, decline=refusal(error))
        if status in {401, 403}:
            raw = refusal(error).raw
            decline = Decline(Reason.PROVIDER_FAULT, Advice.RETRY_LATER, raw)
            return Answer(Verdict.DECLINED, decline=decline)
    return unknown(f"HTTP {status} instead of an answer")


def found_payment(ask: Ask, payment: Body) -> Answer | None:
    """What their record of the payment says of this attempt; `None` when nothing."""
    trouble = _strangeness(ask, payment)
    if trouble is not None:
        return unknown(trouble)
    if ask.operation is Operation.CAPTURE and word(payment, "status") == "succeeded":
        captor = word(part(payment, "metadata"), CAPTURE)
        if captor is not None and captor != str(ask.attempt_id):
            return Answer(Verdict.DECLINED, word(payment, "id"), decline=CAPTURED_BEFORE)
    return payment_answer(ask.operation, payment)


def found_refund(ask: Ask, page: Body) -> Answer | None:
    """What a page of the payment's refunds says of this attempt; `None` when nothing."""
    refunds = parts(page, "data")
    if refunds is None:
        return unknown("a list of refunds that is no list")
    ours = [refund for refund in refunds if _carries(refund, ask)]
    if len(ours) > 1:
        return unknown("more than one refund carries this attempt")
    return refund_answer(ask, ours[0]) if ours else None


def next_page(page: Body) -> str | None:
    """After which id the next page begins, when there is one."""
    rows = parts(page, "data")
    return word(rows[-1], "id") if rows and page.get("has_more") is True else None


def payments_found(ask: Ask, page: Body) -> list[str] | None:
    """Their ids of the payments that carry this attempt; `None` when this is no list."""
    rows = parts(page, "data")
    if rows is None:
        return None
    return [ref for row in rows if _carries(row, ask) and (ref := word(row, "id")) is not None]


def payment_answer(operation: Operation, payment: Body) -> Answer | None:
    """What their record of a payment says of one operation on it; `None` when nothing yet."""
    ref, status = word(payment, "id"), word(payment, "status")
    if status in UNDECIDED:
        return Answer(Verdict.PENDING, ref)
    if status == "canceled":
        return _canceled(operation, payment)
    match operation, status:
        case Operation.AUTHORIZE, "requires_capture":
            return _success(payment, "amount_capturable")
        case ((Operation.SALE | Operation.CAPTURE), "succeeded"):
            return _success(payment, "amount_received")
        case ((Operation.CAPTURE | Operation.VOID), "requires_capture"):
            return None
        case Operation.VOID, "succeeded":
            return Answer(Verdict.DECLINED, ref, decline=TAKEN)
        case ((Operation.AUTHORIZE | Operation.SALE), "requires_payment_method"):
            return _failed(payment, ref)
        case _:
            return unknown("a state that this operation does not lead to", ref)


def refund_answer(ask: Ask, refund: Body) -> Answer:
    """What their record of a refund says of this attempt."""
    if not _carries(refund, ask) or reference(refund, "payment_intent") != ask.provider_ref:
        return unknown("a refund that is not of this attempt")
    return refund_outcome(refund)


def refund_outcome(refund: Body) -> Answer:
    """What their record of a refund says of it."""
    ref = word(refund, "id")
    if word(refund, "object") != "refund" or ref is None:
        return unknown("not a refund")
    match word(refund, "status"):
        case "succeeded":
            amount = _money(refund, "amount")
            if amount is None:
                return unknown("a refund without an amount", ref)
            return Answer(Verdict.SUCCEEDED, ref, amount)
        case "pending" | "requires_action":
            return Answer(Verdict.PENDING, ref)
        case "failed" | "canceled":
            return Answer(Verdict.DECLINED, ref, decline=refund_failure(refund))
        case _:
            return unknown("a refund in a state that we do not know", ref)


def unknown(detail: str, ref: str | None = None) -> Answer:
    """We cannot tell, and say why, for people."""
    return Answer(Verdict.UNKNOWN, ref, detail=detail)


def _new_payment(ask: Ask, amount: int) -> Fields:
    manual = ask.operation is Operation.AUTHORIZE
    fields = [
        ("amount", str(amount)),
        ("currency", ask.amount.currency.code.lower()),
        ("payment_method", ask.token or ""),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
        ("capture_method", "manual" if manual else "automatic"),
        ("error_on_requires_action", "true"),
        CHARGE,
    ]
    if ask.description:
        fields.append(("description", ask.description[:DESCRIPTION_MAX]))
    return [*fields, *_hints(ask), (f"metadata[{ATTEMPT}]", str(ask.attempt_id))]


def _hints(ask: Ask) -> Fields:
    """The merchant's metadata as far as they take it; it never stands in the place of ours."""
    sayable = [
        (f"metadata[{key}]", value[:HINT_MAX])
        for key, value in (ask.hints or {}).items()
        if value and 0 < len(key) <= HINT_KEY_MAX and not {"[", "]"} & set(key)
        if key not in {ATTEMPT, CAPTURE}
    ]
    return sayable[:HINTS_MAX]


def _done(ask: Ask, body: Body) -> Answer:
    if "error" in body:
        return unknown("an answer and an error at once")
    if ask.operation is Operation.REFUND:
        return refund_answer(ask, body)
    trouble = _strangeness(ask, body)
    if trouble is not None:
        return unknown(trouble)
    captor = word(part(body, "metadata"), CAPTURE)
    if ask.operation is Operation.CAPTURE and captor not in {None, str(ask.attempt_id)}:
        return unknown("captured for another attempt", word(body, "id"))
    answer = payment_answer(ask.operation, body)
    return answer or unknown("accepted, and nothing was done", word(body, "id"))


def _card_refused(ask: Ask, error: Body) -> Answer:
    payment = part(error, "payment_intent")
    if not payment:
        return Answer(Verdict.DECLINED, decline=card_decline(error))
    trouble = _strangeness(ask, payment)
    if trouble is None and ask.operation in NEW and word(payment, "status") in MOVED:
        trouble = "declined, and yet the payment goes on"
    if trouble is not None:
        return unknown(trouble, ask.provider_ref)
    return Answer(Verdict.DECLINED, word(payment, "id"), decline=card_decline(error))


def _strangeness(ask: Ask, payment: Body) -> str | None:
    """Why this is not the payment of this attempt; `None` when it is."""
    ref = word(payment, "id")
    if word(payment, "object") != "payment_intent" or ref is None:
        return "not a payment"
    if ask.provider_ref is not None and ref != ask.provider_ref:
        return "another payment than the one asked about"
    if ask.operation in NEW and not _carries(payment, ask):
        return "a payment that is not of this attempt"
    owner = reference(part(payment, "latest_charge"), "payment_intent")
    return "a payment with the charge of another" if owner not in {None, ref} else None


def _carries(made: Body, ask: Ask) -> bool:
    return word(part(made, "metadata"), ATTEMPT) == str(ask.attempt_id)


def _success(payment: Body, counted: str) -> Answer:
    ref, amount = word(payment, "id"), _money(payment, counted)
    if amount is None or ref is None:
        return unknown("a success without an amount", ref)
    return Answer(Verdict.SUCCEEDED, ref, amount, card=_card(payment))


def _canceled(operation: Operation, payment: Body) -> Answer:
    """Canceled after a part was taken is no state of theirs that we know."""
    ref = word(payment, "id")
    if whole(payment, "amount_received") != 0:
        return unknown("canceled, and yet something was received", ref)
    if operation is Operation.VOID:
        return _success(payment, "amount")
    return Answer(Verdict.DECLINED, ref, decline=CANCELED)


def _failed(payment: Body, ref: str | None) -> Answer:
    """Without an error the payment was not tried yet, or is being tried now."""
    error = part(payment, "last_payment_error")
    if not error:
        return Answer(Verdict.PENDING, ref)
    return Answer(Verdict.DECLINED, ref, decline=card_decline(error))


def _money(body: Body, counted: str) -> Money | None:
    return from_theirs(whole(body, counted), word(body, "currency"))


def _card(payment: Body) -> Card | None:
    card = part(payment, "latest_charge", "payment_method_details", "card")
    brand, last4 = word(card, "brand"), word(card, "last4")
    if brand is None or last4 is None or len(last4) != 4 or not last4.isdecimal():
        return None
    return Card(brand[:40], last4)
