"""S27 and "must show" 4: any process is killed under load, and the three books agree."""

import asyncio
import os
import random
import signal
from collections.abc import Generator

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller
from tests.journeys.load import shopping
from tests.journeys.outside import Outside
from tests.journeys.solo import Solo, running_solo

pytestmark = pytest.mark.xdist_group("journeys: kills")

TILLS = 20
VICTIMS = ("solo", "postgres", "sandbox")
KILLS = [
    pytest.param(5, id="5 kills"),
    pytest.param(100, id="100 kills", marks=pytest.mark.full),
]


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform of its own, with the patience that outlasts every call."""
    home = tmp_path_factory.mktemp("kills") / "home"
    with running_solo(home, PATIENCE_SECONDS="12") as running:
        yield running


@pytest.mark.proves("S27", "I2", "I3", "I4", "I11")
@pytest.mark.parametrize("victim", VICTIMS)
async def test_a_killed_process_comes_back_and_the_books_agree(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, victim: str
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    async with shopping(caller, tills=TILLS, seed=seed) as load:
        await load.until(more=60)
        await _kill(solo, victim)
        await load.until(more=60)
        total = load
    print(f"{total.ended} requests ended")
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S27", "I2", "I3", "I4", "I11")
@pytest.mark.parametrize("kills", KILLS)
async def test_kills_at_random_moments_break_nothing(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, kills: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with shopping(caller, tills=TILLS, seed=seed) as load:
        for _ in range(kills):
            await load.until(more=1)
            await asyncio.sleep(chance.randrange(1000) / 1000)
            victim = chance.choice(VICTIMS)
            print(f"after {load.ended} requests: {victim}")
            await _kill(solo, victim)
        await load.until(more=60)
    assert await differences(platform, outside, solo) == []


async def _kill(solo: Solo, victim: str) -> None:
    """Kill it; a supervisor starts the platform again, and the platform whatever it needs."""
    match victim:
        case "solo":
            await asyncio.to_thread(solo.kill)
            await asyncio.to_thread(solo.start)
        case "postgres":
            os.kill(await asyncio.to_thread(lambda: solo.postgres_pid), signal.SIGKILL)
        case _:
            os.kill(await asyncio.to_thread(lambda: solo.sandbox_pid), signal.SIGKILL)
