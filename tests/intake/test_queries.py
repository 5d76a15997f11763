"""What a money trail sees of a payment's messages."""

from datetime import timedelta

import pytest

from guilder.intake import public as intake
from guilder.kernel.ids import AttemptId
from guilder.kernel.scope import Scope
from tests.intake.conftest import Mailbox, sale_of, told


@pytest.mark.proves("I8")
async def test_the_messages_about_a_payment_are_told_in_order_and_on_its_side_only(
    mailbox: Mailbox,
) -> None:
    attempt_id = AttemptId.new()
    news = sale_of(attempt_id)
    first = await mailbox.receive(told("evt_1", mailbox.now, news))
    await mailbox.receive(told("evt_2", mailbox.now, sale_of(AttemptId.new())))
    second = await mailbox.receive(told("evt_3", mailbox.now, news))
    await mailbox.receive(told("evt_4", mailbox.now, news), is_test=False)

    async with mailbox.db.reading() as tx:
        about = await intake.list_messages_about(
            tx, Scope(is_test=True), provider="scripted", payment_refs=[news.payment_ref]
        )
        elsewhere = await intake.list_messages_about(
            tx, Scope(is_test=True), provider="stripe", payment_refs=[news.payment_ref]
        )
    assert [message.id for message in about] == [first, second]
    assert {message.state for message in about} == {intake.MessageState.RECEIVED}
    assert elsewhere == []


@pytest.mark.proves("I11")
async def test_what_lingers_is_counted(mailbox: Mailbox) -> None:
    await mailbox.receive(told("evt_1", mailbox.now))
    await mailbox.apply(await mailbox.receive(told("evt_2", mailbox.now)))
    scope = Scope(is_test=True)
    async with mailbox.db.reading() as tx:
        soon = await intake.count_lingering(tx, scope, before=mailbox.now)
        later = await intake.count_lingering(tx, scope, before=mailbox.now + timedelta(seconds=1))
    assert (soon, later) == (0, 1)
