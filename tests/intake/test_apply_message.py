"""What a message tells has one effect, whoever looks at it, however often, and however late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from guilder.connectors.psp.contract import Answer, News, Verdict
from guilder.intake import store
from guilder.intake.actions.apply_message import apply_due, apply_message
from guilder.intake.actions.redrive_message import redrive_messages
from guilder.intake.model import Conclusion
from guilder.intake.rules import LEASE, TRIES_MAX
from guilder.intake.states import MessageState
from guilder.kernel.ids import AttemptId, InboundId
from guilder.payments.states import PaymentState
from guilder.plumbing.db import DatabaseAway
from tests.intake.conftest import Mailbox, sale_of, told

DAY = timedelta(days=1)


class Listener:
    """Stands where payments stand, and does as it is told; what it believes it writes down."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.before: Callable[[News], Awaitable[str | None]] | None = None

    async def __call__(self, provider: str, news: News, now: datetime, /, *, is_test: bool) -> str:
        outcome = await self.before(news) if self.before else None
        if outcome is None:
            async with self._mailbox.db.transaction() as tx:
                await tx.run(
                    "insert into believed values ($1, $2, $3, $4) on conflict do nothing",
                    provider,
                    news.payment_ref,
                    is_test,
                    now,
                )
        return outcome or "done"

    async def believed(self) -> list[str]:
        async with self._mailbox.db.reading() as tx:
            rows = await tx.rows("select payment_ref from believed order by payment_ref")
        return [row["payment_ref"] for row in rows]


@pytest.fixture
async def listener(mailbox: Mailbox) -> Listener:
    """Puts a listener with a real table in the place of payments."""
    async with mailbox.db.transaction() as tx:
        await tx.script(
            """
            create table believed (
                provider text, payment_ref text, is_test boolean, at timestamptz,
                primary key (provider, payment_ref, is_test))
            """
        )
    listener = Listener(mailbox)
    mailbox.tools = replace(mailbox.tools, record_news=listener)
    return listener


async def send(mailbox: Mailbox, event_id: str = "evt_1") -> InboundId:
    return await mailbox.receive(told(event_id, mailbox.now, sale_of(AttemptId.new())))


@pytest.mark.proves("I7", "I3", "S4-20")
async def test_a_silent_provider_is_heard_through_its_own_message(mailbox: Mailbox) -> None:
    world = mailbox.world
    world.psp.will_answer(Answer(Verdict.UNKNOWN))
    payment = await world.pay(25_00)
    assert payment.state is PaymentState.PROCESSING
    attempt_id = world.psp.asked[0].attempt_id

    message_id = await mailbox.receive(told("evt_1", mailbox.now, sale_of(attempt_id, 25_00)))
    for _ in range(3):
        await mailbox.apply(message_id)
    repeat = await mailbox.receive(told("evt_2", mailbox.now, sale_of(attempt_id, 25_00)))
    await mailbox.apply(repeat)

    assert (await world.payment(payment.id)).state is PaymentState.CAPTURED
    assert (await world.balances())["merchant_payable EUR"] == 25_00
    row = await mailbox.row(message_id)
    assert (row["state"], row["outcome"], row["tries"]) == ("processed", "done", 1)
    assert row["processed_at"] == mailbox.now
    assert await mailbox.history(message_id) == [("received", "processed")]
    assert await world.findings() == []


async def test_a_message_that_tells_us_nothing_is_done_with(mailbox: Mailbox) -> None:
    message_id = await mailbox.receive(told("evt_1", mailbox.now))
    await mailbox.apply(message_id)
    row = await mailbox.row(message_id)
    assert (row["state"], row["outcome"]) == ("processed", "no_news")


