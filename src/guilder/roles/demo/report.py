"""What people read at the end: a block for each payment, then the books, then the figures."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from guilder.kernel.money import Money
from guilder.roles.demo.books import CLEARING
from guilder.roles.demo.expected import DONE
from guilder.roles.demo.till import Worked
from guilder.roles.demo.views import StepSeen, TrailSeen, TrialLineSeen

LABEL = 10


def block(worked: Worked, trail: TrailSeen, verified: Collection[str]) -> list[str]:
    """The money trail of one order: request, attempts, postings, events, webhooks, by one id.

    `verified` are the ids of events whose message our receiver got, with a good signature.
    """
    order, payment = worked.order, worked.payment
    assert payment is not None, "a trail is of a payment"
    why = f" ({payment.decline.reason})" if payment.decline else ""
    head = f"{order.name}  {order.merchant}  {payment.display_amount}  {payment.state}{why}"
    lines = [f"{head}  {payment.id}"]
    lines += _lines("request", (_request(step) for step in trail.of("request")))
    lines += _lines("attempt", (_attempt(step) for step in trail.of("attempt")))
    lines += _lines("posted", _entries(trail.of("posting")))
    lines += _lines("event", (f"{step.summary}  {step.id}" for step in trail.of("event")))
    lines += _lines("webhook", _webhooks(trail, verified))
    refused = [
        f"{step}: {came}, as it must be"
        for step, came, wanted in zip(order.then, worked.steps, worked.ending.steps, strict=False)
        if came == wanted != DONE
    ]
    lines += _lines("refused", refused)
    said = [order.note] if order.note else []
    lines += _lines("note", [*said, *worked.notes, *_given_up(worked)])
    lines += _lines("WRONG", worked.troubles)
    return lines


def trial_line(line: TrialLineSeen) -> str:
    """One currency of the trial balance, in major units."""
    debits = Money.of(line.debits_minor, line.currency)
    credits = Money.of(line.credits_minor, line.currency).decimal()
    difference = Money.of(line.difference_minor, line.currency).decimal()
    return f"{debits!s:>16} debits  {credits:>12} credits  difference {difference}"


def _lines(label: str, told: Sequence[str] | Iterator[str]) -> list[str]:
    """Lines under one label, which stands before the first."""
    return [f"  {label if number == 0 else '':<{LABEL}}{line}" for number, line in enumerate(told)]


def _request(step: StepSeen) -> str:
    return f"{step.id}  {step.summary}"


def _attempt(step: StepSeen) -> str:
    facts = step.facts
    amount = Money.of(_whole(step), str(facts["currency"]))
    ref = facts["provider_ref"] or "no reference"
    asked = facts["asked_count"]
    found = f", found by inquiry {asked}" if isinstance(asked, int) and asked > 1 else ""
    return (
        f"{facts['operation']} {amount} {facts['state']} at {facts['provider']} {ref}{found}"
        f"  {step.id}"
    )


def _entries(steps: Sequence[StepSeen]) -> Iterator[str]:
    """One line for each entry: what was debited, what was credited."""
    entries: defaultdict[str, dict[str, StepSeen]] = defaultdict(dict)
    for step in steps:
        entries[step.id][str(step.facts["side"])] = step
    for entry_id, sides in entries.items():
        debit, credit = sides["debit"], sides["credit"]
        amount = Money.of(_whole(debit), str(debit.facts["currency"]))
        yield f"{amount}  {_account(debit)} ← {_account(credit)}  {entry_id}"


def _account(step: StepSeen) -> str:
    return str(step.facts["purpose"]).replace(CLEARING, "clearing at ")


def _webhooks(trail: TrailSeen, verified: Collection[str]) -> Iterator[str]:
    for step in trail.of("delivery"):
        event = str(step.facts["event_id"])
        signed = "signature verified" if event in verified else "not seen by the receiver"
        topic = step.summary.partition(" to ")[0]
        tries = step.facts["tries"]
        yield f"{topic}  {step.facts['state']}, tries {tries}, {signed}  {step.id}"


def _given_up(worked: Worked) -> list[str]:
    return [f"{one} moved nothing: the provider was away" for one in worked.given_up]


def _whole(step: StepSeen) -> int:
    value = step.facts["amount_minor"]
    assert isinstance(value, int), "an amount is a whole number"
    return value
