"""Three books by three owners, compared both ways: the caller's, ours, and the provider's."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.journeys.caller import Caller
from tests.journeys.journal import Exchange
from tests.journeys.outside import Movement, Outside
from tests.journeys.solo import Solo

QUIET_SECONDS = 60  # I11: every open item is final within this time, once everything is well.
AT_ONCE = 16
MOVING = frozenset({"sale", "capture", "refund"})
DONE = frozenset({"succeeded", "overtaken"})
CREATING = frozenset({"sale", "authorize"})
KINDS = {
    "sale": ("authorization", "capture"),
    "authorize": ("authorization",),
    "capture": ("capture",),
    "void": ("void",),
    "refund": ("refund",),
}
AFTER_CAPTURE = frozenset({"partially_refunded", "refunded"})
LATER: dict[str, frozenset[str]] = {
    "processing": frozenset(
        {"authorized", "partially_captured", "captured", "reversed", "declined", "failed"}
    )
    | AFTER_CAPTURE,
    "authorized": frozenset({"partially_captured", "captured", "reversed"}) | AFTER_CAPTURE,
    "partially_captured": AFTER_CAPTURE,
    "captured": AFTER_CAPTURE,
    "partially_refunded": frozenset({"refunded"}),
    "pending": frozenset({"succeeded", "failed"}),
}
"""What a state that was once told may have become since."""

LASTING = ("id", "amount_minor", "currency", "merchant_id", "livemode", "created_at")
GROWING = ("authorized_minor", "captured_minor", "refunded_minor")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One asking of the provider, as our trail tells it."""

    id: str
    payment_id: str
    operation: str
    state: str
    amount_minor: int
    currency: str
    undoes: str | None


@dataclass(frozen=True, slots=True)
class OurBook:
    """Our payments, refunds, attempts, and the trial balance by currency."""

    payments: dict[str, dict[str, Any]]
    refunds: dict[str, dict[str, Any]]
    attempts: tuple[Attempt, ...]
    trial: dict[str, tuple[int, int]]


async def read_ours(platform: Caller) -> OurBook:
    """Our book when it is quiet; what is still open after a minute shows as open."""
    deadline = time.monotonic() + QUIET_SECONDS
    payments: dict[str, dict[str, Any]] = {}
    attempts: dict[str, tuple[Attempt, ...]] = {}
    while True:
        found = {row["id"]: row async for row in platform.walk("/v1/payments")}
        unread = [
            name
            for name, row in found.items()
            if row != payments.get(name) or any(one.state == "asked" for one in attempts[name])
        ]
        payments = found
        attempts.update(zip(unread, await _trails(platform, unread), strict=True))
        is_quiet = all(one.state != "asked" for each in attempts.values() for one in each)
        if (is_quiet and not unread) or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    refunds = await _refunds(platform, [p for p in payments if _has_refund(attempts[p])])
    trial = (await platform.get("/v1/ledger/trial-balance")).json["lines"]
    return OurBook(
        payments,
        refunds,
        tuple(one for each in attempts.values() for one in each),
        {line["currency"]: (line["debits_minor"], line["credits_minor"]) for line in trial},
    )


async def differences(platform: Caller, outside: Outside, solo: Solo) -> list[str]:
    """Every difference between the three books, one sentence each; empty when they agree.

    `platform` holds the platform's key and the journal of all callers. Waits until all is quiet.
    """
    ours = await read_ours(platform)
    theirs = await outside.book()
    _, findings = await asyncio.to_thread(solo.verify)
    return [
        *journal_against_ours(platform.journal.exchanges(), ours),
        *ours_against_provider(ours, theirs),
        *provider_against_ours(theirs, ours),
        *payments_against_ledger(ours),
        *[f"verify: {one['invariant']} {one['subject']} {one['sentence']}" for one in findings],
    ]


# The caller's journal and our book


def journal_against_ours(exchanges: Sequence[Exchange], ours: OurBook) -> Iterator[str]:
    """What was promised is there, what is there was asked for, and each key has one effect."""
    yield from _promises(exchanges, ours)
    yield from _one_answer_each(exchanges)
    intents: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for exchange in exchanges:
        if exchange.intent.path == "/v1/payments":
            said = exchange.intent.said
            intents[str(said.get("reference"))].append(said)
    times = Counter(payment["reference"] for payment in ours.payments.values())
    for payment in ours.payments.values():
        wanted = intents.get(str(payment["reference"]), [])
        if not any(_is_same(payment, one) for one in wanted):
            yield f"{payment['id']} of {payment['display_amount']} was never asked for"
    for reference, count in times.items():
        if count > 1:
            yield f"the order {reference} became {count} payments"


