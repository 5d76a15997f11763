"""How another company is called: time limits, retries, a breaker and a bulkhead, as data."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When calls stop for a while; each trigger that is `None` is not used.

    `failures_max` failures within the window, `failure_percent` of at least `calls_min` calls
    within the window, or `consecutive_max` failures in a row. Then one call every `probe_seconds`
    goes out to see, and the first that succeeds lets all go out again.
    """

    window_seconds: int
    failures_max: int | None
    failure_percent: int | None
    calls_min: int
    consecutive_max: int | None
    probe_seconds: float


BREAKER_BY_RATIO = BreakerPolicy(
    window_seconds=60,
    failures_max=None,
    failure_percent=20,
    calls_min=20,  # A share of fewer calls than this says little.
    consecutive_max=10,
    probe_seconds=15,
)
"""S4-19, the default: a fifth of the calls of a minute, or ten in a row."""

NO_BREAKER = BreakerPolicy(
    window_seconds=1,
    failures_max=None,
    failure_percent=None,
    calls_min=0,
    consecutive_max=None,
    probe_seconds=1,
)
"""For the only provider there is: holding calls back would turn its silence into refusals."""

BREAKER_BY_COUNT = BreakerPolicy(
    window_seconds=30,
    failures_max=5,
    failure_percent=None,
    calls_min=0,
    consecutive_max=None,
    probe_seconds=60,
)
"""S2-18: five failures in half a minute."""


@dataclass(frozen=True, slots=True)
class CallingPolicy:
    """How one company is called; the numbers are S4-18 and S4-35 unless a comment says otherwise.

    The waiting, all tries and the pauses between them fit into `budget_seconds`.
    """

    connect_seconds: float = 0.5
    answer_seconds: float = 3.5  # One try, from connecting to the last byte.
    budget_seconds: float = 8.0
    retries_max: int = 2
    pause_first_ms: int = 200  # Doubled with each retry.
    pause_jitter_ms: int = 100  # Up to this much is added by chance.
    concurrent_max: int = 100  # The bulkhead: calls under way at once.
    waiting_max: int = 500  # Calls that may wait for a place.
    waiting_seconds: float = 2.0  # How long they may wait.
    breaker: BreakerPolicy = BREAKER_BY_RATIO


class Fate(StrEnum):
    """What became of one try."""

    ANSWERED = "answered"  # They answered, whatever they said.
    TURNED_AWAY = "turned_away"  # They did nothing, being too busy: come again.
    AT_WORK = "at_work"  # They are still at work on an earlier try: come again.
    FAILED = "failed"  # Silence, a reset, a fault, nonsense: it may have been done.
    NOT_SENT = "not_sent"  # There was no connection, so nothing can have been done.


HEALTHY = frozenset({Fate.ANSWERED, Fate.TURNED_AWAY, Fate.AT_WORK})
"""For the breaker, a company that answers is well, even when it declines."""

IN_DOUBT = frozenset({Fate.AT_WORK, Fate.FAILED})
"""After these, what was asked for may have been done, or may yet be."""


@dataclass(frozen=True, slots=True)
class Try(Generic[T]):
    """One try; `is_final` when they said that trying again is of no use."""

    fate: Fate
    value: T | None = None
    is_final: bool = False


class Obstacle(StrEnum):
    """Why a call was not even tried."""

    BREAKER_OPEN = "breaker_open"
    TOO_MANY_CALLS = "too_many_calls"


@dataclass(frozen=True, slots=True)
class Called(Generic[T]):
    """The last try, or the obstacle; `in_doubt` when a try before the last may have been done."""

    last: Try[T] | None
    in_doubt: bool = False
    obstacle: Obstacle | None = None

    @property
    def surely_not_sent(self) -> bool:
        """Whether no byte of any try can have reached them."""
        return not self.in_doubt and (self.last is None or self.last.fate is Fate.NOT_SENT)


def pause_seconds(policy: CallingPolicy, retry: int, chance: float) -> float:
    """How long to wait before a retry, the first being 0; `chance` is at least 0 and below 1."""
    return (policy.pause_first_ms * 2**retry + policy.pause_jitter_ms * chance) / 1000


