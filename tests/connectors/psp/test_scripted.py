"""The scripted provider keeps to its script and to the contract."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from guilder.connectors.psp.contract import (
    Answer,
    Ask,
    ForgedMessage,
    MalformedMessage,
    News,
    Operation,
    ProviderMessage,
    Psp,
    Verdict,
)
from guilder.connectors.psp.scripted.connector import Scripted
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money

NOW = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)


def new_ask(operation: Operation = Operation.SALE) -> Ask:
    return Ask(AttemptId.new(), operation, Money.of(2500, "EUR"), NOW, token="pm_card_visa")


def test_both_connectors_keep_the_contract() -> None:
    kinds: list[type[Psp]] = [Scripted, Stripe]
    assert kinds
    assert Scripted("second").name == "second"


async def test_without_a_script_everything_succeeds_as_asked() -> None:
    psp = Scripted()
    ask = new_ask()
    answer = await psp.ask(ask)
    assert (answer.verdict, answer.amount) == (Verdict.SUCCEEDED, ask.amount)
    assert await psp.look_up(ask) == answer == psp.book[ask.attempt_id]


async def test_answers_come_in_order_and_those_of_an_operation_first() -> None:
    psp = Scripted()
    for_any, for_refund = Answer(Verdict.DECLINED), Answer(Verdict.PENDING)
    psp.will_answer(for_any)
    psp.will_answer(for_refund, operation=Operation.REFUND)
    assert await psp.ask(new_ask(Operation.REFUND)) == for_refund
    assert await psp.ask(new_ask(Operation.REFUND)) == for_any
    assert (await psp.ask(new_ask())).verdict is Verdict.SUCCEEDED


@pytest.mark.proves("I3")
async def test_the_same_attempt_is_done_once_and_answered_as_before() -> None:
    psp = Scripted()
    ask = new_ask()
    psp.will_answer(Answer(Verdict.DECLINED), Answer(Verdict.PENDING))
    assert await psp.ask(ask) == await psp.ask(ask) == Answer(Verdict.DECLINED)
    assert psp.times_asked(ask.attempt_id) == 2
    assert len(psp.book) == 1


async def test_a_silent_provider_tells_the_truth_when_it_is_looked_up() -> None:
    psp = Scripted()
    ask = new_ask()
    psp.will_answer(Answer(Verdict.UNKNOWN))
    assert (await psp.ask(ask)).verdict is Verdict.UNKNOWN
    assert (await psp.look_up(ask)).verdict is Verdict.NEVER_SEEN
    truth = Answer(Verdict.SUCCEEDED, "ref", ask.amount)
    psp.has_in_fact(ask.attempt_id, truth)
    psp.will_find(Answer(Verdict.UNKNOWN))
    assert (await psp.look_up(ask)).verdict is Verdict.UNKNOWN
    assert await psp.look_up(ask) == truth
    psp.forgets(ask.attempt_id)
    assert (await psp.look_up(ask)).verdict is Verdict.NEVER_SEEN
    assert psp.times_looked_up(ask.attempt_id) == 4


async def test_a_call_can_break_after_it_was_booked() -> None:
    psp = Scripted()
    ask = new_ask()

    async def breaks(_: Ask) -> None:
        raise ConnectionResetError

    psp.before_answering = breaks
    with pytest.raises(ConnectionResetError):
        await psp.ask(ask)
    assert psp.book[ask.attempt_id].verdict is Verdict.SUCCEEDED


def test_its_messages_come_through_as_they_were_written() -> None:
    psp = Scripted()
    ask = new_ask(Operation.REFUND)
    answer = Answer(Verdict.SUCCEEDED, "re_1", ask.amount)
    news = News(Operation.REFUND, ask.attempt_id, "pi_1", answer)
    message = ProviderMessage("evt_1", "refund.created", NOW, news)
    headers, raw = psp.write_message(message)
    assert psp.read_message(headers, raw, NOW) == message
    with pytest.raises(ForgedMessage):
        psp.read_message({}, raw, NOW)
    with pytest.raises(ForgedMessage):
        psp.read_message(headers, raw + b" ", NOW)
    unsigned_headers, unsigned = psp.write_message(replace(message, news=None))
    assert psp.read_message(unsigned_headers, unsigned, NOW).news is None


def test_a_signed_message_that_is_none_is_malformed() -> None:
    psp = Scripted()
    for raw in (b"{", b"{}", b"[]"):
        with pytest.raises(MalformedMessage):
            psp.read_message(psp.headers_for(raw), raw, NOW)