def _promises(exchanges: Sequence[Exchange], ours: OurBook) -> Iterator[str]:
    known = {**ours.payments, **ours.refunds}
    for exchange in exchanges:
        if not exchange.is_accepted or exchange.answer is None:
            continue
        told = exchange.answer.told
        if told["object"] not in {"payment", "refund"}:
            continue
        now = known.get(told["id"])
        if now is None:
            yield f"{told['id']} was answered to {exchange.intent.key} and is gone"
            continue
        for name in LASTING:
            if told.get(name) != now.get(name):
                yield f"{told['id']}: {name} was {told.get(name)} and is {now.get(name)}"
        for name in GROWING:
            if told.get(name, 0) > now.get(name, 0):
                yield f"{told['id']}: {name} shrank from {told[name]} to {now[name]}"
        if now["state"] != told["state"] and now["state"] not in LATER.get(told["state"], ()):
            yield f"{told['id']}: was {told['state']} and became {now['state']}"


def _one_answer_each(exchanges: Sequence[Exchange]) -> Iterator[str]:
    answers: defaultdict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    for exchange in exchanges:
        if exchange.is_accepted and exchange.answer is not None:
            answer = (exchange.answer.status, exchange.answer.body)
            answers[exchange.intent.key, exchange.intent.path].add(answer)
    for (key, path), given in answers.items():
        if len(given) > 1:
            yield f"{key} at {path} was given {len(given)} different answers"


def _is_same(payment: dict[str, Any], said: dict[str, Any]) -> bool:
    return all(payment[name] == said.get(name) for name in ("amount_minor", "currency"))


# Our book and the provider's


def ours_against_provider(ours: OurBook, theirs: Sequence[Movement]) -> Iterator[str]:
    """Each of our attempts is in the provider's book as we say it ended."""
    by_attempt = _by_attempt(theirs)
    for attempt in ours.attempts:
        rows = by_attempt.get(attempt.id, [])
        moved = [row for row in rows if row.state == "succeeded"]
        if attempt.state in DONE:
            yield from _booked_once(attempt, moved)
        elif attempt.state == "asked":
            yield f"{attempt.operation} {attempt.id} is still open; the provider has {_list(rows)}"
        elif moved:
            yield f"{attempt.operation} {attempt.id} is {attempt.state}, yet {_list(moved)} there"
    creating = {one.payment_id: one for one in ours.attempts if one.operation in CREATING}
    by_payment: defaultdict[str, list[Movement]] = defaultdict(list)
    for row in theirs:
        by_payment[row.payment_ref].append(row)
    for payment_id, payment in ours.payments.items():
        first = by_attempt.get(creating[payment_id].id, [])
        rows = by_payment[first[0].payment_ref] if first else []
        if creating[payment_id].state == "overtaken":
            yield from _given_back(payment_id, rows)
        else:
            yield from _stands_as(payment, rows)


def provider_against_ours(theirs: Sequence[Movement], ours: OurBook) -> Iterator[str]:
    """Each of the provider's movements is one of our attempts, and is there once."""
    attempts = {attempt.id: attempt for attempt in ours.attempts}
    for ref, rows in _by_attempt(theirs).items():
        attempt = attempts.get(ref)
        if attempt is None:
            yield f"the provider has {_list(rows)} under {ref}, which we do not know"
            continue
        for kind, times in Counter(row.kind for row in rows if row.state == "succeeded").items():
            if times > 1:
                yield f"the provider did {kind} {times} times for {ref}"
            if kind not in KINDS[attempt.operation]:
                yield f"the provider did a {kind} for {ref}, which is a {attempt.operation}"


def _by_attempt(theirs: Sequence[Movement]) -> dict[str, list[Movement]]:
    """Movements by our attempt: its id is the key of every request, and the reference of most."""
    found: defaultdict[str, list[Movement]] = defaultdict(list)
    for row in theirs:
        ref = row.idempotency_key or row.our_ref or f"nobody ({row.ref})"
        found[ref].append(row)
    return found


