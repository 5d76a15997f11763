"""Taking a payment: one effect for one key, whatever the provider does."""

import asyncio
from datetime import timedelta

import pytest

from guilder.connectors.psp.contract import (
    Advice,
    Answer,
    Ask,
    Decline,
    News,
    Operation,
    Reason,
    Verdict,
)
from guilder.kernel.idempotency import KeyInProgress, KeyReused
from guilder.kernel.ids import AttemptId, MerchantId
from guilder.kernel.money import Money
from guilder.merchants.public import MerchantNotFound
from guilder.payments.public import record_news
from guilder.payments.states import AttemptState, PaymentState
from tests.world import World, shown

NO = Answer(
    Verdict.DECLINED,
    decline=Decline(Reason.INSUFFICIENT_FUNDS, Advice.RETRY_LATER, "insufficient_funds"),
)


@pytest.mark.proves("S4-28", "S4-10", "I1", "I3")
async def test_a_payment_is_taken_booked_and_announced_together(world: World) -> None:
    payment = await world.pay(25_00)

    assert payment.state is PaymentState.CAPTURED
    assert (payment.authorized_minor, payment.captured_minor) == (25_00, 25_00)
    assert (payment.method.brand, payment.method.last4) == ("visa", "4242")
    assert await world.balances() == {
        "merchant_payable EUR": 25_00,
        "psp_clearing:scripted EUR": 25_00,
    }
    assert await world.topics() == ["merchant.created", "payment.captured"]
    assert len(world.psp.book) == 1
    assert await world.findings() == []


async def test_a_manual_payment_reserves_the_money_and_posts_nothing(world: World) -> None:
    payment = await world.pay(25_00, capture_method="manual")

    assert payment.state is PaymentState.AUTHORIZED
    assert (payment.authorized_minor, payment.captured_minor) == (25_00, 0)
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.authorized"]


async def test_a_decline_is_an_outcome_and_moves_nothing(world: World) -> None:
    world.psp.will_answer(NO)
    payment = await world.pay(25_00)

    assert payment.state is PaymentState.DECLINED
    assert payment.decline is not None
    assert payment.decline.reason is Reason.INSUFFICIENT_FUNDS
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.declined"]


@pytest.mark.proves("S4-16", "S02")
async def test_the_same_key_takes_the_money_once_and_is_answered_alike(world: World) -> None:
    first = await world.order(25_00, key="one")
    second = await world.order(25_00, key="one")

    assert not first.is_replay
    assert second.is_replay
    assert second.answer == first.answer
    assert len(world.psp.asked) == 1
    assert await world.balances() == {
        "merchant_payable EUR": 25_00,
        "psp_clearing:scripted EUR": 25_00,
    }


@pytest.mark.proves("S4-16", "S02")
async def test_the_same_key_with_another_body_is_refused_and_changes_nothing(world: World) -> None:
    await world.order(25_00, key="one")
    before = await world.counts()
    with pytest.raises(KeyReused):
        await world.order(26_00, key="one")
    assert await world.counts() == before


@pytest.mark.proves("S4-16", "S02")
async def test_forty_callers_with_one_key_make_one_payment(world: World) -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(_ask: Ask) -> None:
        asked.set()
        await release.wait()

    world.psp.before_answering = hold
    callers = [asyncio.create_task(world.order(25_00, key="one")) for _ in range(40)]
    await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED, timeout=1)
    release.set()
    results = await asyncio.gather(*callers, return_exceptions=True)

    answered = [result for result in results if not isinstance(result, BaseException)]
    waiting = [result for result in results if isinstance(result, KeyInProgress)]
    assert len(answered) + len(waiting) == 40
    assert len(answered) >= 1
    assert len(world.psp.asked) == 1
    assert (await world.counts())["payments"] == 1


@pytest.mark.proves("S03", "I3")
async def test_a_silent_provider_is_asked_again_and_believed_once(world: World) -> None:
    world.psp.will_answer(Answer(Verdict.UNKNOWN, detail="silence"))
    answered = await world.order(25_00, key="one")
    assert answered.answer.status == 202
    payment_id = shown(answered)
    (attempt,) = (await world.story(payment_id)).attempts
    assert attempt.state is AttemptState.ASKED

    world.psp.has_in_fact(
        attempt.id, Answer(Verdict.SUCCEEDED, provider_ref="ref-1", amount=Money.of(25_00, "EUR"))
    )
    for _ in range(3):
        await world.resolve()

    payment = await world.payment(payment_id)
    assert payment.state is PaymentState.CAPTURED
    assert payment.provider_ref == "ref-1"
    assert await world.balances() == {
        "merchant_payable EUR": 25_00,
        "psp_clearing:scripted EUR": 25_00,
    }
    assert (await world.topics())[1:] == ["payment.captured"]
    assert (await world.order(25_00, key="one")).answer == answered.answer
    assert len(world.psp.asked) == 1


