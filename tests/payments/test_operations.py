"""Capture, void and refund: guarded before anyone is asked, concluded once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from guilder.connectors.psp.contract import (
    Advice,
    Answer,
    Decline,
    Operation,
    Reason,
    Verdict,
)
from guilder.kernel.errors import Refusal
from guilder.kernel.ids import MerchantId, PaymentId
from guilder.kernel.money import Money
from guilder.kernel.scope import Scope
from guilder.payments.errors import (
    CaptureExceedsAuthorized,
    OperationDeclined,
    OperationInProgress,
    PaymentNotCapturable,
    PaymentNotFound,
    PaymentNotRefundable,
    PaymentNotVoidable,
    RefundExceedsCaptured,
)
from guilder.payments.model import Payment
from guilder.payments.states import AttemptState, PaymentState, RefundState
from tests.world import World

CAPTURE, VOID, REFUND = Operation.CAPTURE, Operation.VOID, Operation.REFUND
NO = Answer(
    Verdict.DECLINED, decline=Decline(Reason.GENERIC_DECLINE, Advice.OTHER_METHOD, "no_thanks")
)


@pytest.mark.proves("S4-28", "I6")
async def test_a_partial_capture_books_its_part_and_lets_the_rest_go(world: World) -> None:
    payment = await world.pay(25_00, capture_method="manual")
    answered = await world.operate(CAPTURE, payment.id, 10_00)

    payment = await world.payment(payment.id)
    assert answered.answer.status == 201
    assert payment.state is PaymentState.PARTIALLY_CAPTURED
    assert (payment.authorized_minor, payment.captured_minor) == (25_00, 10_00)
    assert await world.balances() == {
        "merchant_payable EUR": 10_00,
        "psp_clearing:scripted EUR": 10_00,
    }
    assert (await world.topics())[1:] == ["payment.authorized", "payment.captured"]
    assert await world.findings() == []


@pytest.mark.proves("S4-28", "I6")
async def test_refunds_go_back_to_the_last_cent_and_no_further(world: World) -> None:
    payment = await world.pay(25_00)
    for amount in (10_00, 14_99):
        await world.operate(REFUND, payment.id, amount)
        assert (await world.payment(payment.id)).state is PaymentState.PARTIALLY_REFUNDED
    await _refused(world, RefundExceedsCaptured, lambda: world.operate(REFUND, payment.id, 2))
    await world.operate(REFUND, payment.id)

    payment = await world.payment(payment.id)
    assert payment.state is PaymentState.REFUNDED
    assert payment.refunded_minor == 25_00
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.captured", *["payment.refunded"] * 3]
    await _refused(world, PaymentNotRefundable, lambda: world.operate(REFUND, payment.id, 1))
    assert await world.findings() == []


@pytest.mark.proves("S4-28")
async def test_a_void_lets_the_money_go_and_posts_nothing(world: World) -> None:
    payment = await world.pay(25_00, capture_method="manual")
    await world.operate(VOID, payment.id)
    assert (await world.payment(payment.id)).state is PaymentState.REVERSED
    assert await world.balances() == {}
    assert (await world.topics())[1:] == ["payment.authorized", "payment.voided"]


@pytest.mark.proves("S4-28", "I6")
async def test_what_the_state_or_the_amount_forbids_changes_nothing(world: World) -> None:
    captured = await world.pay(25_00)
    authorized = await world.pay(25_00, capture_method="manual")
    for refusal, operation, payment, amount in (
        (PaymentNotCapturable, CAPTURE, captured, None),
        (PaymentNotVoidable, VOID, captured, None),
        (RefundExceedsCaptured, REFUND, captured, 25_01),
        (PaymentNotRefundable, REFUND, authorized, 1),
        (CaptureExceedsAuthorized, CAPTURE, authorized, 25_01),
    ):
        await _refused(
            world,
            refusal,
            lambda op=operation, who=payment, much=amount: world.operate(op, who.id, much),
        )


@pytest.mark.proves("I8")
async def test_somebody_elses_payment_is_not_found(world: World) -> None:
    payment = await world.pay(25_00)
    other = Scope(is_test=True, merchant_id=MerchantId.new())
    live = Scope(is_test=False)
    await _refused(world, PaymentNotFound, lambda: world.operate(REFUND, payment.id, scope=other))
    await _refused(world, PaymentNotFound, lambda: world.operate(REFUND, payment.id, scope=live))
    await _refused(world, PaymentNotFound, lambda: world.operate(REFUND, PaymentId.new()))


@pytest.mark.proves("S06", "I6")
async def test_twenty_captures_at_once_take_the_money_once(world: World) -> None:
    payment = await world.pay(25_00, capture_method="manual")
    results = await _at_once(*(world.operate(CAPTURE, payment.id, 5_00) for _ in range(20)))
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert all(
        isinstance(result, OperationInProgress | PaymentNotCapturable)
        for result in results
        if isinstance(result, BaseException)
    )
    assert (await world.payment(payment.id)).captured_minor == 5_00
    assert _booked(world, CAPTURE) == 5_00


@pytest.mark.proves("S06", "I6")
async def test_capture_and_void_at_once_end_in_one_of_them(world: World) -> None:
    payment = await world.pay(25_00, capture_method="manual")
    results = await _at_once(world.operate(CAPTURE, payment.id), world.operate(VOID, payment.id))
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    state = (await world.payment(payment.id)).state
    assert state in {PaymentState.CAPTURED, PaymentState.REVERSED}
    assert len(world.psp.book) == 2


@pytest.mark.proves("S06", "I6")
async def test_refunds_at_once_never_give_back_more_than_was_taken(world: World) -> None:
    payment = await world.pay(25_00)
    results = await _at_once(*(world.operate(REFUND, payment.id, 4_00) for _ in range(20)))
    assert sum(not isinstance(result, BaseException) for result in results) == 6
    payment = await world.payment(payment.id)
    assert payment.refunded_minor == 24_00
    assert _booked(world, REFUND) == 24_00
    assert await world.findings() == []


@pytest.mark.proves("S03", "I3")
@pytest.mark.parametrize("operation", [CAPTURE, VOID, REFUND])
async def test_a_silent_provider_is_looked_up_and_believed(
    world: World, operation: Operation
) -> None:
    payment = await _ready_for(world, operation)
    world.psp.will_answer(Answer(Verdict.UNKNOWN), operation=operation)
    answered = await world.operate(operation, payment.id, key="one")
    assert answered.answer.status == 202
    attempt = (await world.story(payment.id)).attempts[-1]
    world.psp.has_in_fact(
        attempt.id, Answer(Verdict.SUCCEEDED, provider_ref="found", amount=attempt.amount)
    )
    await world.resolve()
    await world.resolve()

    story = await world.story(payment.id)
    assert story.attempts[-1].state is AttemptState.SUCCEEDED
    assert story.payment.state is _END[operation]
    assert world.psp.times_asked(attempt.id) == 1
    assert (await world.operate(operation, payment.id, key="one")).answer == answered.answer
    assert await world.findings() == []


@pytest.mark.proves("S03", "I3")
@pytest.mark.parametrize("operation", [CAPTURE, VOID, REFUND])
async def test_an_operation_nobody_saw_is_sent_again_under_the_same_id(
    world: World, operation: Operation
) -> None:
    payment = await _ready_for(world, operation)
    world.psp.will_answer(Answer(Verdict.UNKNOWN), operation=operation)
    await world.operate(operation, payment.id)
    attempt = (await world.story(payment.id)).attempts[-1]
    world.psp.forgets(attempt.id)

    await world.resolve(after=timedelta(seconds=5))
    assert world.psp.times_asked(attempt.id) == 1
    await world.resolve(after=timedelta(seconds=60))
    assert world.psp.times_asked(attempt.id) == 2
    assert (await world.payment(payment.id)).state is _END[operation]
    assert await world.findings() == []


@pytest.mark.parametrize("operation", [CAPTURE, VOID])
async def test_a_provider_that_refuses_leaves_the_payment_as_it_was(
    world: World, operation: Operation
) -> None:
    payment = await _ready_for(world, operation)
    world.psp.will_answer(NO, operation=operation)
    for _ in range(2):
        with pytest.raises(OperationDeclined):
            await world.operate(operation, payment.id, key="one")
    assert (await world.payment(payment.id)).state is PaymentState.AUTHORIZED
    assert len(world.psp.asked) == 2
    await world.operate(operation, payment.id, key="two")
    assert (await world.payment(payment.id)).state is _END[operation]


async def test_a_refund_that_is_refused_gives_nothing_back_and_frees_its_amount(
    world: World,
) -> None:
    payment = await world.pay(25_00)
    world.psp.will_answer(NO, operation=REFUND)
    await world.operate(REFUND, payment.id)
    story = await world.story(payment.id)
    assert [refund.state for refund in story.refunds] == [RefundState.FAILED]
    assert story.payment.state is PaymentState.CAPTURED
    await world.operate(REFUND, payment.id)
    assert (await world.payment(payment.id)).state is PaymentState.REFUNDED


@pytest.mark.proves("S21")
@pytest.mark.parametrize("operation", [CAPTURE, REFUND])
async def test_another_amount_than_was_asked_is_not_booked(
    world: World, operation: Operation
) -> None:
    payment = await _ready_for(world, operation)
    before = await world.balances()
    lie = Answer(Verdict.SUCCEEDED, provider_ref="lie", amount=Money.of(1, "EUR"))
    world.psp.will_answer(lie, operation=operation)
    answered = await world.operate(operation, payment.id)
    assert answered.answer.status == 202
    assert await world.balances() == before
    assert (await world.payment(payment.id)).state is payment.state


_END = {
    CAPTURE: PaymentState.CAPTURED,
    VOID: PaymentState.REVERSED,
    REFUND: PaymentState.REFUNDED,
}


async def _ready_for(world: World, operation: Operation) -> Payment:
    method = "automatic" if operation is REFUND else "manual"
    return await world.pay(25_00, capture_method=method)


async def _refused(
    world: World, refusal: type[Refusal], act: Callable[[], Awaitable[object]]
) -> None:
    before, asked = await world.counts(), len(world.psp.asked)
    with pytest.raises(refusal):
        await act()
    assert await world.counts() == before
    assert len(world.psp.asked) == asked


async def _at_once(*work: Awaitable[object]) -> list[object]:
    return list(await asyncio.gather(*work, return_exceptions=True))


def _booked(world: World, operation: Operation) -> int:
    """What the provider's own book says it did of this operation, in minor units."""
    asked = {ask.attempt_id: ask for ask in world.psp.asked if ask.operation is operation}
    return sum(
        answer.amount.amount_minor
        for attempt_id, answer in world.psp.book.items()
        if attempt_id in asked and answer.amount is not None
    )
