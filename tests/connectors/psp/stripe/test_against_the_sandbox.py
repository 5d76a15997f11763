"""The connector and the simulated Stripe, over real HTTP, with the provider's own book as judge."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace

import pytest

from guilder.connectors.calling import BreakerPolicy, CallingPolicy
from guilder.connectors.psp.contract import Advice, Answer, Ask, Card, Operation, Reason, Verdict
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.kernel.clock import Clock
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money
from guilder.kernel.secret import Secret
from tests.connectors.psp.stripe.loopback import Heard, loopback, says
from tests.connectors.psp.stripe.sandbox import Sandbox, running_sandbox

AUTHORIZE, SALE, VOID = Operation.AUTHORIZE, Operation.SALE, Operation.VOID
CAPTURE, GIVE_BACK = Operation.CAPTURE, Operation.REFUND
KEY = "sk_test_connector"
NEVER_OPENS = BreakerPolicy(60, None, None, 0, None, 15)
ONCE = CallingPolicy(answer_seconds=0.4, budget_seconds=2, retries_max=0, breaker=NEVER_OPENS)
AGAIN = replace(ONCE, retries_max=2, pause_first_ms=20)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def connector(sandbox: Sandbox, policy: CallingPolicy, *secrets: Secret) -> Stripe:
    return Stripe(
        Secret(KEY),
        base_url=sandbox.url,
        webhook_secrets=secrets,
        policy=policy,
        clock=Clock(),
        settling_seconds=0,
    )


@pytest.fixture
async def stripe(sandbox: Sandbox) -> AsyncGenerator[Stripe]:
    """A connector that tries once, so that a test sees every trouble itself."""
    psp = connector(sandbox, ONCE)
    yield psp
    await psp.close()


def order(
    operation: Operation,
    amount: Money,
    *,
    on: Answer | None = None,
    token: str = "pm_card_visa",
    fault: str | None = None,
) -> Ask:
    """An ask; on a payment there when it is of an earlier answer."""
    return Ask(
        AttemptId.new(),
        operation,
        amount,
        Clock().now(),
        provider_ref=on.provider_ref if on else None,
        token=None if on else token,
        description="order-1001",
        hints={"sandbox_fault": fault} if fault else None,
    )


def eur(amount_minor: int) -> Money:
    return Money.of(amount_minor, "EUR")


async def movements(sandbox: Sandbox, *asks: Ask) -> list[tuple[str, int, str]]:
    """Kind, amount and state of what the provider did under these attempts."""
    keys = {str(ask.attempt_id) for ask in asks}
    rows = [row for row in await sandbox.book() if row.idempotency_key in keys]
    return [(row.kind, row.amount_minor, row.state) for row in rows]


async def test_a_sale_takes_the_money_once(stripe: Stripe, sandbox: Sandbox) -> None:
    ask = order(SALE, eur(1050))
    answer = await stripe.ask(ask)
    assert (answer.verdict, answer.amount) == (Verdict.SUCCEEDED, eur(1050))
    assert answer.card == Card("visa", "4242")
    assert await stripe.ask(ask) == answer
    assert await stripe.look_up(ask) == answer
    assert await stripe.look_up(replace(ask, provider_ref=answer.provider_ref)) == answer
    done = await movements(sandbox, ask)
    assert done == [("authorization", 1050, "succeeded"), ("capture", 1050, "succeeded")]


@pytest.mark.proves("S4-28", "I6")
async def test_authorize_capture_and_refund_in_parts(stripe: Stripe, sandbox: Sandbox) -> None:
    held = await stripe.ask(hold := order(AUTHORIZE, eur(1000)))
    assert (held.verdict, held.amount) == (Verdict.SUCCEEDED, eur(1000))
    too_much = await stripe.ask(order(CAPTURE, eur(1001), on=held))
    assert too_much.verdict is Verdict.DECLINED
    taken = await stripe.ask(take := order(CAPTURE, eur(800), on=held))
    assert (taken.verdict, taken.amount) == (Verdict.SUCCEEDED, eur(800))
    backs = [order(GIVE_BACK, eur(part), on=held) for part in (300, 500, 1)]
    answers = [await stripe.ask(back) for back in backs]
    assert [a.verdict for a in answers] == [Verdict.SUCCEEDED, Verdict.SUCCEEDED, Verdict.DECLINED]
    assert [a.amount for a in answers] == [eur(300), eur(500), None]
    assert await stripe.look_up(take) == taken
    assert [await stripe.look_up(back) for back in backs[:2]] == answers[:2]
    assert (await stripe.look_up(backs[2])).verdict is Verdict.NEVER_SEEN
    done = Counter(kind for kind, _, _ in await movements(sandbox, hold, take, *backs))
    assert done == {"authorization": 1, "capture": 1, "refund": 2}


@pytest.mark.proves("S4-28")
async def test_a_void_lets_the_money_go(stripe: Stripe, sandbox: Sandbox) -> None:
    held = await stripe.ask(order(AUTHORIZE, eur(700)))
    void = order(VOID, eur(700), on=held)
    assert (await stripe.look_up(void)).verdict is Verdict.NEVER_SEEN
    gone = await stripe.ask(void)
    assert (gone.verdict, gone.amount) == (Verdict.SUCCEEDED, eur(700))
    assert await stripe.look_up(void) == gone
    assert (await stripe.ask(order(VOID, eur(700), on=held))).verdict is Verdict.SUCCEEDED
    late = order(CAPTURE, eur(700), on=held)
    assert (await stripe.ask(late)).verdict is Verdict.DECLINED
    assert (await stripe.look_up(late)).verdict is Verdict.DECLINED
    assert await movements(sandbox, void) == [("void", 700, "succeeded")]


@pytest.mark.proves("S06", "I6")
async def test_of_many_captures_at_once_one_is_done_and_the_others_know_it(
    stripe: Stripe, sandbox: Sandbox
) -> None:
    held = await stripe.ask(order(AUTHORIZE, eur(900)))
    asks = [order(CAPTURE, eur(900), on=held) for _ in range(10)]
    verdicts = Counter(a.verdict for a in await asyncio.gather(*map(stripe.ask, asks)))
    assert verdicts == {Verdict.SUCCEEDED: 1, Verdict.DECLINED: 9}
    found = Counter([(await stripe.look_up(ask)).verdict for ask in asks])
    assert found == {Verdict.SUCCEEDED: 1, Verdict.DECLINED: 9}
    assert await movements(sandbox, *asks) == [("capture", 900, "succeeded")]


CARDS = {
    "pm_card_chargeDeclined": (Reason.GENERIC_DECLINE, "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": (Reason.INSUFFICIENT_FUNDS, "insufficient_funds"),
    "pm_card_chargeDeclinedLostCard": (Reason.LOST_OR_STOLEN, "lost_card"),
    "pm_card_chargeDeclinedStolenCard": (Reason.LOST_OR_STOLEN, "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": (Reason.EXPIRED_CARD, "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": (Reason.INCORRECT_CVC, "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": (Reason.PROVIDER_FAULT, "processing_error"),
    "pm_card_chargeDeclinedFraudulent": (Reason.SUSPECTED_FRAUD, "fraudulent"),
    "pm_card_chargeDeclinedVelocityLimitExceeded": (
        Reason.LIMIT_EXCEEDED,
        "card_velocity_exceeded",
    ),
    "pm_card_that_nobody_knows": (Reason.INVALID_REQUEST, "resource_missing"),
}


@pytest.mark.parametrize("token", CARDS)
async def test_a_magic_card_is_declined_for_its_reason(stripe: Stripe, token: str) -> None:
    ask = order(SALE, eur(500), token=token)
    answer = await stripe.ask(ask)
    assert answer.verdict is Verdict.DECLINED
    assert answer.decline is not None
    assert (answer.decline.reason, answer.decline.raw) == CARDS[token]
    found = await stripe.look_up(ask)
    if answer.decline.reason is Reason.INVALID_REQUEST:
        assert found.verdict is Verdict.NEVER_SEEN
    else:
        assert found.decline == answer.decline


@pytest.mark.parametrize(
    "amount",
    [Money.of(1200, "JPY"), Money.of(12340, "KWD"), Money.of(1500, "ISK"), Money.of(500000, "MGA")],
    ids=str,
)
async def test_amounts_mean_the_same_on_both_sides(
    stripe: Stripe, sandbox: Sandbox, amount: Money
) -> None:
    answer = await stripe.ask(ask := order(SALE, amount))
    assert answer.amount == amount
    assert ("capture", amount.amount_minor, "succeeded") in await movements(sandbox, ask)


async def test_a_slow_payment_is_pending_until_it_is_decided(stripe: Stripe) -> None:
    ask = order(SALE, eur(300), token="pm_sandbox_processing")
    assert (await stripe.ask(ask)).verdict is Verdict.PENDING
    assert (await stripe.look_up(ask)).verdict in {Verdict.PENDING, Verdict.SUCCEEDED}


async def test_a_slow_refund_is_pending_until_it_arrives(stripe: Stripe) -> None:
    paid = await stripe.ask(order(SALE, eur(300), token="pm_card_pendingRefund"))
    ask = order(GIVE_BACK, eur(300), on=paid)
    assert (await stripe.ask(ask)).verdict is Verdict.PENDING
    assert (await stripe.look_up(ask)).verdict in {Verdict.PENDING, Verdict.SUCCEEDED}


async def test_a_wrong_key_is_a_fault_of_ours_and_nothing_is_done(sandbox: Sandbox) -> None:
    psp = Stripe(
        Secret("nonsense"),
        base_url=sandbox.url,
        webhook_secrets=(),
        policy=ONCE,
        clock=Clock(),
    )
    answer = await psp.ask(ask := order(SALE, eur(100)))
    inquiry = await psp.look_up(ask)
    await psp.close()
    assert answer.decline is not None
    assert (answer.decline.reason, answer.decline.advice) == (
        Reason.PROVIDER_FAULT,
        Advice.RETRY_LATER,
    )
    assert inquiry.verdict is Verdict.UNKNOWN


SPOILS = ["never_answer", "reset", "close", "status_500", "status_502_html", "garbage", "truncated"]


@pytest.mark.proves("S03", "I2", "I3")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("spoil", SPOILS)
async def test_a_spoilt_answer_is_unknown_and_the_inquiry_tells_the_truth(
    stripe: Stripe, sandbox: Sandbox, spoil: str, when: str
) -> None:
    asks = [order(SALE, eur(100 + n), fault=f"{spoil}_{when}_booking") for n in range(3)]
    answers = await asyncio.gather(*map(stripe.ask, asks))
    assert {answer.verdict for answer in answers} == {Verdict.UNKNOWN}
    found = [(await stripe.look_up(ask)).verdict for ask in asks]
    if when == "before":
        assert found == [Verdict.NEVER_SEEN] * 3
        assert await movements(sandbox, *asks) == []
    else:
        assert found == [Verdict.SUCCEEDED] * 3
        assert len(await movements(sandbox, *asks)) == 2 * 3


@pytest.mark.proves("S03", "S4-18", "I3")
@pytest.mark.parametrize("spoil", SPOILS)
async def test_retries_under_one_key_bring_the_answer_and_do_it_once(
    sandbox: Sandbox, spoil: str
) -> None:
    psp = connector(sandbox, AGAIN)
    asks = [order(SALE, eur(200), fault=f"{spoil}_after_booking") for _ in range(3)]
    answers = await asyncio.gather(*map(psp.ask, asks))
    await psp.close()
    assert {answer.verdict for answer in answers} == {Verdict.SUCCEEDED}
    assert len(await movements(sandbox, *asks)) == 2 * 3


@pytest.mark.proves("S03", "I2", "I3")
@pytest.mark.parametrize("operation", [CAPTURE, VOID, GIVE_BACK])
async def test_booked_then_silent_on_an_existing_payment_is_found(
    stripe: Stripe, sandbox: Sandbox, operation: Operation
) -> None:
    first = SALE if operation is GIVE_BACK else AUTHORIZE
    paid = await stripe.ask(order(first, eur(654)))
    deed = {CAPTURE: "capture", VOID: "cancel", GIVE_BACK: "refund"}[operation]
    rule = {"fault": "close", "match": {"operation": deed}, "times": 1}
    await sandbox.order("faults", rule)
    ask = order(operation, eur(654), on=paid)
    assert (await stripe.ask(ask)).verdict is Verdict.UNKNOWN
    found = await stripe.look_up(ask)
    assert (found.verdict, found.amount) == (Verdict.SUCCEEDED, eur(654))
    assert len(await movements(sandbox, ask)) == 1


@pytest.mark.proves("S21")
@pytest.mark.parametrize(
    ("lie", "verdict", "amount"),
    [
        ({"amount_received": 99_00}, Verdict.SUCCEEDED, Money.of(99_00, "EUR")),
        ({"currency": "usd"}, Verdict.SUCCEEDED, Money.of(777, "USD")),
        ({"id": "pi_of_another"}, Verdict.UNKNOWN, None),
        ({"status": "requires_capture"}, Verdict.UNKNOWN, None),
        ({"status": "canceled"}, Verdict.UNKNOWN, None),
        ({"metadata": None}, Verdict.UNKNOWN, None),
        ({"error": "none"}, Verdict.UNKNOWN, None),
    ],
)
async def test_a_lie_is_passed_on_as_said_or_not_believed(
    stripe: Stripe,
    sandbox: Sandbox,
    lie: dict[str, object],
    verdict: Verdict,
    amount: Money | None,
) -> None:
    await sandbox.order(
        "faults", {"fault": "lie", "say": lie, "match": {"amount": 777}, "times": 1}
    )
    answer = await stripe.ask(order(SALE, eur(777)))
    assert (answer.verdict, answer.amount) == (verdict, amount)


async def test_webhooks_are_verified_and_name_what_happened(sandbox: Sandbox) -> None:
    async with loopback(says(200, {})) as receiver:
        secret = Secret(await sandbox.listen(receiver.url + "/hook", KEY))
        psp = connector(sandbox, ONCE, Secret("whsec_of_before"), secret)
        held = await psp.ask(hold := order(AUTHORIZE, eur(432)))
        await psp.ask(take := order(CAPTURE, eur(432), on=held))
        await psp.ask(back := order(GIVE_BACK, eur(32), on=held))
        declined = order(SALE, eur(1), token="pm_card_chargeDeclined")
        await psp.ask(declined)
        wanted: Told = {
            (AUTHORIZE, hold.attempt_id, Verdict.SUCCEEDED, eur(432)),
            (CAPTURE, take.attempt_id, Verdict.SUCCEEDED, eur(432)),
            (GIVE_BACK, back.attempt_id, Verdict.SUCCEEDED, eur(32)),
            (SALE, declined.attempt_id, Verdict.DECLINED, None),
        }
        async with asyncio.timeout(10):
            assert await _told(psp, receiver.heard, until=wanted) == wanted
        await psp.close()


Told = set[tuple[Operation, AttemptId | None, Verdict, Money | None]]


async def _told(psp: Stripe, heard: list[Heard], *, until: Told) -> Told:
    """The news of these attempts, as soon as all is told; other tests' payments are told too."""
    ours = {attempt_id for _, attempt_id, _, _ in until}
    told: Told = set()
    while len(told) < len(until):
        await asyncio.sleep(0.05)
        for message in list(heard):
            news = psp.read_message(message.headers, message.raw, Clock().now()).news
            if news is not None and news.our_ref in ours:
                told.add((news.operation, news.our_ref, news.answer.verdict, news.answer.amount))
    return told