@pytest.mark.proves("S03")
async def test_what_a_provider_never_saw_fails_only_after_the_patience(world: World) -> None:
    world.psp.will_answer(Answer(Verdict.UNKNOWN))
    payment = await world.pay(25_00)
    assert await world.resolve(after=timedelta(seconds=5)) == 1
    assert (await world.payment(payment.id)).state is PaymentState.PROCESSING

    assert await world.resolve(after=timedelta(seconds=60)) == 1
    assert (await world.payment(payment.id)).state is PaymentState.FAILED
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.failed"]


@pytest.mark.proves("S03", "I3")
@pytest.mark.parametrize("method", ["automatic", "manual"])
async def test_a_yes_for_a_payment_given_up_is_booked_and_given_back(
    world: World, method: str
) -> None:
    world.psp.will_answer(Answer(Verdict.UNKNOWN))
    payment = await world.pay(25_00, capture_method=method)
    await world.resolve()
    (attempt,) = (await world.story(payment.id)).attempts
    assert attempt.state is AttemptState.FAILED

    late = Answer(Verdict.SUCCEEDED, provider_ref="late", amount=Money.of(25_00, "EUR"))
    world.psp.has_in_fact(attempt.id, late)
    await _tell(world, attempt.operation, attempt.id, late)
    await _tell(world, attempt.operation, attempt.id, late)
    await world.resolve()
    await world.resolve()

    story = await world.story(payment.id)
    assert [one.state for one in story.attempts] == [AttemptState.OVERTAKEN, AttemptState.SUCCEEDED]
    undo = story.attempts[1]
    assert undo.undoes_id == attempt.id
    assert undo.operation is (Operation.REFUND if method == "automatic" else Operation.VOID)
    assert story.payment.state is PaymentState.FAILED
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.failed", "payment.overtaken"]
    assert len(world.psp.book) == 2
    assert await world.findings() == []


@pytest.mark.proves("S21", "I2")
@pytest.mark.parametrize("amount", [Money.of(24_99, "EUR"), Money.of(25_00, "USD")])
async def test_a_yes_to_another_amount_is_not_believed(world: World, amount: Money) -> None:
    world.psp.will_answer(Answer(Verdict.SUCCEEDED, provider_ref="ref-1", amount=amount))
    payment = await world.pay(25_00)

    assert payment.state is PaymentState.PROCESSING
    (attempt,) = (await world.story(payment.id)).attempts
    assert str(amount) in (attempt.detail or "")
    assert await world.balances() == {}


async def test_somebody_elses_merchant_is_not_found_and_the_key_stays_free(world: World) -> None:
    before = await world.counts()
    theirs, world.merchant_id = world.merchant_id, MerchantId.new()
    with pytest.raises(MerchantNotFound):
        await world.order(25_00, key="one")
    assert await world.counts() == before
    assert world.psp.asked == []
    world.merchant_id = theirs
    assert (await world.pay(25_00, key="one")).state is PaymentState.CAPTURED


@pytest.mark.proves("S09")
async def test_a_caller_who_hangs_up_leaves_a_finished_payment(world: World) -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(_ask: Ask) -> None:
        asked.set()
        await release.wait()

    world.psp.before_answering = hold
    caller = asyncio.create_task(world.order(25_00, key="one"))
    await asked.wait()
    caller.cancel()
    release.set()
    await world.kit.drain()

    replay = await world.order(25_00, key="one")
    assert replay.is_replay
    assert (await world.payment(shown(replay))).state is PaymentState.CAPTURED


async def test_after_a_crash_between_the_beats_the_key_tells_how_it_ended(world: World) -> None:
    """The first request dies after beat one: nobody was asked, and nobody was answered."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def die(_ask: Ask) -> None:
        asked.set()
        await release.wait()

    world.psp.before_answering = die
    task = asyncio.create_task(world.order(25_00, key="one"))
    await asked.wait()
    with pytest.raises(KeyInProgress):
        await world.order(25_00, key="one")
    world.clock.move(timedelta(seconds=16))
    abandoned = await world.order(25_00, key="one")
    assert abandoned.answer.status == 202
    await world.resolve()
    assert (await world.payment(shown(abandoned))).state is PaymentState.CAPTURED
    release.set()
    await task
    assert (await world.order(25_00, key="one")).answer == abandoned.answer


async def _tell(world: World, operation: Operation, attempt_id: AttemptId, answer: Answer) -> None:
    news = News(operation, attempt_id, answer.provider_ref or "", answer)
    await record_news(world.kit, "scripted", news, world.clock.now(), is_test=True)
