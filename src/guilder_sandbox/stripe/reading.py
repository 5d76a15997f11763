"""Everything that only looks: one thing, a list of things, a search."""

import msgspec

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.events import event_shape
from guilder_sandbox.stripe.form import Form
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import Intent, seq_of
from guilder_sandbox.stripe.refunds import find_charge
from guilder_sandbox.stripe.refusals import invalid, missing
from guilder_sandbox.stripe.render import (
    Shape,
    charge_transaction_shape,
    refund_transaction_shape,
)
from guilder_sandbox.stripe.search import Clause, parse_query
from guilder_sandbox.stripe.shown import (
    expanded_charge,
    expanded_intent,
    expanded_refund,
    limit_of,
    show,
    show_intent,
    show_list,
    show_refund,
    wanted,
    wanted_in_list,
)
from guilder_sandbox.wire import Answer

END_OF_TIME = 2**62
SEARCHED_MAX = 5_000  # Rows looked at for one search; a key and value name far fewer.


def retrieve_intent(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    intent = desk.find_intent(call.id)
    if intent is None:
        raise missing("payment_intent", call.id, param="intent", status=404)
    return show_intent(desk, intent, call)


def list_intents(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    span, limit = _created(call.form), limit_of(call.form)
    before, after = _cursors(call.form, "pi_")
    customer = params.text(call.form, "customer")
    if before is None:
        found = desk.intents(
            "select seq from stripe_intent where created between ? and ? and seq < ?"
            " order by created desc, seq desc limit ?",
            (*span, after, limit + 1),
        )
    else:
        found = desk.intents(
            "select seq from (select seq, created from stripe_intent"
            " where created between ? and ? and seq > ? order by created, seq limit ?)"
            " order by created desc, seq desc",
            (*span, before, limit + 1),
        )
        found = found[-limit:] + found[: max(0, len(found) - limit)]
    shown = [i for i in found if customer is None or i.customer == customer]
    paths = wanted_in_list(call)
    shapes = [expanded_intent(desk, intent, paths) for intent in shown]
    return show_list(shapes, url="/v1/payment_intents", limit=limit)


def search_intents(desk: Desk, later: Later, call: Call) -> Answer:
    """Intents whose metadata holds what is asked; a `stale` fault hides the youngest."""
    del later
    clauses = parse_query(params.required_text(call.form, "query"))
    limit, page = limit_of(call.form), _page(call.form)
    first = next((clause for clause in clauses if clause.key is not None), None)
    if first is None or first.key is None:
        raise invalid("The sandbox searches by metadata: name one key at least", param="query")
    candidates = desk.intents(
        "select intent_seq from stripe_metadata where key = ? and value = ?"
        " order by intent_seq desc limit ?",
        (first.key, first.value, SEARCHED_MAX),
    )
    youngest = desk.clock.seconds() - call.lag_seconds
    found = [
        intent
        for intent in candidates
        if all(_holds(clause, intent) for clause in clauses)
        and (call.lag_seconds == 0 or intent.created <= youngest)
    ]
    paths, more = wanted_in_list(call), len(found) > page + limit
    return show(
        {
            "object": "search_result",
            "data": [expanded_intent(desk, i, paths) for i in found[page : page + limit]],
            "has_more": more,
            "next_page": str(page + limit) if more else None,
            "url": "/v1/payment_intents/search",
        }
    )


def retrieve_refund(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    refund = desk.find_refund(call.id)
    if refund is None:
        raise missing("refund", call.id, param="id", status=404)
    return show_refund(desk, refund, call)


def list_refunds(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    span, limit = _created(call.form), limit_of(call.form)
    _, after = _cursors(call.form, "re_")
    intent_seq = _refunded_intent(desk, call.form)
    if intent_seq is None:
        found = desk.refunds(
            "select doc from stripe_refund where created between ? and ? and seq < ?"
            " order by seq desc limit ?",
            (*span, after, limit + 1),
        )
    else:
        found = desk.refunds(
            "select doc from stripe_refund where created between ? and ? and seq < ?"
            " and intent_seq = ? order by seq desc limit ?",
            (*span, after, intent_seq, limit + 1),
        )
    paths = wanted_in_list(call)
    shapes = [expanded_refund(desk, refund, paths) for refund in found]
    return show_list(shapes, url="/v1/refunds", limit=limit)


def retrieve_charge(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    found = find_charge(desk, call.id)
    if found is None:
        raise missing("charge", call.id, param="id", status=404)
    return show(expanded_charge(desk, *found, wanted(call)))


def retrieve_transaction(desk: Desk, later: Later, call: Call) -> Answer:
    """A charge's transaction has the charge's token, a refund's the refund's."""
    del later
    token = call.id.removeprefix("txn_")
    found = find_charge(desk, f"ch_{token}")
    if found is not None and found[1].state == "captured":
        return show(charge_transaction_shape(*found))
    refund = desk.find_refund(f"re_{token}")
    if refund is None:
        raise missing("balance transaction", call.id, param="id", status=404)
    return show(refund_transaction_shape(refund))


def retrieve_event(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    seq = seq_of(call.id, "evt_")
    event = None if seq is None else desk.event_at(seq)
    if event is None or event.id != call.id:
        raise missing("event", call.id, param="id", status=404)
    return show(event_shape(event, pending=0))


def list_events(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    span, limit = _created(call.form), limit_of(call.form)
    _, after = _cursors(call.form, "evt_")
    one = params.text(call.form, "type")
    types = [one] if one is not None else params.texts(call.form, "types")
    found = desk.events(
        "select doc from stripe_event where created between ? and ? and seq < ?"
        " and (? = '[]' or type in (select value from json_each(?)))"
        " order by seq desc limit ?",
        (*span, after, *[msgspec.json.encode(types).decode()] * 2, limit + 1),
    )
    shapes: list[Shape] = [event_shape(event, pending=0) for event in found]
    return show_list(shapes, url="/v1/events", limit=limit)


def _created(form: Form) -> tuple[int, int]:
    """The span of created[gte] and its kin, or of created as one second; both ends included."""
    value = form.get("created")
    if isinstance(value, str):
        second = params.integer(form, "created")
        return (0, END_OF_TIME) if second is None else (second, second)
    span = params.nested(form, "created")
    params.allow_only(span, frozenset(("gte", "gt", "lte", "lt")))
    low, above = params.integer(span, "gte"), params.integer(span, "gt")
    high, below = params.integer(span, "lte"), params.integer(span, "lt")
    lows = [low or 0, 0 if above is None else above + 1]
    highs = [
        END_OF_TIME if high is None else high,
        END_OF_TIME if below is None else below - 1,
    ]
    return max(lows), min(highs)


def _cursors(form: Form, prefix: str) -> tuple[int | None, int]:
    """Row numbers: ending_before or None, and starting_after or the end."""
    before, after = params.text(form, "ending_before"), params.text(form, "starting_after")
    if before is not None and after is not None:
        raise invalid(
            "ending_before and starting_after exclude each other",
            param="starting_after",
            code="parameters_exclusive",
        )
    return _row(before, prefix), _row(after, prefix) or END_OF_TIME


def _row(id: str | None, prefix: str) -> int | None:
    if id is None:
        return None
    seq = seq_of(id, prefix)
    if seq is None:
        raise missing("object", id, param="starting_after", status=400)
    return seq


def _page(form: Form) -> int:
    page = params.integer(form, "page")
    return 0 if page is None or page < 0 else page


def _refunded_intent(desk: Desk, form: Form) -> int | None:
    intent_id, charge_ref = params.text(form, "payment_intent"), params.text(form, "charge")
    if intent_id is not None:
        intent = desk.find_intent(intent_id)
        return 0 if intent is None else intent.seq
    if charge_ref is not None:
        found = find_charge(desk, charge_ref)
        return 0 if found is None else found[0].seq
    return None


def _holds(clause: Clause, intent: Intent) -> bool:
    if clause.key is not None:
        return intent.metadata.get(clause.key) == clause.value
    match clause.field:
        case "status":
            return intent.status == clause.value
        case "currency":
            return intent.currency == clause.value.lower()
        case _:
            return str(intent.amount) == clause.value
