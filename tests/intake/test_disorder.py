"""A provider's messages doubled, shuffled and late: the book ends as if they had come in order."""

import asyncio
import random
from datetime import timedelta

import pytest

from guilder.connectors.psp.contract import Answer, Ask, News, Operation, Verdict
from guilder.connectors.psp.registry import Providers
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.intake.actions.apply_message import Tools
from guilder.intake.actions.receive_message import Inbound, keeper, receive_message
from guilder.kernel.ids import PaymentId
from guilder.kernel.money import Money
from guilder.payments.states import PaymentState
from tests.intake.conftest import Mailbox, sale_of, told
from tests.intake.stripe import signed, stripe_on
from tests.world import shown

PAYMENTS = 40


@pytest.mark.proves("S13", "I7", "I2", "I3")
@pytest.mark.parametrize("seed", [1, 20, 300])
async def test_doubled_and_shuffled_news_takes_the_money_once(mailbox: Mailbox, seed: int) -> None:
    drawn = random.Random(seed)
    world = mailbox.world
    world.psp.will_answer(*[Answer(Verdict.UNKNOWN)] * PAYMENTS)
    payments = [shown(await world.order(100 + n)) for n in range(PAYMENTS)]
    news: list[News] = [sale_of(ask.attempt_id, ask.amount.amount_minor) for ask in world.psp.asked]
    letters = [told(f"evt_{n}", mailbox.now, one) for n, one in enumerate(news)]
    letters += drawn.sample(letters, PAYMENTS // 5)
    letters += [told(f"again_{n}", mailbox.now, one) for n, one in enumerate(news[:10])]
    drawn.shuffle(letters)

    ids = await asyncio.gather(*(mailbox.receive(letter) for letter in letters))
    work = [*ids, *drawn.sample(ids, 10)]
    drawn.shuffle(work)
    for start in range(0, len(work), 8):
        await asyncio.gather(*(mailbox.apply(one) for one in work[start : start + 8]))

    assert await mailbox.count() == PAYMENTS + 10
    for payment_id in payments:
        assert (await world.payment(payment_id)).state is PaymentState.CAPTURED
    booked = sum(100 + n for n in range(PAYMENTS))
    assert (await world.balances())["merchant_payable EUR"] == booked
    topics = await world.topics()
    assert topics.count("payment.captured") == PAYMENTS
    assert await world.findings() == []


@pytest.mark.proves("S13")
async def test_a_message_that_overtakes_the_answer_to_our_own_question_is_heard(
    mailbox: Mailbox,
) -> None:
    world = mailbox.world

    async def tell_first(ask: Ask) -> None:
        message_id = await mailbox.receive(
            told(f"evt_{ask.attempt_id}", mailbox.now, sale_of(ask.attempt_id, 25_00))
        )
        await mailbox.apply(message_id)

    world.psp.before_answering = tell_first
    payment = await world.pay(25_00)
    assert payment.state is PaymentState.CAPTURED
    assert (await world.balances())["merchant_payable EUR"] == 25_00
    assert (await world.topics()).count("payment.captured") == 1


@pytest.mark.proves("S13", "I6")
async def test_a_refund_told_before_its_payment_waits_for_it(mailbox: Mailbox) -> None:
    world = mailbox.world
    world.psp.will_answer(Answer(Verdict.UNKNOWN))
    payment_id: PaymentId = shown(await world.order(25_00))
    sale = sale_of(world.psp.asked[0].attempt_id, 25_00)
    refund = News(
        Operation.REFUND,
        None,
        sale.payment_ref,
        Answer(Verdict.SUCCEEDED, "scripted_refund", Money.of(10_00, "EUR")),
    )
    early = await mailbox.receive(told("evt_refund", mailbox.now, refund))
    await mailbox.apply(early)
    assert (await mailbox.row(early))["state"] == "parked"
    await mailbox.apply(await mailbox.receive(told("evt_sale", mailbox.now, sale)))
    assert (await world.payment(payment_id)).state is PaymentState.CAPTURED
    await mailbox.apply_due(after=timedelta(days=1))
    row = await mailbox.row(early)
    assert row["state"] == "failed", "a refund nobody here asked for goes to people, not away"
    assert (await world.payment(payment_id)).refunded_minor == 0


@pytest.mark.proves("S15", "S4-42")
async def test_a_message_is_as_old_as_when_it_came_however_late_it_is_applied(
    mailbox: Mailbox,
) -> None:
    psp: Stripe = stripe_on(mailbox.world.clock)
    tools = Tools(mailbox.db, Providers(test={"stripe": psp}, live={}), mailbox.tools.record_news)
    mailbox.tools = tools
    inbound: Inbound = signed("evt_1", "balance.available", mailbox.now)
    receipt = await receive_message(
        tools.providers, keeper(mailbox.db), inbound=inbound, now=mailbox.now
    )
    assert await mailbox.apply_due(after=timedelta(hours=6)) == 1
    assert (await mailbox.row(receipt.message_id))["state"] == "processed"
    await psp.close()
