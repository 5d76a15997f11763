"""The connector over real HTTP: what every kind of trouble on the line means for the money."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from guilder.connectors.calling import BREAKER_BY_RATIO, CallingPolicy
from guilder.connectors.psp.contract import Advice, Ask, Operation, Psp, Reason, Verdict
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.kernel.clock import Clock
from guilder.kernel.money import Money
from guilder.kernel.secret import Secret
from tests.connectors.psp.stripe import loopback as world
from tests.connectors.psp.stripe.loopback import Act, Loopback, late, loopback, says, says_sample
from tests.connectors.psp.stripe.samples import PAID_BY, PAYMENT, ask_for, sample

SALE, CAPTURE, GIVE_BACK = Operation.SALE, Operation.CAPTURE, Operation.REFUND
QUICK = CallingPolicy(
    connect_seconds=0.2,
    answer_seconds=0.25,
    budget_seconds=1.0,
    retries_max=1,
    pause_first_ms=10,
    pause_jitter_ms=5,
)
ONCE = replace(QUICK, retries_max=0)


def stripe(url: str, policy: CallingPolicy = QUICK, *, settling_seconds: int = 60) -> Stripe:
    return Stripe(
        Secret("sk_test_loopback"),
        base_url=url,
        webhook_secrets=(),
        policy=policy,
        clock=Clock(),
        settling_seconds=settling_seconds,
    )


@asynccontextmanager
async def provider(
    *acts: Act, policy: CallingPolicy = QUICK
) -> AsyncGenerator[tuple[Psp, Loopback]]:
    async with loopback(*acts) as server:
        psp = stripe(server.url, policy)
        try:
            yield psp, server
        finally:
            await psp.close()


def whole_sale() -> bytes:
    return json.dumps(sample("sale_succeeded").body).encode()


TROUBLES: dict[str, Act] = {
    "never": world.never,
    "too late": late(2, says_sample("sale_succeeded")),
    "hangs up": world.hangs_up,
    "resets in the body": world.resets,
    "breaks off in the body": world.breaks_off,
    "truncated gzip": world.breaks_off_gzip,
    "no HTTP": world.speaks_no_http,
    "500": says_sample("error_server"),
    "502 as HTML": world.says_raw(502, b"<html>bad gateway</html>", content_type="text/html"),
    "503": says_sample("error_unavailable"),
    "200 as HTML": world.says_raw(200, b"<html>welcome</html>", content_type="text/html"),
    "200 as text that looks right": world.says_raw(
        200, b'{"object": "payment_intent"}', content_type="text/plain"
    ),
    "200 with half an object": world.says_raw(200, b'{"id": "pi_'),
    "200 with a list": world.says_raw(200, b"[]"),
    "200 with nothing": world.says_raw(200, b""),
    "200 that is too long": world.says_raw(200, whole_sale() + b" " * (1024 * 1024)),
    "403 of some proxy": world.says_raw(403, b"<html>no</html>", content_type="text/html"),
    "402 of some proxy": says(402, {"error": "payment required"}),
    "redirect": says(302, {}, location="http://127.0.0.1:1/elsewhere"),
    "409": says_sample("error_key_in_use"),
    "429": says_sample("error_rate_limit"),
}


@pytest.mark.proves("S03")
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_on_the_line_is_neither_yes_nor_no(trouble: str) -> None:
    async with provider(TROUBLES[trouble]) as (psp, server):
        answer = await psp.ask(ask_for(SALE))
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.detail
    assert server.heard


@pytest.mark.proves("S03")
@pytest.mark.parametrize("trouble", sorted(set(TROUBLES) - {"402 of some proxy", "redirect"}))
async def test_the_same_key_asked_again_may_bring_the_answer(trouble: str) -> None:
    async with provider(TROUBLES[trouble], says_sample("sale_succeeded")) as (psp, server):
        answer = await psp.ask(ask_for(SALE))
    assert answer.verdict is Verdict.SUCCEEDED
    first, second = server.heard
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == str(PAID_BY)
    assert first.raw == second.raw


@pytest.mark.proves("S03")
async def test_a_refusal_after_a_silence_is_not_yet_a_no() -> None:
    async with provider(world.hangs_up, says_sample("error_request_token_used")) as (psp, _):
        assert (await psp.ask(ask_for(SALE))).verdict is Verdict.UNKNOWN
    async with provider(says_sample("error_request_token_used")) as (psp, server):
        assert (await psp.ask(ask_for(SALE))).verdict is Verdict.DECLINED
    assert len(server.heard) == 1


async def test_a_decline_after_a_silence_is_the_kept_answer_of_the_first_try() -> None:
    async with provider(world.hangs_up, says_sample("error_card_lost_card")) as (psp, _):
        assert (await psp.ask(ask_for(SALE))).verdict is Verdict.DECLINED


async def test_what_was_surely_not_sent_is_a_sure_no() -> None:
    psp = stripe(world.free_port_url())
    answer = await psp.ask(ask_for(SALE))
    await psp.close()
    assert answer.verdict is Verdict.DECLINED
    assert answer.decline is not None
    assert answer.decline.reason is Reason.PROVIDER_FAULT
    assert answer.decline.advice is Advice.RETRY_LATER
    assert answer.decline.raw == "no_connection"


async def test_a_lost_connection_after_a_silence_is_not_a_no() -> None:
    async with loopback(world.hangs_up) as server:
        psp = stripe(server.url, replace(QUICK, pause_first_ms=200))
        asking = asyncio.create_task(psp.ask(ask_for(SALE)))
        await server.was_asked.wait()
    answer = await asking
    await psp.close()
    assert answer.verdict is Verdict.UNKNOWN


@pytest.mark.proves("S4-19", "S20")
async def test_an_open_breaker_answers_without_sending() -> None:
    policy = replace(ONCE, breaker=replace(BREAKER_BY_RATIO, consecutive_max=2))
    async with provider(says_sample("error_server"), policy=policy) as (psp, server):
        for _ in range(2):
            assert (await psp.ask(ask_for(SALE))).verdict is Verdict.UNKNOWN
        answer = await psp.ask(ask_for(SALE))
        inquiry = await psp.look_up(ask_for(SALE))
    assert len(server.heard) == 2
    assert answer.decline is not None
    assert answer.decline.raw == "breaker_open"
    assert inquiry.verdict is Verdict.UNKNOWN


@pytest.mark.proves("S4-08")
async def test_a_full_bulkhead_answers_without_sending() -> None:
    policy = replace(ONCE, concurrent_max=1, waiting_max=0)
    async with provider(late(0.1, says_sample("sale_succeeded")), policy=policy) as (psp, server):
        answers = await asyncio.gather(*(psp.ask(ask_for(SALE)) for _ in range(3)))
    assert len(server.heard) == 1
    raws = [answer.decline.raw for answer in answers if answer.decline]
    assert raws == ["too_many_calls", "too_many_calls"]


async def test_declines_do_not_open_the_breaker() -> None:
    async with provider(says_sample("error_card_lost_card")) as (psp, server):
        for _ in range(40):
            assert (await psp.ask(ask_for(SALE))).verdict is Verdict.DECLINED
    assert len(server.heard) == 40


async def test_they_can_say_that_asking_again_is_of_no_use() -> None:
    final = says(500, sample("error_server").body, stripe_should_retry="false")
    async with provider(final) as (psp, server):
        assert (await psp.ask(ask_for(SALE))).verdict is Verdict.UNKNOWN
    assert len(server.heard) == 1


@pytest.mark.proves("S4-18")
async def test_the_whole_call_stays_within_its_budget() -> None:
    policy = replace(QUICK, retries_max=2, answer_seconds=0.5, budget_seconds=0.8)
    async with provider(world.never, policy=policy) as (psp, _):
        loop = asyncio.get_running_loop()
        before = loop.time()
        await psp.ask(ask_for(SALE))
        assert loop.time() - before < 1.2


async def test_an_answer_without_end_is_left_as_soon_as_it_is_too_long() -> None:
    policy = replace(ONCE, answer_seconds=30, budget_seconds=30)
    async with provider(world.has_no_end, policy=policy) as (psp, _), asyncio.timeout(15):
        assert (await psp.ask(ask_for(SALE))).verdict is Verdict.UNKNOWN


async def test_an_unknown_names_their_request_for_support() -> None:
    odd = says(200, sample("sale_in_a_state_of_tomorrow").body, request_id="req_Kq7")
    async with provider(odd) as (psp, _):
        answer = await psp.ask(ask_for(SALE))
    assert answer.detail is not None
    assert "req_Kq7" in answer.detail


async def test_a_request_carries_key_version_and_form() -> None:
    async with provider(says_sample("sale_succeeded")) as (psp, server):
        await psp.ask(ask_for(SALE))
        await psp.ask(ask_for(SALE))
    heard = server.heard[0]
    assert (heard.method, heard.path) == ("POST", "/v1/payment_intents")
    assert heard.headers["authorization"] == "Bearer sk_test_loopback"
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert heard.headers["stripe-version"].startswith("20")
    assert heard.form["metadata[guilder_attempt]"] == str(PAID_BY)
    assert server.connections == 1  # The connection is kept for the next call.


@pytest.mark.parametrize(
    ("operation", "path", "name"),
    [
        (CAPTURE, f"/v1/payment_intents/{PAYMENT}/capture", "capture_whole"),
        (Operation.VOID, f"/v1/payment_intents/{PAYMENT}/cancel", "void_canceled"),
        (GIVE_BACK, "/v1/refunds", "refund_succeeded"),
    ],
)
async def test_the_other_operations_go_to_their_own_paths(
    operation: Operation, path: str, name: str
) -> None:
    async with provider(says_sample(name)) as (psp, server):
        answer = await psp.ask(ask_for(operation))
    assert answer.verdict is Verdict.SUCCEEDED
    assert server.heard[0].path == path


async def test_their_id_of_a_payment_cannot_lead_to_another_path() -> None:
    ask = replace(ask_for(CAPTURE), provider_ref="../customers?x#")
    async with provider(says_sample("error_request_no_such_payment")) as (psp, server):
        await psp.ask(ask)
    assert server.heard[0].path == "/v1/payment_intents/..%2Fcustomers%3Fx%23/capture"


async def test_an_amount_they_cannot_say_is_refused_without_sending() -> None:
    async with provider(says_sample("sale_succeeded")) as (psp, server):
        answer = await psp.ask(ask_for(SALE, amount=Money.of(12345, "KWD")))
    assert answer.verdict is Verdict.DECLINED
    assert not server.heard


def test_a_live_key_never_goes_out_in_the_clear() -> None:
    with pytest.raises(ValueError, match="https"):
        Stripe(
            Secret("sk_live_" + "x"),
            base_url="http://127.0.0.1:1",
            webhook_secrets=(),
            policy=QUICK,
            clock=Clock(),
        )


def test_it_says_how_long_a_payment_may_hide_from_search() -> None:
    assert stripe("http://127.0.0.1:1", settling_seconds=90).settling_seconds == 90
    assert stripe("http://127.0.0.1:1").name == "stripe"


REFUSED = says_sample("error_request_unexpected_state")


@pytest.mark.proves("S03", "I3")
@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ("capture_whole", Verdict.SUCCEEDED),  # It was captured by this very attempt, before.
        ("capture_by_another_attempt", Verdict.DECLINED),
        ("capture_not_done", Verdict.DECLINED),
        ("capture_of_a_canceled_payment", Verdict.DECLINED),
        ("error_request_no_such_payment", Verdict.UNKNOWN),
        ("error_server", Verdict.UNKNOWN),
    ],
)
async def test_a_refused_capture_is_looked_at_before_it_is_believed(
    record: str, verdict: Verdict
) -> None:
    async with provider(REFUSED, says_sample(record)) as (psp, _):
        assert (await psp.ask(ask_for(CAPTURE))).verdict is verdict


async def test_a_refused_capture_that_nobody_can_look_at_in_time_is_unknown() -> None:
    async with provider(REFUSED, world.never) as (psp, _):
        assert (await psp.ask(ask_for(CAPTURE))).verdict is Verdict.UNKNOWN


async def test_a_capture_refused_after_a_silence_is_unknown_until_it_is_found() -> None:
    acts = (world.hangs_up, REFUSED, says_sample("capture_not_done"))
    async with provider(*acts) as (psp, _):
        assert (await psp.ask(ask_for(CAPTURE))).verdict is Verdict.UNKNOWN


async def test_a_capture_declined_after_a_silence_is_unknown_until_it_is_found() -> None:
    acts = (world.hangs_up, says_sample("error_card_expired"), says_sample("capture_not_done"))
    async with provider(*acts) as (psp, _):
        assert (await psp.ask(ask_for(CAPTURE))).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        ("list_with_our_refund", Verdict.SUCCEEDED),
        ("list_without_our_refund", Verdict.DECLINED),
        ("list_with_our_refund_twice", Verdict.UNKNOWN),
    ],
)
async def test_a_refused_refund_is_looked_for_before_the_no_is_believed(
    page: str, verdict: Verdict
) -> None:
    acts = (says_sample("error_request_already_refunded"), says_sample(page))
    async with provider(*acts) as (psp, _):
        assert (await psp.ask(ask_for(GIVE_BACK))).verdict is verdict


def aged(ask: Ask, seconds: int) -> Ask:
    return replace(ask, asked_at=Clock().now() - timedelta(seconds=seconds))


@pytest.mark.proves("S03")
async def test_a_payment_is_found_by_our_metadata_and_then_read_itself() -> None:
    acts = (says_sample("search_found"), says_sample("sale_succeeded"))
    async with provider(*acts) as (psp, server):
        answer = await psp.look_up(ask_for(SALE))
    assert (answer.verdict, answer.provider_ref) == (Verdict.SUCCEEDED, PAYMENT)
    search, read = server.heard
    query = parse_qs(urlsplit(search.path).query)["query"]
    assert query == [f"metadata['guilder_attempt']:'{PAID_BY}'"]
    assert urlsplit(read.path).path == f"/v1/payment_intents/{PAYMENT}"


async def test_what_search_does_not_find_may_still_be_on_its_way_into_it() -> None:
    async with provider(says_sample("search_empty")) as (psp, _):
        assert (await psp.look_up(aged(ask_for(SALE), 30))).verdict is Verdict.UNKNOWN
        assert (await psp.look_up(aged(ask_for(SALE), 61))).verdict is Verdict.NEVER_SEEN


@pytest.mark.parametrize(
    ("operation", "record"),
    [(CAPTURE, "capture_not_done"), (GIVE_BACK, "list_without_our_refund")],
)
async def test_what_reads_without_delay_is_never_seen_after_a_minute(
    operation: Operation, record: str
) -> None:
    async with loopback(says_sample(record)) as server:
        psp = stripe(server.url, settling_seconds=3600)
        young = await psp.look_up(aged(ask_for(operation), 5))
        old = await psp.look_up(aged(ask_for(operation), 61))
        await psp.close()
    assert (young.verdict, old.verdict) == (Verdict.UNKNOWN, Verdict.NEVER_SEEN)


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
async def test_an_inquiry_that_fails_is_unknown_however_old(trouble: str) -> None:
    async with provider(TROUBLES[trouble], policy=ONCE) as (psp, _):
        for operation in (SALE, CAPTURE, GIVE_BACK):
            assert (await psp.look_up(aged(ask_for(operation), 10**6))).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["error_request_no_such_payment", "error_unauthorized"])
async def test_a_payment_we_know_and_they_do_not_is_unknown(name: str) -> None:
    async with provider(says_sample(name)) as (psp, _):
        assert (await psp.look_up(aged(ask_for(CAPTURE), 10**6))).verdict is Verdict.UNKNOWN


async def test_an_error_with_an_empty_list_in_it_is_not_nothing_found() -> None:
    async with provider(says(400, {"data": [], "has_more": False})) as (psp, _):
        for operation in (SALE, GIVE_BACK):
            assert (await psp.look_up(aged(ask_for(operation), 10**6))).verdict is Verdict.UNKNOWN


async def test_two_payments_of_one_attempt_are_for_people() -> None:
    twice = sample("search_found").body
    rows = twice["data"]
    assert isinstance(rows, list)
    acts = (says(200, {**twice, "data": [*rows, *rows]}), says_sample("sale_succeeded"))
    async with provider(*acts) as (psp, _):
        assert (await psp.look_up(ask_for(SALE))).verdict is Verdict.UNKNOWN


async def test_refunds_are_looked_through_page_by_page() -> None:
    acts = (says_sample("list_with_more_pages"), says_sample("list_with_our_refund"))
    async with provider(*acts) as (psp, server):
        assert (await psp.look_up(ask_for(GIVE_BACK))).verdict is Verdict.SUCCEEDED
    assert "starting_after=re_3TgW8kQx2Vn5Lb0R1other1" in server.heard[1].path


async def test_a_list_of_refunds_without_end_is_left_at_last() -> None:
    async with provider(says_sample("list_with_more_pages")) as (psp, server):
        assert (await psp.look_up(ask_for(GIVE_BACK))).verdict is Verdict.UNKNOWN
    assert len(server.heard) == 20