class Line:
    """The line to one company: every call there goes through it.

    Its state lives in this process; several processes each find out for themselves.
    """

    def __init__(self, policy: CallingPolicy, *, monotonic: Monotonic = time.monotonic) -> None:
        self.policy = policy
        self.breaker = Breaker(policy.breaker, monotonic=monotonic)
        self._bulkhead = Bulkhead(policy.concurrent_max, waiting_max=policy.waiting_max)
        self._monotonic = monotonic

    async def call(self, once: Callable[[float], Awaitable[Try[T]]]) -> Called[T]:
        """Try `once`, given the seconds it may take, until it is answered or the budget is spent.

        What is called must bear being called again: under the same idempotency key, or reading.
        """
        deadline = self._monotonic() + self.policy.budget_seconds
        if not await self._bulkhead.enter(self.policy.waiting_seconds):
            return Called(None, obstacle=Obstacle.TOO_MANY_CALLS)
        try:
            return await self._tries(once, deadline)
        finally:
            self._bulkhead.leave()

    async def _tries(
        self, once: Callable[[float], Awaitable[Try[T]]], deadline: float
    ) -> Called[T]:
        last: Try[T] | None = None
        in_doubt = False
        for retry in range(self.policy.retries_max + 1):
            ticket = self.breaker.admit()
            if ticket is None:
                return Called(last, in_doubt, Obstacle.BREAKER_OPEN)
            if last is not None:
                in_doubt = in_doubt or last.fate in IN_DOUBT
            left = deadline - self._monotonic()
            last = await once(min(self.policy.answer_seconds, left))
            self.breaker.note(ticket, is_healthy=last.fate in HEALTHY)
            pause = pause_seconds(self.policy, retry, random.random())  # noqa: S311 - no secret.
            if last.fate is Fate.ANSWERED or last.is_final or retry == self.policy.retries_max:
                break
            if self._monotonic() + pause + self.policy.connect_seconds > deadline:
                break
            await asyncio.sleep(pause)
        return Called(last, in_doubt)


class Bulkhead:
    """So many calls at once, so many waiting, and no more."""

    def __init__(self, concurrent_max: int, *, waiting_max: int) -> None:
        self._places = asyncio.Semaphore(concurrent_max)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def enter(self, waiting_seconds: float) -> bool:
        """Take a place, to be given back with `leave`; False when none came free in time."""
        if not self._places.locked():
            return await self._places.acquire()
        if self._waiting >= self._waiting_max:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(waiting_seconds):
                return await self._places.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()


class Breaker:
    """Stops calls to a company that is not well, and looks now and then whether it is again.

    A ticket names the period in which its call went out; what a call of an earlier period brings
    back says nothing about this one, and is not counted.
    """

    def __init__(self, policy: BreakerPolicy, *, monotonic: Monotonic = time.monotonic) -> None:
        self._policy = policy
        self._monotonic = monotonic
        self._period = 0
        self._looked_at: float | None = None  # When it opened or last let a probe out.
        self._window: deque[_Second] = deque()
        self._in_a_row = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are being held back."""
        return self._looked_at is not None

    def admit(self) -> int | None:
        """A ticket for one call, or `None` while calls are held back."""
        if self._looked_at is None:
            return self._period
        if self._monotonic() - self._looked_at < self._policy.probe_seconds:
            return None
        self._turn(opened=True)
        return self._period

    def note(self, ticket: int, *, is_healthy: bool) -> None:
        """What came of the call that this ticket was given for."""
        if ticket != self._period:
            return
        if self.is_open:
            self._turn(opened=not is_healthy)
            return
        self._count(is_healthy=is_healthy)
        if not is_healthy and self._must_open():
            self._turn(opened=True)

    def _turn(self, *, opened: bool) -> None:
        self._period += 1
        self._looked_at = self._monotonic() if opened else None
        self._window.clear()
        self._in_a_row = 0

    def _count(self, *, is_healthy: bool) -> None:
        second = int(self._monotonic())
        if not self._window or self._window[-1].number != second:
            self._window.append(_Second(second))
        while self._window[0].number <= second - self._policy.window_seconds:
            self._window.popleft()
        self._window[-1].calls += 1
        self._window[-1].failures += 0 if is_healthy else 1
        self._in_a_row = 0 if is_healthy else self._in_a_row + 1

    def _must_open(self) -> bool:
        policy = self._policy
        calls = sum(second.calls for second in self._window)
        failures = sum(second.failures for second in self._window)
        return (
            (policy.consecutive_max is not None and self._in_a_row >= policy.consecutive_max)
            or (policy.failures_max is not None and failures >= policy.failures_max)
            or (
                policy.failure_percent is not None
                and calls >= policy.calls_min
                and failures * 100 >= policy.failure_percent * calls
            )
        )


@dataclass(slots=True)
class _Second:
    """What happened within one second of the monotonic clock."""

    number: int
    calls: int = 0
    failures: int = 0
