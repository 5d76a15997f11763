"""A bad day: random orders, a provider with random faults, duplicates and hang-ups; by seed."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller, Came, order
from tests.journeys.outside import DECLINED, Outside
from tests.journeys.solo import Solo, running_solo
from tests.simulation.model import REFUNDABLE, Deed, Possible, Standing, Told

pytestmark = pytest.mark.xdist_group("simulation")

TILLS = 12
SPOILED_EVERY = 8  # Steps from one change of the weather to the next.
STEPS = [
    pytest.param(300, id="300 steps"),
    pytest.param(3000, id="3000 steps", marks=pytest.mark.full),
]
THOUGHT_MS = 200  # A shopper thinks for at most this long.
BREAK_SECONDS = 3
QUICK = ("reset", "close", "garbage", "truncated", "status_500", "status_502_html", "status_503")
OPERATIONS = ("create", "capture", "cancel", "refund", "search", "retrieve", "list", "*")


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform of its own, with the patience that outlasts every call."""
    home = tmp_path_factory.mktemp("bad-day") / "home"
    with running_solo(home, PATIENCE_SECONDS="12") as running:
        yield running


@dataclass(slots=True)
class Sale:
    """One payment of the day: what it may be, and what was sent about it."""

    id: str
    amount_minor: int
    possible: Possible
    answered: list[tuple[str, object, str, Came]] = field(default_factory=list[Any])


@dataclass(slots=True)
class Day:
    """The day's dice, its steps that are left, and what came of those that were taken."""

    caller: Caller
    outside: Outside
    chance: random.Random
    left: int
    sales: list[Sale] = field(default_factory=list[Sale])
    tally: Counter[str] = field(default_factory=Counter[str])


@pytest.mark.proves("S11", "S03", "S09", "I2", "I3", "I4", "I6", "I7", "I11")
@pytest.mark.parametrize("steps", STEPS)
async def test_a_bad_day_ends_with_books_that_agree(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, steps: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    day = Day(caller, outside, random.Random(seed), steps)
    async with asyncio.TaskGroup() as group:
        for till in range(TILLS):
            group.create_task(_work(day, random.Random(f"{seed}-{till}")))
    await outside.heal()
    print(f"{len(day.sales)} sales: {dict(day.tally.most_common())}")
    assert await differences(platform, outside, solo) == []
    for sale in day.sales:
        await _look(day, sale)


async def _work(day: Day, chance: random.Random) -> None:
    """One till: it makes sales, and does things to its own."""
    mine: list[Sale] = []
    while day.left > 0:
        day.left -= 1
        await asyncio.sleep(chance.randrange(THOUGHT_MS) / 1000)
        if day.left % SPOILED_EVERY == 0:
            await _spoil(day)
        if not mine or chance.randrange(100) < 30:
            mine.append(sale := await _sell(day, chance))
            if _is_held_back(sale):
                await asyncio.sleep(BREAK_SECONDS)
            continue
        sale = chance.choice(mine)
        match chance.randrange(10):
            case 0:
                await _look(day, sale)
            case 1 | 2:
                await _repeat(day, sale, chance)
            case _:
                await _change(day, sale, chance)


async def _spoil(day: Day) -> None:
    """The provider's day: now a few answers are spoiled, now its messages, now it is well."""
    match day.chance.randrange(8):
        case 0:
            await day.outside.heal()
        case 1:
            percents = {f"{name}_percent": day.chance.randrange(80) for name in LOSSES}
            await day.outside.weather(seed=day.chance.randrange(1000), **percents)
        case 2:
            late = {"delay_ms": day.chance.randrange(1, 4500), "times": 2}
            await day.outside.spoil("answer_late", match=_some(day), **late)
        case 3:
            await day.outside.spoil("never_answer", match=_some(day), times=1)
        case _:
            fault, when = day.chance.choice(QUICK), day.chance.choice(WHEN)
            times = day.chance.randint(1, 2)
            await day.outside.spoil(fault, when=when, match=_some(day), times=times)


VERBS = ("capture", "void", "refund")
SENSIBLE = {
    "authorized": ("capture", "capture", "capture", "void"),
    **dict.fromkeys(REFUNDABLE, ("refund", "refund", "refund")),
}
LOSSES = ("drop", "duplicate", "reorder")
WHEN = ("before_booking", "after_booking")


def _some(day: Day) -> dict[str, str]:
    return {"operation": day.chance.choice(OPERATIONS)}


async def _sell(day: Day, chance: random.Random) -> Sale:
    amount, by_hand = chance.randint(1, 100_00), chance.random() < 0.5
    is_good = chance.randrange(8) > 0
    key = day.caller.new_key()
    method = "manual" if by_hand else "automatic"
    token = "pm_card_visa" if is_good else DECLINED
    body = order(amount, "EUR", key, capture_method=method, token=token)
    came = await _send(day, "/v1/payments", body, key, chance)
    sale = Sale(came.json["id"], amount, Possible(Standing(amount, by_hand, is_good)))
    day.sales.append(sale)
    _hear(day, sale, Deed("pay", amount), came)
    sale.answered.append(("/v1/payments", body, key, came))
    return sale


def _is_held_back(sale: Sale) -> bool:
    """Whether calls to the provider are held back for a while; the till has a break as well."""
    decline = sale.answered[0][3].json["decline"]
    return decline is not None and decline["raw"] == "breaker_open"


async def _change(day: Day, sale: Sale, chance: random.Random) -> None:
    sensible = SENSIBLE.get(next(iter(sale.possible.standings)).state, ())
    verb = chance.choice((*VERBS, *sensible, *sensible))
    most = sale.amount_minor + (2 if chance.randrange(6) == 0 else 0)
    amount = chance.choice((chance.randint(1, most), most, sale.amount_minor))
    deed = Deed(verb, 0 if verb == "void" else amount)
    body = {} if verb == "void" else {"amount_minor": amount}
    path, key = f"/v1/payments/{sale.id}/{verb}", day.caller.new_key()
    came = await _send(day, path, body, key, chance)
    _hear(day, sale, deed, came)
    if came.status < 300:
        sale.answered.append((path, body, key, came))


async def _repeat(day: Day, sale: Sale, chance: random.Random) -> None:
    """A duplicate of something that was answered is answered in the same way."""
    path, body, key, before = chance.choice(sale.answered)
    again = await day.caller.post(path, body, key=key)
    day.tally["repeated"] += 1
    assert (again.status, again.body, again.is_replay) == (before.status, before.body, True)


async def _look(day: Day, sale: Sale) -> None:
    now = await day.caller.payment(sale.id)
    sale.possible.see(now["state"], now["captured_minor"], now["refunded_minor"])


async def _send(day: Day, path: str, body: dict[str, Any], key: str, chance: random.Random) -> Came:
    """Send it; one caller in six hangs up first, and asks again later."""
    if chance.randrange(6) == 0:
        day.tally["hung up"] += 1
        sending = asyncio.create_task(day.caller.post(path, body, key=key))
        await asyncio.sleep(chance.randrange(60) / 1000)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
    while True:
        came = await day.caller.post(path, body, key=key)
        if came.code != "idempotency_in_progress":
            return came
        await asyncio.sleep(0.1)


def _hear(day: Day, sale: Sale, deed: Deed, came: Came) -> None:
    told = json.loads(came.body)
    word = told["error_code"] if came.status >= 400 else told["state"]
    day.tally[f"{deed.verb} {came.status} {word}"] += 1
    sale.possible.hear(deed, Told(came.status, word))
