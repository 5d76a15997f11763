"""Looking at everything when the work is done: trails, webhooks, the three books."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from guilder.roles.demo.books import (
    OurPayment,
    compare_with_caller,
    compare_with_provider,
    doubled,
    our_payment,
)
from guilder.roles.demo.caller import Caller
from guilder.roles.demo.journal import Journal
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.views import (
    Made,
    Movement,
    PageSeen,
    PaymentSeen,
    ProviderBooks,
    TrailSeen,
    TrialBalanceSeen,
    TrialLineSeen,
)

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
WEBHOOK_SECONDS = 80  # A worker that was killed holds what it was sending for a minute.
RESEND_SECONDS = 7  # Past the first retry: what has not come by then is asked for again.
LOOK_SECONDS = 0.3
DELIVERED = "delivered"


@dataclass(slots=True)
class Comparison:
    """What the three books say, and everything in which they differ."""

    payments: int = 0
    attempts: int = 0
    movements: int = 0
    others: int = 0
    trial_balance: list[TrialLineSeen] = field(default_factory=list[TrialLineSeen])
    differences: list[str] = field(default_factory=list[str])


class Looking:
    """Reads with the platform's key what a whole run, or a whole home, has come to."""

    def __init__(self, caller: Caller, *, platform_key: str) -> None:
        self._caller = caller
        self._key = platform_key

    async def trail(self, payment_id: str) -> TrailSeen:
        """The trail of one payment."""
        path = f"/v1/payments/{payment_id}/trail"
        return await self._caller.look(path, TrailSeen, bearer=self._key)

    async def webhooks_arrive(
        self, payment_ids: Sequence[str], receiver: Receiver, heard: Collection[str]
    ) -> tuple[dict[str, TrailSeen], list[str]]:
        """The trails once every event has reached its receiver, and the events that did not.

        `heard` are events that came in a former sitting. What has not come after its first retry
        is asked for again.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        trails: dict[str, TrailSeen] = {}
        open_ids = list(payment_ids)
        resent: set[str] = set()
        while True:
            for trail in await side_by_side(open_ids, self.trail):
                trails[trail.payment_id] = trail
            late = {one: _unheard(trails[one], receiver, heard) for one in open_ids}
            open_ids = [one for one in open_ids if late[one]]
            if not open_ids or loop.time() - started > WEBHOOK_SECONDS:
                return trails, [event for one in open_ids for event in late[one]]
            if loop.time() - started > RESEND_SECONDS:
                await self._resend([trails[one] for one in open_ids], late, resent)
            await asyncio.sleep(LOOK_SECONDS)

    async def compare(
        self,
        journal: Journal,
        *,
        is_ours: Callable[[PaymentSeen], bool],
        trails: Mapping[str, TrailSeen],
    ) -> Comparison:
        """All payments of this home against the provider's whole book and the whole journal.

        `trails` are those already at hand; the others are fetched.
        """
        everything = await self._payments()
        ours = [payment for payment in everything if is_ours(payment)]
        told = await side_by_side(ours, lambda one: self._told(one, trails))
        movements = await self._movements()
        merchants = journal.merchants()
        balance = await self._caller.look(
            "/v1/ledger/trial-balance", TrialBalanceSeen, bearer=self._key
        )
        differences = [
            *compare_with_provider(told, movements),
            *compare_with_caller(
                told,
                seen=journal.saw,
                answered=_payments_told_of(journal),
                merchants=merchants,
                unanswered=_unanswered(journal),
            ),
            *doubled(told, merchants),
            *(
                f"the trial balance of {line.currency} is off by {line.difference_minor}"
                for line in balance.lines
                if line.difference_minor != 0
            ),
        ]
        return Comparison(
            payments=len(ours),
            attempts=sum(len(one.attempts) for one in told),
            movements=len(movements),
            others=len(everything) - len(ours),
            trial_balance=balance.lines,
            differences=differences,
        )

    async def _told(self, payment: PaymentSeen, trails: Mapping[str, TrailSeen]) -> OurPayment:
        known = trails.get(payment.id)
        return our_payment(payment, known or await self.trail(payment.id))

    async def _payments(self) -> list[PaymentSeen]:
        found: list[PaymentSeen] = []
        path = "/v1/payments?limit=100"
        while True:
            after = f"&starting_after={found[-1].id}" if found else ""
            page = await self._caller.look(path + after, PageSeen, bearer=self._key)
            found += page.data
            if not page.has_more:
                return found

    async def _movements(self) -> list[Movement]:
        raw = await self._caller.sandbox("GET", "/book")
        books = msgspec.json.decode(raw, type=ProviderBooks)
        return [movement for book in books.providers.values() for movement in book]

    async def _resend(
        self, trails: Iterable[TrailSeen], late: Mapping[str, list[str]], resent: set[str]
    ) -> None:
        for trail in trails:
            for step in trail.of("delivery"):
                if step.facts["event_id"] in late[trail.payment_id] and step.id not in resent:
                    resent.add(step.id)
                    path = f"/v1/webhook-deliveries/{step.id}/resend"
                    await self._caller.make(
                        path, {}, Made, key=f"resend:{step.id}", bearer=self._key
                    )


async def side_by_side(things: Iterable[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """Work on all of them, a few at a time; the results in their order, or the first trouble."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(thing: T) -> R:
        async with places:
            return await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(thing)) for thing in things]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]


def _unheard(trail: TrailSeen, receiver: Receiver, heard: Collection[str]) -> list[str]:
    """The events of a payment whose message nobody has received yet."""
    delivered = {
        step.facts["event_id"] for step in trail.of("delivery") if step.facts["state"] == DELIVERED
    }
    return [
        step.id
        for step in trail.of("event")
        if step.id not in receiver.verified and step.id not in heard and step.id not in delivered
    ]


def _payments_told_of(journal: Journal) -> dict[str, PaymentSeen]:
    """The payments that the caller was answered, as they were then, by id."""
    told: dict[str, PaymentSeen] = {}
    for key, answer in journal.answers.items():
        if journal.sent[key].path == "/v1/payments" and 200 <= answer.status < 300:
            payment = msgspec.json.decode(answer.body, type=PaymentSeen)
            told[payment.id] = payment
    return told


class _Referred(msgspec.Struct):
    reference: str


def _unanswered(journal: Journal) -> set[str]:
    """References of payments that were asked for, and never answered to the caller."""
    return {
        msgspec.json.decode(sent.body, type=_Referred).reference
        for key, sent in journal.sent.items()
        if sent.path == "/v1/payments" and key not in journal.answers
    }
