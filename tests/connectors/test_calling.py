"""Time limits, retries, breaker and bulkhead: how long we try, and when we hold back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.connectors.calling import (
    BREAKER_BY_COUNT,
    BREAKER_BY_RATIO,
    Breaker,
    BreakerPolicy,
    Bulkhead,
    Called,
    CallingPolicy,
    Fate,
    Line,
    Obstacle,
    Try,
    pause_seconds,
)
from tests.connectors.unhurried import unhurried

QUICK = CallingPolicy(
    connect_seconds=0.01,
    answer_seconds=0.2,
    budget_seconds=1.0,
    pause_first_ms=10,
    pause_jitter_ms=5,
    waiting_seconds=0.1,
)


class Hand:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def breaker(policy: BreakerPolicy = BREAKER_BY_RATIO) -> tuple[Breaker, Hand]:
    hand = Hand()
    return Breaker(policy, monotonic=hand), hand


def call(subject: Breaker, *, is_healthy: bool) -> bool:
    """One call, when it is let out."""
    ticket = subject.admit()
    if ticket is None:
        return False
    subject.note(ticket, is_healthy=is_healthy)
    return True


@pytest.mark.proves("S4-19")
def test_ten_failures_in_a_row_open_it() -> None:
    subject, _ = breaker(replace(BREAKER_BY_RATIO, failure_percent=None))
    for _ in range(9):
        call(subject, is_healthy=False)
    call(subject, is_healthy=True)
    for _ in range(9):
        call(subject, is_healthy=False)
    assert not subject.is_open
    call(subject, is_healthy=False)
    assert subject.is_open
    assert subject.admit() is None


@pytest.mark.proves("S4-19")
def test_a_fifth_of_a_minutes_calls_failing_opens_it() -> None:
    subject, hand = breaker()
    for number in range(100):
        hand.seconds += 0.5
        call(subject, is_healthy=number % 6 != 5)
    assert not subject.is_open
    for number in range(100):
        hand.seconds += 0.5
        call(subject, is_healthy=number % 4 != 0)
    assert subject.is_open


def test_few_calls_are_no_share() -> None:
    subject, _ = breaker()
    for number in range(BREAKER_BY_RATIO.calls_min - 1):
        call(subject, is_healthy=number % 2 == 0)
    assert not subject.is_open
    call(subject, is_healthy=False)
    assert subject.is_open


def test_what_happened_before_the_window_is_forgotten() -> None:
    subject, hand = breaker(BREAKER_BY_COUNT)
    for _ in range(20):
        hand.seconds += 8
        call(subject, is_healthy=False)
    assert not subject.is_open


@pytest.mark.proves("S2-18")
def test_five_failures_in_half_a_minute_open_the_other_preset() -> None:
    subject, hand = breaker(BREAKER_BY_COUNT)
    for _ in range(5):
        assert not subject.is_open
        hand.seconds += 5
        call(subject, is_healthy=True)
        call(subject, is_healthy=False)
    assert subject.is_open
    hand.seconds += 59
    assert subject.admit() is None
    hand.seconds += 1
    assert call(subject, is_healthy=True)
    assert not subject.is_open


def opened() -> tuple[Breaker, Hand]:
    subject, hand = breaker()
    for _ in range(10):
        call(subject, is_healthy=False)
    return subject, hand


@pytest.mark.proves("S4-19", "S20")
def test_one_probe_goes_out_every_fifteen_seconds_until_one_succeeds() -> None:
    subject, hand = opened()
    hand.seconds += 14.9
    assert subject.admit() is None
    hand.seconds += 0.1
    probe = subject.admit()
    assert probe is not None
    assert subject.admit() is None
    subject.note(probe, is_healthy=False)
    hand.seconds += 14.9
    assert subject.admit() is None
    hand.seconds += 0.1
    assert call(subject, is_healthy=True)
    assert all(call(subject, is_healthy=True) for _ in range(5))


def test_a_probe_that_never_comes_back_makes_room_for_the_next() -> None:
    subject, hand = opened()
    hand.seconds += 15
    assert subject.admit() is not None
    hand.seconds += 15
    assert call(subject, is_healthy=True)
    assert not subject.is_open


def test_a_call_from_before_it_opened_says_nothing_about_now() -> None:
    subject, _ = breaker()
    early = subject.admit()
    assert early is not None
    for _ in range(10):
        call(subject, is_healthy=False)
    subject.note(early, is_healthy=True)
    assert subject.is_open


@unhurried
@given(st.lists(st.booleans(), max_size=200))
def test_without_failures_it_never_opens_and_with_them_it_opens_in_time(fates: list[bool]) -> None:
    subject, _ = breaker()
    in_a_row = 0
    for is_healthy in fates:
        if not call(subject, is_healthy=is_healthy):
            break
        in_a_row = 0 if is_healthy else in_a_row + 1
        assert in_a_row < 10 or subject.is_open
    assert not (subject.is_open and all(fates))


@pytest.mark.proves("S4-18")
def test_pauses_double_and_carry_a_little_chance() -> None:
    policy = CallingPolicy()
    assert [pause_seconds(policy, retry, 0) for retry in range(3)] == [0.2, 0.4, 0.8]
    assert pause_seconds(policy, 0, 0.5) == pytest.approx(0.25)
    assert policy.retries_max == 2
    assert policy.budget_seconds == 8


Once = Callable[[float], Awaitable[Try[str]]]


def plays(*tries: Try[str]) -> tuple[Once, list[float]]:
    """A call that goes as told, and the seconds that each try was given."""
    script, given_seconds = list(tries), list[float]()

    async def once(seconds: float) -> Try[str]:
        given_seconds.append(seconds)
        return script.pop(0)

    return once, given_seconds


FAILED: Try[str] = Try(Fate.FAILED)
NOT_SENT: Try[str] = Try(Fate.NOT_SENT)
BUSY: Try[str] = Try(Fate.TURNED_AWAY)
AT_WORK: Try[str] = Try(Fate.AT_WORK)
GOOD = Try(Fate.ANSWERED, "good")


@pytest.mark.parametrize(
    ("tries", "last", "in_doubt", "surely_not_sent"),
    [
        ([GOOD], GOOD, False, False),
        ([FAILED, GOOD], GOOD, True, False),
        ([AT_WORK, GOOD], GOOD, True, False),
        ([BUSY, GOOD], GOOD, False, False),
        ([NOT_SENT, GOOD], GOOD, False, False),
        ([NOT_SENT, NOT_SENT, NOT_SENT], NOT_SENT, False, True),
        ([FAILED, NOT_SENT, NOT_SENT], NOT_SENT, True, False),
        ([NOT_SENT, FAILED, FAILED], FAILED, True, False),
        ([BUSY, BUSY, BUSY], BUSY, False, False),
        ([replace(FAILED, is_final=True)], replace(FAILED, is_final=True), False, False),
    ],
)
async def test_it_is_tried_until_it_is_answered(
    *, tries: list[Try[str]], last: Try[str], in_doubt: bool, surely_not_sent: bool
) -> None:
    once, given_seconds = plays(*tries)
    called = await Line(QUICK).call(once)
    assert (called.last, called.in_doubt) == (last, in_doubt)
    assert called.surely_not_sent is surely_not_sent
    assert len(given_seconds) == len(tries)


@pytest.mark.proves("S4-18")
async def test_no_try_begins_that_cannot_end_within_the_budget() -> None:
    policy = replace(QUICK, budget_seconds=0.3, answer_seconds=0.2, pause_first_ms=50)
    line = Line(policy)
    starts: list[float] = []
    loop = asyncio.get_running_loop()

    async def slow(seconds: float) -> Try[str]:
        starts.append(seconds)
        await asyncio.sleep(seconds)
        return FAILED

    before = loop.time()
    await line.call(slow)
    assert loop.time() - before < 0.4
    assert starts[0] == pytest.approx(0.2, abs=0.02)
    assert starts[-1] < 0.1


async def test_when_the_breaker_opens_between_tries_the_last_try_stands() -> None:
    line = Line(replace(QUICK, breaker=replace(BREAKER_BY_RATIO, consecutive_max=1)))
    once, given_seconds = plays(FAILED, GOOD)
    assert await line.call(once) == Called(FAILED, obstacle=Obstacle.BREAKER_OPEN)
    assert len(given_seconds) == 1
    called = await line.call(once)
    assert called == Called(None, obstacle=Obstacle.BREAKER_OPEN)
    assert called.surely_not_sent


@pytest.mark.proves("S4-08")
async def test_so_many_at_once_so_many_waiting_and_no_more() -> None:
    line = Line(replace(QUICK, concurrent_max=2, waiting_max=1, waiting_seconds=5))
    under_way, most = 0, 0
    go = asyncio.Event()

    async def held(_: float) -> Try[str]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go.wait()
        under_way -= 1
        return GOOD

    calls = [asyncio.create_task(line.call(held)) for _ in range(5)]
    await asyncio.sleep(0.05)
    go.set()
    obstacles = [called.obstacle for called in await asyncio.gather(*calls)]
    assert most == 2
    assert obstacles.count(Obstacle.TOO_MANY_CALLS) == 2


async def test_waiting_for_a_place_ends() -> None:
    subject = Bulkhead(1, waiting_max=5)
    assert await subject.enter(1)
    assert not await subject.enter(0.02)
    subject.leave()
    assert await subject.enter(0.02)


async def test_a_caller_who_leaves_gives_the_place_back() -> None:
    line = Line(replace(QUICK, concurrent_max=1, waiting_max=0))

    async def forever(_: float) -> Try[str]:
        await asyncio.sleep(60)
        return GOOD

    leaving = asyncio.create_task(line.call(forever))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    once, _ = plays(GOOD)
    assert (await line.call(once)).last == GOOD
