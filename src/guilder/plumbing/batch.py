"""The one batcher: calls that wait at the same moment share one transaction (house.md 5a)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from guilder.kernel.errors import Refusal
from guilder.plumbing.db import Database, DatabaseAway, OutcomeUnknown, Tx

Order = TypeVar("Order")
Outcome = TypeVar("Outcome")

MEMBERS_MAX = 256  # Beyond this a batch gains little and its locks are held longer.
IN_FLIGHT_MAX = 2  # One commits while the next one gathers.


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Order, Outcome]):
    order: Order
    answer: "asyncio.Future[Outcome | Refusal]"


class Batcher(Generic[Order, Outcome]):
    """Gathers orders while a batch commits; a lone caller is never delayed.

    `run` takes the orders in order of arrival and returns one outcome for each, in that order. A
    `Refusal` in a slot is raised to that caller alone. If the transaction fails as a whole, each
    order is run alone, so that the guilty one fails alone; when the commit itself was lost,
    nothing is run again and every caller is told so.
    """

    def __init__(
        self,
        db: Database,
        run: Callable[[Tx, Sequence[Order]], Awaitable[Sequence[Outcome | Refusal]]],
        *,
        members_max: int = MEMBERS_MAX,
    ) -> None:
        self._db = db
        self._run = run
        self._members_max = members_max
        self._queue: deque[_Waiting[Order, Outcome]] = deque()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._working = 0

    async def put(self, order: Order) -> Outcome:
        """Have this order done with whoever else is waiting; returns after the durable commit."""
        answer: asyncio.Future[Outcome | Refusal] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(order, answer))
        if self._working < IN_FLIGHT_MAX:
            self._start()
        outcome = await answer
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def _start(self) -> None:
        self._working += 1
        task = asyncio.create_task(self._work())
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _work(self) -> None:
        """Work until nobody waits; whoever comes after that last look starts another.

        A task's callbacks run too late to tell them: an order between the two would be forgotten.
        """
        try:
            while self._queue:
                members = [
                    self._queue.popleft() for _ in range(min(len(self._queue), self._members_max))
                ]
                await self._together(members)
        finally:
            self._working -= 1

    async def _together(self, members: list[_Waiting[Order, Outcome]]) -> None:
        try:
            async with self._db.transaction() as tx:
                outcomes = await self._run(tx, [member.order for member in members])
                assert len(outcomes) == len(members), "a batch answers each of its members"
        except (DatabaseAway, OutcomeUnknown) as trouble:
            for member in members:
                _fail(member, trouble)
        except Exception as trouble:  # noqa: BLE001 - every waiting caller must hear of it.
            await self._one_by_one(members, trouble)
        else:
            for member, outcome in zip(members, outcomes, strict=True):
                if not member.answer.done():
                    member.answer.set_result(outcome)

    async def _one_by_one(
        self, members: list[_Waiting[Order, Outcome]], trouble: Exception
    ) -> None:
        if len(members) == 1:
            _fail(members[0], trouble)
            return
        for member in members:
            await self._together([member])


def _fail(member: "_Waiting[Order, Outcome]", trouble: Exception) -> None:
    if not member.answer.done():
        member.answer.set_exception(trouble)
