"""Deliver events to those who registered: signed by the provider, retried, kept over a restart."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

import aiohttp
import msgspec

from guilder_sandbox.clock import real_millis
from guilder_sandbox.faults import roll
from guilder_sandbox.store import Store

DeliveryState: TypeAlias = Literal["pending", "delivered", "given_up", "dropped"]

RETRY_SECONDS = (1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600, 3600, 3600)  # Then it is given up.
ANSWER_SECONDS_MAX = 10  # A receiver that thinks longer is asked again later.
AT_ONCE = 32  # Deliveries under way at the same time.
OVERTAKEN_MS = 900  # How long a reordered event is held back, so that later ones pass it.
IDLE_SECONDS = 60

SCHEMA = """
create table if not exists delivery (
  seq integer primary key,
  provider text not null,
  endpoint_seq integer not null,
  event_seq integer not null,
  attempts integer not null,
  due_ms integer not null,
  state text not null check (state in ('pending', 'delivered', 'given_up', 'dropped')),
  last_status integer
) strict;
create index if not exists delivery_due on delivery (due_ms, seq) where state = 'pending';
"""
PUT = """
insert or replace into delivery
  (seq, provider, endpoint_seq, event_seq, attempts, due_ms, state, last_status)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""
DUE = """
select seq, provider, endpoint_seq, event_seq, attempts, due_ms, state, last_status
  from delivery where state = 'pending' and due_ms <= ? order by due_ms, seq limit ?
"""


class Weather(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How badly deliveries go: per cents from 0 to 100, decided by the seed."""

    delay_ms: int = 0
    duplicate_percent: int = 0
    reorder_percent: int = 0
    drop_percent: int = 0
    seed: int = 0
    paused: bool = False

    def is_fair(self) -> bool:
        return not (
            self.delay_ms or self.duplicate_percent or self.reorder_percent or self.drop_percent
        )

    def plan(self, ordinal: int) -> list[int]:
        """Milliseconds to wait for each delivery of the `ordinal`-th event; empty drops it."""
        if roll(self.seed, ordinal, "drop") < self.drop_percent:
            return []
        late = roll(self.seed, ordinal, "reorder") < self.reorder_percent
        wait = self.delay_ms + (OVERTAKEN_MS if late else 0)
        twice = roll(self.seed, ordinal, "duplicate") < self.duplicate_percent
        return [wait, wait + 50] if twice else [wait]


class Delivery(msgspec.Struct, array_like=True):
    """One event on its way to one endpoint."""

    seq: int
    provider: str
    endpoint_seq: int
    event_seq: int
    attempts: int
    due_ms: int
    state: DeliveryState
    last_status: int | None


class Post(msgspec.Struct):
    """What to send: written and signed by the provider's dialect."""

    url: str
    headers: dict[str, str]
    body: bytes


Writer: TypeAlias = Callable[[int, int], Post | None]


class Sender:
    """Sends what is due, oldest first; at least once, and in no promised order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(SCHEMA)
        self._writers: dict[str, Writer] = {}
        self._nudge = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._retry_now = False
        kept = store.setting("weather")
        self.weather = Weather() if kept is None else msgspec.json.decode(kept, type=Weather)
        self._ordinal = 0

    def speak_for(self, provider: str, writer: Writer) -> None:
        """`writer` turns an endpoint and an event into a post; None when either is gone."""
        self._writers[provider] = writer

    def set_weather(self, weather: Weather) -> None:
        self.weather = weather
        self._ordinal = 0
        self._store.save_setting("weather", msgspec.json.encode(weather).decode())
        self._nudge.set()

    def enqueue(self, provider: str, *, endpoint_seq: int, event_seq: int) -> None:
        """Put a delivery beside the event, in the same commit."""
        waits = [0]
        if not self.weather.is_fair():
            self._ordinal += 1
            waits = self.weather.plan(self._ordinal)
        now = real_millis()
        state: DeliveryState = "pending" if waits else "dropped"
        for wait in waits or [0]:
            seq = self._store.next_seq("delivery")
            due = now + wait
            self._put(Delivery(seq, provider, endpoint_seq, event_seq, 0, due, state, None))
        self._nudge.set()

    def hurry(self) -> None:
        """Try again now whatever waits for a retry."""
        self._retry_now = True
        self._nudge.set()

    def pending(self) -> int:
        rows = self._store.all("select count(*) from delivery where state = 'pending'")
        return int(rows[0][0] or 0)

    def counts(self) -> dict[str, int]:
        """How many deliveries there are in each state, over all time."""
        rows = self._store.all("select state, count(*) from delivery group by state")
        return {str(state): int(count or 0) for state, count in rows}

    async def run(self) -> None:
        """Send until cancelled; what is not yet sent then waits in the store."""
        limits = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(timeout=limits, connector=connector) as session:
            try:
                while True:
                    self._nudge.clear()
                    self._start_due(session)
                    await self._wait_for_work()
            finally:
                for task in list(self._under_way.values()):
                    task.cancel()
                await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _start_due(self, session: aiohttp.ClientSession) -> None:
        room = AT_ONCE - len(self._under_way)
        if self.weather.paused or room <= 0:
            return
        if self._retry_now:
            self._retry_now = False
            self._store.put(
                "update delivery set due_ms = ? where state = 'pending' and attempts > 0",
                (real_millis(),),
            )
        for row in self._store.all(DUE, (real_millis(), AT_ONCE)):
            delivery = msgspec.convert(row, Delivery)
            if delivery.seq not in self._under_way and room > 0:
                room -= 1
                task = asyncio.create_task(self._deliver(session, delivery))
                self._under_way[delivery.seq] = task

    async def _wait_for_work(self) -> None:
        """Sleep until something is put, or ends, or becomes due."""
        row = self._store.find(
            "select min(due_ms) from delivery where state = 'pending' and due_ms > ?",
            (real_millis(),),
        )
        due = row[0] if row is not None and isinstance(row[0], int) else None
        seconds = IDLE_SECONDS if due is None else max(0, due - real_millis()) / 1000 + 0.001
        try:
            await asyncio.wait_for(self._nudge.wait(), min(seconds, IDLE_SECONDS))
        except TimeoutError:
            return

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        try:
            writer = self._writers.get(delivery.provider)
            post = None if writer is None else writer(delivery.endpoint_seq, delivery.event_seq)
            if post is None:
                delivery.state = "given_up"
            else:
                delivery.last_status = await _send(session, post)
                _conclude(delivery)
            self._put(delivery)
            await self._store.settled()
        finally:
            self._under_way.pop(delivery.seq, None)
            self._nudge.set()

    def _put(self, d: Delivery) -> None:
        self._store.put(
            PUT,
            (
                *(d.seq, d.provider, d.endpoint_seq, d.event_seq, d.attempts, d.due_ms),
                *(d.state, d.last_status),
            ),
        )


async def _send(session: aiohttp.ClientSession, post: Post) -> int | None:
    """The receiver's status, or None when there was none."""
    try:
        async with session.post(
            post.url, data=post.body, headers=post.headers, allow_redirects=False
        ) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


def _conclude(delivery: Delivery) -> None:
    status = delivery.last_status
    if status is not None and 200 <= status < 300:
        delivery.state = "delivered"
    elif delivery.attempts >= len(RETRY_SECONDS):
        delivery.state = "given_up"
    else:
        delivery.due_ms = real_millis() + RETRY_SECONDS[delivery.attempts] * 1000
    delivery.attempts += 1
