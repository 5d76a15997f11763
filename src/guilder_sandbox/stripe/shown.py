"""Answers that show one thing or a list of things, with the expansions the caller asked for."""

import msgspec

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.cards import find_card
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.form import Form
from guilder_sandbox.stripe.model import Attempt, Intent, Refund, charge_id
from guilder_sandbox.stripe.refusals import invalid
from guilder_sandbox.stripe.render import (
    Shape,
    charge_shape,
    charge_transaction_shape,
    intent_shape,
    method_shape,
    refund_shape,
    refund_transaction_shape,
)
from guilder_sandbox.wire import Answer

LIMIT_DEFAULT = 10
LIMIT_MAX = 100

_encode = msgspec.json.Encoder().encode


def show(shape: object) -> Answer:
    return Answer(200, _encode(shape))


def show_intent(desk: Desk, intent: Intent, call: Call) -> Answer:
    return show(expanded_intent(desk, intent, wanted(call)))


def show_refund(desk: Desk, refund: Refund, call: Call) -> Answer:
    return show(expanded_refund(desk, refund, wanted(call)))


def wanted(call: Call) -> list[str]:
    """The paths to expand."""
    return params.texts(call.form, "expand") if "expand" in call.form else []


def wanted_in_list(call: Call) -> list[str]:
    """The paths to expand in each thing of a list."""
    paths = wanted(call)
    for path in paths:
        if not path.startswith("data."):
            raise not_expandable(path)
    return [path.removeprefix("data.") for path in paths]


def show_list(shapes: list[Shape], *, url: str, limit: int) -> Answer:
    """`shapes` may hold one more than the limit, which says that there is more."""
    page: Shape = {
        "object": "list",
        "data": shapes[:limit],
        "has_more": len(shapes) > limit,
        "url": url,
    }
    return show(page)


def limit_of(form: Form) -> int:
    limit = params.integer(form, "limit")
    if limit is None:
        return LIMIT_DEFAULT
    if not 1 <= limit <= LIMIT_MAX:
        raise invalid(
            f"limit is from 1 to {LIMIT_MAX}", param="limit", code="parameter_invalid_integer"
        )
    return limit


def expanded_intent(desk: Desk, intent: Intent, paths: list[str]) -> Shape:
    shape = intent_shape(intent)
    last = intent.last()
    for path in paths:
        head, _, rest = path.partition(".")
        if head == "latest_charge" and last is not None:
            under = [rest] if rest else []
            known = shape["latest_charge"]
            shape["latest_charge"] = expanded_charge(desk, intent, last, under, known=known)
        elif head == "payment_method" and not rest:
            card = find_card(intent.card) if intent.card is not None else None
            if card is not None and intent.method is not None:
                shape["payment_method"] = method_shape(intent.method, card, at=intent.created)
        elif head not in {"latest_charge", "customer"}:
            raise not_expandable(path)
    return shape


def expanded_charge(
    desk: Desk, intent: Intent, attempt: Attempt, paths: list[str], *, known: object = None
) -> Shape:
    """The charge; `known` is what was already expanded of it, which is added to."""
    shape = charge_shape(intent, attempt)
    if isinstance(known, dict):
        shape.update(known)  # pyright: ignore[reportUnknownArgumentType]
    for path in paths:
        match path:
            case "balance_transaction" if attempt.state == "captured":
                shape["balance_transaction"] = charge_transaction_shape(intent, attempt)
            case "payment_intent":
                shape["payment_intent"] = intent_shape(intent)
            case "refunds":
                shape["refunds"] = _refunds_of(desk, intent, attempt)
            case "balance_transaction" | "customer":
                continue
            case _:
                raise not_expandable(path)
    return shape


def expanded_refund(desk: Desk, refund: Refund, paths: list[str]) -> Shape:
    shape = refund_shape(refund)
    for path in paths:
        head, _, rest = path.partition(".")
        intent = desk.intent_at(refund.intent_seq)
        assert intent is not None, "a refund's intent is never removed"
        under = [rest] if rest else []
        match head:
            case "payment_intent":
                shape["payment_intent"] = expanded_intent(desk, intent, under)
            case "charge":
                attempt = intent.attempts[refund.attempt - 1]
                shape["charge"] = expanded_charge(desk, intent, attempt, under)
            case "balance_transaction" if not rest:
                shape["balance_transaction"] = refund_transaction_shape(refund)
            case _:
                raise not_expandable(path)
    return shape


def not_expandable(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")


def _refunds_of(desk: Desk, intent: Intent, attempt: Attempt) -> Shape:
    of_charge = [r for r in desk.refunds_of(intent) if r.attempt == attempt.number]
    return {
        "object": "list",
        "data": [refund_shape(refund) for refund in of_charge],
        "has_more": False,
        "url": f"/v1/charges/{charge_id(intent, attempt)}/refunds",
    }
