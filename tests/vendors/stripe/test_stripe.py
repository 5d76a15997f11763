"""The connector against Stripe's own test mode."""

from collections.abc import AsyncGenerator

import pytest

from guilder.connectors.calling import CallingPolicy
from guilder.connectors.psp.contract import Answer, Ask, Operation, Reason, Verdict
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.kernel.clock import Clock
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money
from guilder.kernel.secret import Secret


@pytest.fixture
async def stripe(stripe_key: str) -> AsyncGenerator[Stripe]:
    policy = CallingPolicy(connect_seconds=5, answer_seconds=20, budget_seconds=60)
    psp = Stripe(Secret(stripe_key), webhook_secrets=(), policy=policy, clock=Clock())
    yield psp
    await psp.close()


def order(
    operation: Operation, amount: Money, *, on: Answer | None = None, token: str = "pm_card_visa"
) -> Ask:
    return Ask(
        AttemptId.new(),
        operation,
        amount,
        Clock().now(),
        provider_ref=on.provider_ref if on else None,
        token=None if on else token,
        description="a test of the connector",
        hints={"cart": "77"},
    )


async def test_a_sale_and_its_refunds(stripe: Stripe) -> None:
    ask = order(Operation.SALE, Money.of(1050, "EUR"))
    paid = await stripe.ask(ask)
    assert (paid.verdict, paid.amount) == (Verdict.SUCCEEDED, ask.amount)
    assert paid.card is not None
    assert paid.card.last4 == "4242"
    assert (await stripe.ask(ask)).provider_ref == paid.provider_ref
    back = order(Operation.REFUND, Money.of(400, "EUR"), on=paid)
    given = await stripe.ask(back)
    assert given.verdict in {Verdict.SUCCEEDED, Verdict.PENDING}
    assert (await stripe.look_up(back)).provider_ref == given.provider_ref
    too_much = order(Operation.REFUND, Money.of(1000, "EUR"), on=paid)
    assert (await stripe.ask(too_much)).verdict is Verdict.DECLINED


async def test_an_authorization_is_captured_in_part_once(stripe: Stripe) -> None:
    held = await stripe.ask(order(Operation.AUTHORIZE, Money.of(1000, "USD")))
    assert (held.verdict, held.amount) == (Verdict.SUCCEEDED, Money.of(1000, "USD"))
    take = order(Operation.CAPTURE, Money.of(600, "USD"), on=held)
    taken = await stripe.ask(take)
    assert (taken.verdict, taken.amount) == (Verdict.SUCCEEDED, take.amount)
    assert (await stripe.look_up(take)).amount == take.amount
    again = order(Operation.CAPTURE, Money.of(400, "USD"), on=held)
    assert (await stripe.ask(again)).verdict is Verdict.DECLINED


async def test_an_authorization_is_voided(stripe: Stripe) -> None:
    held = await stripe.ask(order(Operation.AUTHORIZE, Money.of(700, "EUR")))
    void = order(Operation.VOID, Money.of(700, "EUR"), on=held)
    assert (await stripe.ask(void)).verdict is Verdict.SUCCEEDED
    assert (await stripe.look_up(void)).verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("pm_card_visa_chargeDeclined", Reason.GENERIC_DECLINE),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", Reason.INSUFFICIENT_FUNDS),
        ("pm_card_visa_chargeDeclinedLostCard", Reason.LOST_OR_STOLEN),
        ("pm_card_chargeDeclinedExpiredCard", Reason.EXPIRED_CARD),
        ("pm_card_chargeDeclinedIncorrectCvc", Reason.INCORRECT_CVC),
        ("pm_card_chargeDeclinedProcessingError", Reason.PROVIDER_FAULT),
        ("pm_card_threeDSecure2Required", Reason.AUTHENTICATION_REQUIRED),
    ],
)
async def test_a_test_card_is_declined_for_its_reason(
    stripe: Stripe, token: str, reason: Reason
) -> None:
    answer = await stripe.ask(order(Operation.SALE, Money.of(500, "EUR"), token=token))
    assert answer.verdict is Verdict.DECLINED
    assert answer.decline is not None
    assert answer.decline.reason is reason


async def test_amounts_in_three_decimals_and_in_none_are_understood(stripe: Stripe) -> None:
    for amount in (Money.of(1200, "JPY"), Money.of(12340, "KWD"), Money.of(1500, "ISK")):
        answer = await stripe.ask(order(Operation.SALE, amount))
        assert answer.amount == amount