@pytest.mark.proves("S13")
async def test_news_of_a_payment_we_do_not_know_is_parked_until_it_is_there(
    mailbox: Mailbox, listener: Listener
) -> None:
    known: set[str] = set()

    async def only_known(news: News) -> str | None:
        return None if news.payment_ref in known else "unknown_payment"

    listener.before = only_known
    message_id = await send(mailbox)
    await mailbox.apply(message_id)
    row = await mailbox.row(message_id)
    assert (row["state"], row["claimed_until"]) == ("parked", None)
    assert mailbox.now < row["next_try_at"] <= mailbox.now + timedelta(seconds=45)

    assert await mailbox.apply_due(after=timedelta(seconds=5)) == 0
    assert await mailbox.apply_due(after=timedelta(seconds=45)) == 1
    assert (await mailbox.row(message_id))["state"] == "parked"
    known.add(row["payment_ref"])
    assert await mailbox.apply_due(after=timedelta(seconds=45)) == 1
    assert await listener.believed() == [row["payment_ref"]]
    assert await mailbox.history(message_id) == [("received", "parked"), ("parked", "processed")]


async def test_news_of_nothing_of_ours_is_set_aside_after_a_day(
    mailbox: Mailbox, listener: Listener
) -> None:
    async def never(_: News) -> str:
        return "unknown_payment"

    listener.before = never
    message_id = await send(mailbox)
    await mailbox.apply(message_id)
    await mailbox.apply_due(after=DAY)
    row = await mailbox.row(message_id)
    assert row["state"] == "failed"
    assert "no payment of ours" in row["trouble"]
    assert await mailbox.apply_due(after=DAY) == 0


@pytest.mark.proves("S19", "S4-09")
async def test_trouble_is_tried_again_with_growing_waits_and_then_set_aside(
    mailbox: Mailbox, listener: Listener
) -> None:
    async def broken(_: News) -> str:
        raise RuntimeError("card 4242 4242 4242 4242 does not fit")

    listener.before = broken
    message_id = await send(mailbox)
    waits: list[timedelta] = []
    await mailbox.apply(message_id)
    while (row := await mailbox.row(message_id))["state"] == "received":
        waits.append(row["next_try_at"] - mailbox.now)
        assert await mailbox.apply_due(after=waits[-1]) == 1
    assert (row["state"], row["tries"]) == ("failed", TRIES_MAX)
    assert waits == sorted(waits)
    assert len(waits) == TRIES_MAX - 1
    assert "RuntimeError" in row["trouble"]
    assert "4242 4242" not in row["trouble"], "a card number is not kept"


@pytest.mark.proves("S19")
async def test_one_poisonous_message_holds_back_no_other(
    mailbox: Mailbox, listener: Listener
) -> None:
    ids = [await send(mailbox, f"evt_{n}") for n in range(20)]
    poison = (await mailbox.row(ids[7]))["payment_ref"]

    async def break_on_poison(news: News) -> None:
        if news.payment_ref == poison:
            raise RuntimeError("poison")

    listener.before = break_on_poison
    await mailbox.apply_due(after=timedelta(minutes=1))
    states = [(await mailbox.row(message_id))["state"] for message_id in ids]
    assert states == ["processed"] * 7 + ["received"] + ["processed"] * 12
    assert len(await listener.believed()) == 19


@pytest.mark.proves("S19")
async def test_a_redrive_starts_what_was_set_aside_afresh_once(
    mailbox: Mailbox, listener: Listener
) -> None:
    async def broken(_: News) -> str:
        raise RuntimeError("not yet")

    listener.before = broken
    ids = [await send(mailbox, f"evt_{n}") for n in range(5)]
    for _ in range(TRIES_MAX):
        await mailbox.apply_due(after=DAY)
    assert [(await mailbox.row(one))["state"] for one in ids] == ["failed"] * 5

    listener.before = None
    assert await redrive_messages(mailbox.db, provider="scripted", now=mailbox.now) == 5
    assert await redrive_messages(mailbox.db, provider="scripted", now=mailbox.now) == 0
    for _ in range(2):
        for one in ids:
            await mailbox.apply(one)
    assert len(await listener.believed()) == 5
    assert [(await mailbox.row(one))["tries"] for one in ids] == [1] * 5
    assert await mailbox.history(ids[0]) == [
        ("received", "failed"),
        ("failed", "received"),
        ("received", "processed"),
    ]


