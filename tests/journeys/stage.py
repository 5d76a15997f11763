"""A platform for the tests of a worker, and for each test a caller and a look outside."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.journeys.caller import Caller, calling
from tests.journeys.outside import Outside, watching
from tests.journeys.solo import Solo, running_solo


@pytest.fixture(scope="session")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """The platform of all modules that leave it in peace; the others override this."""
    with running_solo(tmp_path_factory.mktemp("platform") / "home") as running:
        yield running


@pytest.fixture
async def caller(solo: Solo) -> AsyncGenerator[Caller]:
    """The first merchant's program. Its journal is kept over all tests of a platform."""
    async with calling(lambda: solo.ready.api, solo.ready.merchant_key, journal_of(solo)) as made:
        yield made


@pytest.fixture
def platform(caller: Caller, solo: Solo) -> Caller:
    """The holder of the platform's key."""
    return caller.holding(solo.ready.platform_key)


@pytest.fixture
async def outside(solo: Solo) -> AsyncGenerator[Outside]:
    """The outside world, healed before and after."""
    async with watching(lambda: solo.ready.sandbox) as seen:
        await seen.heal()
        yield seen
        await seen.heal()


def journal_of(solo: Solo) -> Path:
    """Where the callers of a platform keep their journal."""
    return solo.home.with_name("journal.jsonl")
