"""Three books of three owners, compared: the caller's journal, ours, and the provider's."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from guilder.roles.demo.views import Facts, Movement, PaymentSeen, TrailSeen

KINDS: Mapping[str, tuple[str, ...]] = {
    "authorize": ("authorization",),
    "sale": ("authorization", "capture"),
    "capture": ("capture",),
    "void": ("void",),
    "refund": ("refund",),
}
"""What each of our operations is in the provider's book."""

CREATING = frozenset({"authorize", "sale"})
MOVED = frozenset({"succeeded", "overtaken"})
CLEARING = "psp_clearing:"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One asking of the provider, as our book has it."""

    id: str
    operation: str
    state: str
    amount_minor: int
    currency: str
    provider_ref: str | None


@dataclass(frozen=True, slots=True)
class OurPayment:
    """A payment with its attempts, and what its postings put into the provider's clearing account.

    `clearing_minor` is debits less credits, in minor units of the payment's currency.
    """

    payment: PaymentSeen
    attempts: tuple[Attempt, ...]
    clearing_minor: int


def our_payment(payment: PaymentSeen, trail: TrailSeen) -> OurPayment:
    """A payment as the API shows it, with what its trail tells."""
    return OurPayment(
        payment,
        tuple(_attempt(step.id, step.facts) for step in trail.of("attempt")),
        sum(_clearing(step.facts) for step in trail.of("posting")),
    )


def compare_with_provider(
    payments: Sequence[OurPayment], movements: Sequence[Movement]
) -> list[str]:
    """Every difference between our book and the provider's, both ways; empty when they agree."""
    theirs: defaultdict[str, list[Movement]] = defaultdict(list)
    for movement in movements:
        theirs[movement.attempt_ref or ""].append(movement)
    found: list[str] = []
    for one in payments:
        cleared = 0
        for attempt in one.attempts:
            lines = theirs.pop(attempt.id, [])
            found += _of_attempt(one.payment, attempt, lines)
            cleared += sum(_cleared(line) for line in lines if line.state == "succeeded")
        if cleared != one.clearing_minor:
            found.append(
                f"{one.payment.id}: the ledger has {one.clearing_minor} {one.payment.currency} at "
                f"the provider, the provider's book {cleared}"
            )
    for lines in theirs.values():
        found += [f"the provider's book has {_told(line)}, our book has not" for line in lines]
    return found


def compare_with_caller(
    payments: Sequence[OurPayment],
    *,
    seen: Mapping[str, PaymentSeen],
    answered: Mapping[str, PaymentSeen],
    merchants: Collection[str],
    unanswered: Collection[str],
) -> list[str]:
    """Every difference between the caller's journal and our book; empty when they agree.

    `seen` are payments as they stood when their orders were through, and `answered` as they were
    first answered, by id. `unanswered` are references whose payment nobody was ever told of.
    `merchants` are the caller's own: a payment of theirs must be in the journal.
    """
    ours = {one.payment.id: one.payment for one in payments}
    found: list[str] = []
    for payment_id, told in {**answered, **seen}.items():
        kept = ours.get(payment_id)
        if kept is None:
            found.append(f"the caller was told of {payment_id}, our book has no such payment")
        elif (payment_id in seen and kept != told) or (kept.amount_minor, kept.currency) != (
            told.amount_minor,
            told.currency,
        ):
            found.append(f"{payment_id}: {_changed(told, kept)}")
    for payment in ours.values():
        is_theirs = payment.merchant_id in merchants
        if is_theirs and payment.id not in answered and payment.reference not in unanswered:
            found.append(f"our book has {payment.id}, of which the caller was never told")
    return found


def doubled(payments: Sequence[OurPayment], merchants: Collection[str]) -> list[str]:
    """Orders of the caller's for which more than one payment took money (I3)."""
    taken: defaultdict[str, list[str]] = defaultdict(list)
    for one in payments:
        payment = one.payment
        if payment.merchant_id in merchants and payment.reference and payment.authorized_minor:
            taken[payment.reference].append(payment.id)
    return [
        f"the order {reference} was paid {len(ids)} times: {', '.join(ids)}"
        for reference, ids in taken.items()
        if len(ids) > 1
    ]


def _of_attempt(payment: PaymentSeen, attempt: Attempt, lines: list[Movement]) -> list[str]:
    name = f"{payment.id}, {attempt.operation} {attempt.id}"
    if attempt.state == "asked":
        return [f"{name}: what became of it is not known yet"]
    if attempt.state not in MOVED:
        return _of_refused(name, attempt, lines)
    found: list[str] = []
    left = list(lines)
    for kind in KINDS[attempt.operation]:
        line = next((line for line in left if line.kind == kind), None)
        if line is None:
            found.append(f"{name}: our book has a {kind}, the provider's has not")
            continue
        left.remove(line)
        theirs = (line.amount_minor, line.currency, line.state)
        if theirs != (attempt.amount_minor, attempt.currency, "succeeded"):
            found.append(
                f"{name}: we say {attempt.amount_minor} {attempt.currency} succeeded, "
                f"the provider {_told(line)}"
            )
        if attempt.provider_ref not in {line.ref, line.payment_ref}:
            found.append(f"{name}: we know it as {attempt.provider_ref}, it is {_told(line)}")
    return found + [f"{name}: the provider has {_told(line)} besides" for line in left]


def _of_refused(name: str, attempt: Attempt, lines: list[Movement]) -> list[str]:
    """For what we hold for refused or never seen, it has a refusal at most."""
    found = [
        f"{name}: we say {attempt.state}, the provider has {_told(line)}"
        for line in lines
        if line.state not in {"declined", "failed"}
        or (line.amount_minor, line.currency) != (attempt.amount_minor, attempt.currency)
    ]
    if not lines and attempt.operation in CREATING and attempt.provider_ref is not None:
        found.append(f"{name}: {attempt.provider_ref} declined it, and its book has nothing of it")
    return found


def _attempt(attempt_id: str, facts: Facts) -> Attempt:
    ref = facts.get("provider_ref")
    return Attempt(
        id=attempt_id,
        operation=str(facts["operation"]),
        state=str(facts["state"]),
        amount_minor=_whole(facts, "amount_minor"),
        currency=str(facts["currency"]),
        provider_ref=None if ref is None else str(ref),
    )


def _clearing(facts: Facts) -> int:
    if not str(facts["purpose"]).startswith(CLEARING):
        return 0
    amount = _whole(facts, "amount_minor")
    return amount if facts["side"] == "debit" else -amount


def _cleared(line: Movement) -> int:
    return {"capture": line.amount_minor, "refund": -line.amount_minor}.get(line.kind, 0)


def _whole(facts: Facts, name: str) -> int:
    value = facts[name]
    assert isinstance(value, int), f"{name} is a whole number"
    return value


def _told(line: Movement) -> str:
    return f"{line.ref} {line.kind} {line.amount_minor} {line.currency} {line.state}"


def _changed(told: PaymentSeen, kept: PaymentSeen) -> str:
    names = PaymentSeen.__struct_fields__
    return "; ".join(
        f"the caller was told {name} {getattr(told, name)}, our book says {getattr(kept, name)}"
        for name in names
        if getattr(told, name) != getattr(kept, name)
    )