@pytest.mark.proves("S28")
async def test_two_workers_do_not_have_one_message_at_the_same_time(
    mailbox: Mailbox, listener: Listener
) -> None:
    started, go_on, calls = asyncio.Event(), asyncio.Event(), 0

    async def slow(_: News) -> None:
        nonlocal calls
        calls += 1
        started.set()
        await go_on.wait()

    listener.before = slow
    message_id = await send(mailbox)
    first = asyncio.create_task(mailbox.apply(message_id))
    await started.wait()
    await mailbox.apply(message_id)
    assert await mailbox.apply_due(after=timedelta(seconds=30)) == 0
    go_on.set()
    await first
    assert calls == 1
    assert (await mailbox.row(message_id))["state"] == "processed"


@pytest.mark.proves("S28", "S14")
async def test_the_message_of_a_dead_worker_is_taken_over_and_a_late_one_writes_nothing(
    mailbox: Mailbox, listener: Listener
) -> None:
    message_id = await send(mailbox)
    async with mailbox.db.transaction() as tx:
        dead = await store.claim_message(tx, message_id, mailbox.now, mailbox.now + LEASE)
    assert dead is not None

    async def broken(_: News) -> str:
        raise RuntimeError("not yet")

    late = Conclusion(dead, MessageState.FAILED, trouble="from beyond")
    listener.before = broken
    assert await mailbox.apply_due(after=LEASE - timedelta(seconds=1)) == 0
    for told_by_another in (broken, None):
        listener.before = told_by_another
        assert await mailbox.apply_due(after=timedelta(minutes=5)) == 1
        async with mailbox.db.transaction() as tx:
            assert await store.save_conclusions(tx, [late], mailbox.now) == 0
    row = await mailbox.row(message_id)
    assert (row["state"], row["outcome"]) == ("processed", "done")
    assert len(await listener.believed()) == 1


async def test_a_message_that_kills_every_worker_is_set_aside(mailbox: Mailbox) -> None:
    message_id = await send(mailbox)
    for _ in range(TRIES_MAX):
        mailbox.now += DAY
        async with mailbox.db.transaction() as tx:
            assert await store.claim_due(tx, mailbox.now, mailbox.now + LEASE, limit=9)
    assert await mailbox.apply_due(after=DAY) == 1
    row = await mailbox.row(message_id)
    assert row["state"] == "failed"
    assert "before it had a result" in row["trouble"]


async def test_a_lost_job_is_made_up_for(mailbox: Mailbox, listener: Listener) -> None:
    await send(mailbox)
    assert await mailbox.apply_due(after=timedelta(seconds=5)) == 0, "its job has its time"
    assert await mailbox.apply_due(after=timedelta(seconds=10)) == 1
    assert len(await listener.believed()) == 1


async def test_while_the_database_is_away_nothing_is_blamed_on_the_message(
    mailbox: Mailbox, listener: Listener
) -> None:
    async def away(_: News) -> str:
        raise DatabaseAway("away")

    listener.before = away
    message_id = await send(mailbox)
    with pytest.raises(DatabaseAway):
        await mailbox.apply(message_id)
    row = await mailbox.row(message_id)
    assert (row["state"], row["trouble"]) == ("received", None)
    listener.before = None
    assert await mailbox.apply_due(after=LEASE) == 1
    assert (await mailbox.row(message_id))["state"] == "processed"


async def test_an_unknown_message_is_nothing_to_apply(mailbox: Mailbox) -> None:
    await apply_message(mailbox.tools, message_id=InboundId.new(), now=mailbox.now)
    assert await apply_due(mailbox.tools, now=mailbox.now) == 0
