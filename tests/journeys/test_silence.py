"""S03: a provider that books and does not answer is asked again, and believed once."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Generator, Sequence

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller
from tests.journeys.outside import SILENT, Outside
from tests.journeys.solo import Solo, running_solo

pytestmark = pytest.mark.xdist_group("journeys: silence")

PATIENCE = "12"  # Just above the longest call to a provider, so that the tests need not wait long.
WAVE = 100  # The calls that may be under way at once.
HEALING_SECONDS = 60
SLOW = ("never_answer", "answer_late")
QUICK = (
    *("reset", "close", "truncated", "garbage"),
    *("status_500", "status_500_remembered", "status_502_html", "status_503"),
)
MADE_GOOD = ("never_answer", "reset", "truncated", "garbage", "status_500", "status_502_html")
RUNS = [
    pytest.param(1, id="100 silent answers"),
    pytest.param(20, id="2000 silent answers", marks=pytest.mark.full),
]


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform of its own: after so many failures its breaker stays open for a while."""
    home = tmp_path_factory.mktemp("silence") / "home"
    with running_solo(home, PATIENCE_SECONDS=PATIENCE) as running:
        yield running


@pytest.mark.proves("S03", "S4-18", "I3", "I2")
async def test_one_spoiled_answer_is_made_good_within_the_request(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    kinds = {1_00 + n: fault for n, fault in enumerate(MADE_GOOD)}
    for amount_minor, fault in kinds.items():
        await _spoil(outside, fault, amount_minor, times=1)
    await outside.weather(drop_percent=100)
    paying = [caller.pay(amount_minor) for amount_minor in kinds]
    answers = await asyncio.gather(*paying, caller.pay(5_00, token=SILENT))
    assert [(came.status, came.json["state"]) for came in answers] == [(201, "captured")] * 7
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S03", "I2", "I3", "I11", "S4-35")
@pytest.mark.parametrize("waves", RUNS)
async def test_silent_answers_are_all_found_out_and_none_is_doubled(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, waves: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(waves):
        await _until_well(caller)
        ids = await _wave(caller, outside, chance, seed=seed + number)
        told = Counter([(await caller.payment(one))["state"] for one in ids])
        assert set(told) == {"captured", "processing"}, "some by news, the others not yet"
        await outside.heal()
        healed_at = time.monotonic()
        await _until_captured(caller, ids)
        seconds = time.monotonic() - healed_at
        print(f"wave {number}: {told['captured']} of {WAVE} told by the provider's messages, ")
        print(f"{told['processing']} found out by asking, {seconds:.1f} s after the healing")
        assert seconds < HEALING_SECONDS
    assert await differences(platform, outside, solo) == []


async def _wave(caller: Caller, outside: Outside, chance: random.Random, *, seed: int) -> list[str]:
    """Payments that are booked while nothing comes back; half of the messages are lost, too.

    Whoever asks again under the key meanwhile is told the same.
    """
    await outside.weather(drop_percent=50, seed=seed)
    await outside.spoil("status_503", match={"operation": "search"}, when="before_booking")
    kinds = {1_00 + n: (SLOW + QUICK)[n % 10] for n in range(WAVE)}
    for amount_minor, fault in kinds.items():
        await _spoil(outside, fault, amount_minor)
    amounts = {caller.new_key(): amount_minor for amount_minor in kinds}
    keys = list(amounts)
    chance.shuffle(keys)
    answers = await asyncio.gather(*(caller.pay(amounts[key], key=key) for key in keys))
    again = await asyncio.gather(*(caller.pay(amounts[key], key=key) for key in keys))
    told = Counter((came.status, came.json["state"]) for came in answers)
    assert set(told) <= {(202, "processing"), (201, "captured")}, told
    assert told[202, "processing"] > WAVE // 4, told
    assert [came.body for came in again] == [came.body for came in answers]
    return [came.json["id"] for came in answers]


async def _spoil(outside: Outside, fault: str, amount_minor: int, **rule: int) -> None:
    match = {"operation": "create", "amount": amount_minor}
    delay = {"delay_ms": 5_000} if fault == "answer_late" else {}
    await outside.spoil(fault, match=match, **delay, **rule)


async def _until_captured(caller: Caller, ids: Sequence[str]) -> None:
    async with asyncio.timeout(2 * HEALING_SECONDS):
        while True:
            states = {(await caller.payment(one))["state"] for one in ids}
            assert states <= {"processing", "captured"}, "unknown is never a no"
            if states == {"captured"}:
                return
            await asyncio.sleep(0.5)


async def _until_well(caller: Caller) -> None:
    """Wait until payments go through again."""
    async with asyncio.timeout(30):
        while True:
            if (await caller.pay(1)).json["state"] == "captured":
                return
            await asyncio.sleep(0.5)