def _booked_once(attempt: Attempt, moved: Sequence[Movement]) -> Iterator[str]:
    for kind in KINDS[attempt.operation]:
        rows = [row for row in moved if row.kind == kind]
        if len(rows) != 1:
            yield f"{attempt.operation} {attempt.id} succeeded; the provider has {_list(rows)}"
        for row in rows:
            if (row.amount_minor, row.currency) != (attempt.amount_minor, attempt.currency):
                yield (
                    f"{attempt.operation} {attempt.id} is {attempt.currency} "
                    f"{attempt.amount_minor} here and {row.currency} {row.amount_minor} there"
                )


def _stands_as(payment: dict[str, Any], rows: Sequence[Movement]) -> Iterator[str]:
    """The payment's amounts and state, worked out from nothing but the provider's rows."""
    authorized, captured, refunded = (
        _sum(rows, kind) for kind in ("authorization", "capture", "refund")
    )
    there = (authorized, captured, refunded)
    here = tuple(payment[name] for name in GROWING)
    if here != there:
        yield f"{payment['id']} authorized, captured, refunded {here} here and {there} there"
    if captured:
        whole = "captured" if captured == authorized else "partially_captured"
        state = whole if not refunded else "refunded" if refunded == captured else AFTER_PART
        expected = {state}
    elif authorized:
        expected = {"reversed" if any(row.kind == "void" for row in rows) else "authorized"}
    else:
        expected = {"declined", "failed"} if not rows else {"declined"}
    if payment["state"] not in expected:
        yield f"{payment['id']} is {payment['state']} here and {' or '.join(expected)} there"


AFTER_PART = "partially_refunded"


def _given_back(payment_id: str, rows: Sequence[Movement]) -> Iterator[str]:
    captured, refunded = _sum(rows, "capture"), _sum(rows, "refund")
    is_let_go = captured == refunded and (captured or any(row.kind == "void" for row in rows))
    if not is_let_go:
        yield f"{payment_id} was given up and then succeeded; the provider still has {_list(rows)}"


def _sum(rows: Sequence[Movement], kind: str) -> int:
    return sum(row.amount_minor for row in rows if row.kind == kind and row.state == "succeeded")


def _list(rows: Sequence[Movement]) -> str:
    shown = [f"{row.kind} {row.currency} {row.amount_minor} {row.state}" for row in rows]
    return ", ".join(shown) or "nothing"


# Our payments and our ledger


def payments_against_ledger(ours: OurBook) -> Iterator[str]:
    """Every attempt that moved money stands in the book once, and nothing else does."""
    moved: Counter[str] = Counter()
    for attempt in ours.attempts:
        if attempt.state in DONE and attempt.operation in MOVING:
            moved[attempt.currency] += attempt.amount_minor
    for currency in moved.keys() | ours.trial.keys():
        debits, credits = ours.trial.get(currency, (0, 0))
        if debits != credits:
            yield f"{currency}: debits are {debits} and credits {credits}"
        if debits != moved[currency]:
            yield f"{currency}: the book moved {debits}, the attempts {moved[currency]}"
    refunded: Counter[str] = Counter()
    for refund in ours.refunds.values():
        if refund["state"] == "succeeded":
            refunded[refund["payment_id"]] += refund["amount_minor"]
    for payment_id, payment in ours.payments.items():
        if payment["refunded_minor"] != refunded[payment_id]:
            told = payment["refunded_minor"]
            yield f"{payment_id} refunded {told}, its refunds are {refunded[payment_id]}"


# Reading


def _has_refund(attempts: Sequence[Attempt]) -> bool:
    return any(one.operation == "refund" for one in attempts)


async def _trails(platform: Caller, ids: Sequence[str]) -> list[tuple[Attempt, ...]]:
    places = asyncio.Semaphore(AT_ONCE)

    async def read(payment_id: str) -> tuple[Attempt, ...]:
        async with places:
            came = await platform.get(f"/v1/payments/{payment_id}/trail")
        assert came.status == 200, came.body
        steps = [step for step in came.json["steps"] if step["kind"] == "attempt"]
        return tuple(_attempt(payment_id, step) for step in steps)

    return await asyncio.gather(*(read(one) for one in ids))


def _attempt(payment_id: str, step: dict[str, Any]) -> Attempt:
    facts = step["facts"]
    return Attempt(
        id=step["id"],
        payment_id=payment_id,
        operation=facts["operation"],
        state=facts["state"],
        amount_minor=facts["amount_minor"],
        currency=facts["currency"],
        undoes=facts["undoes"],
    )


async def _refunds(platform: Caller, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for payment_id in ids:
        async for refund in platform.walk(f"/v1/payments/{payment_id}/refunds"):
            found[refund["id"]] = refund
    return found
