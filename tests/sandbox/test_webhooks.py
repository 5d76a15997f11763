"""Events reach those who registered: signed, repeated until taken, and disturbed on request."""

import time
from collections import Counter

import pytest

from guilder_sandbox.webhooks import RETRY_SECONDS, Weather
from tests.sandbox.outside import Caller, Outside, calling
from tests.sandbox.receiver import receiving, signature_holds


def now() -> int:
    return time.time_ns() // 1_000_000_000


@pytest.mark.proves("S15")
async def test_a_message_is_signed_with_the_endpoints_own_secret(caller: Caller) -> None:
    async with (
        receiving(caller, "payment_intent.succeeded") as one,
        receiving(caller, "*") as other,
    ):
        await caller.sale()
        await one.count(1)
        await other.count(3)
    assert one.secret.startswith("whsec_")
    assert one.secret != other.secret
    [message] = one.heard
    assert signature_holds(message, one.secret, now=now())
    assert not signature_holds(message, other.secret, now=now())
    assert not signature_holds(message, one.secret, now=now() + 600)
    assert all(signature_holds(one_of, other.secret, now=now()) for one_of in other.heard)


async def test_only_wanted_types_are_told_and_the_event_is_whole(caller: Caller) -> None:
    async with receiving(caller, "payment_intent.succeeded", "charge.refunded") as receiver:
        reply = await caller.post(
            "payment_intents",
            {"amount": 5, "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa"}
            | {"payment_method_types[]": "card"},
            key="whole-event",
        )
        await receiver.count(1)
    [message] = receiver.heard
    event = message.event
    assert (event["object"], event["type"]) == ("event", "payment_intent.succeeded")
    assert event["id"].startswith("evt_")
    assert event["data"]["object"] == reply.body
    assert event["livemode"] is False
    assert event["request"]["idempotency_key"] == "whole-event"
    assert event["request"]["id"] == reply.headers["Request-Id"]
    shown = (await caller.get(f"events/{event['id']}")).body
    assert shown["data"] == event["data"]


async def test_a_message_that_is_not_taken_comes_again(caller: Caller) -> None:
    async with receiving(caller, "charge.succeeded") as receiver:
        receiver.statuses += [500, 302]
        started = time.monotonic()
        await caller.sale()
        await receiver.count(3, seconds=15)
        took = time.monotonic() - started
    assert RETRY_SECONDS[:2] == (1, 3)
    assert took >= 4
    assert len({message.raw for message in receiver.heard}) == 1
    signed = [message.signature.partition(",")[0] for message in receiver.heard]
    assert len(set(signed)) == 3


async def test_the_sandboxes_clock_signs(caller: Caller) -> None:
    await caller.order("clock", {"now": "2030-06-01T00:00:00+02:00"})
    async with receiving(caller, "charge.succeeded") as receiver:
        await caller.sale()
        await receiver.count(1)
    [message] = receiver.heard
    may_31_2030 = 1_906_495_200
    assert 0 <= message.event["created"] - may_31_2030 < 60
    assert signature_holds(message, receiver.secret, now=may_31_2030)
    assert not signature_holds(message, receiver.secret, now=now())


async def test_some_messages_come_twice(caller: Caller) -> None:
    await caller.order("webhooks", {"duplicate_percent": 50, "seed": 3})
    async with receiving(caller, "charge.succeeded") as receiver:
        for _ in range(20):
            await caller.sale()
        twice = sum(len(_weather(duplicate_percent=50).plan(n)) == 2 for n in range(1, 21))
        await receiver.count(20 + twice)
    times = Counter(message.event["id"] for message in receiver.heard)
    assert len(times) == 20
    assert 0 < list(times.values()).count(2) == twice < 20


async def test_some_messages_never_come(caller: Caller) -> None:
    plans = [_weather(drop_percent=40).plan(n) for n in range(1, 21)]
    await caller.order("webhooks", {"drop_percent": 40, "seed": 3})
    async with receiving(caller, "charge.succeeded") as receiver:
        paid = [(await caller.sale()).body["id"] for _ in range(20)]
        await receiver.count(sum(map(len, plans)))
    heard = {subject["payment_intent"] for subject in receiver.about("charge.succeeded")}
    assert heard == {one for one, plan in zip(paid, plans, strict=True) if plan}
    counted = await caller.plain("/control/webhooks")
    assert counted.body["deliveries"]["dropped"] >= 1


async def test_some_messages_overtake_others(caller: Caller) -> None:
    await caller.order("webhooks", {"reorder_percent": 50, "seed": 3})
    async with receiving(caller, "charge.succeeded") as receiver:
        paid = [(await caller.sale()).body["id"] for _ in range(10)]
        await receiver.count(10)
    heard = [subject["payment_intent"] for subject in receiver.about("charge.succeeded")]
    assert sorted(heard) == sorted(paid)
    assert heard != paid


async def test_messages_may_be_late_or_paused(caller: Caller) -> None:
    async with receiving(caller, "charge.succeeded") as receiver:
        await caller.order("webhooks", {"delay_ms": 700})
        started = time.monotonic()
        await caller.sale()
        await receiver.count(1)
        assert time.monotonic() - started >= 0.7
        await caller.order("webhooks", {"paused": True})
        await caller.sale()
        with pytest.raises(TimeoutError):
            await receiver.count(2, seconds=0.5)
        await caller.order("webhooks", {})
        await receiver.count(2)


@pytest.mark.parametrize(
    "weather", [{"drop_percent": 101}, {"delay_ms": -1}, {"rain": 5}, {"seed": "x"}, []]
)
async def test_weather_that_makes_no_sense_is_refused(caller: Caller, weather: object) -> None:
    assert "error" in await caller.order("webhooks", weather, status=400)


def test_the_same_seed_brings_the_same_weather() -> None:
    stormy = Weather(duplicate_percent=30, reorder_percent=30, drop_percent=30, seed=7)
    plans = [stormy.plan(n) for n in range(1000)]
    assert plans == [stormy.plan(n) for n in range(1000)]
    sent = [plan for plan in plans if plan]
    for share in (1000 - len(sent), sum(len(p) == 2 for p in sent), sum(p[0] > 0 for p in sent)):
        assert 150 < share < 400
    other = Weather(duplicate_percent=30, reorder_percent=30, drop_percent=30, seed=8)
    assert plans != [other.plan(n) for n in range(1000)]


async def test_endpoints_are_made_changed_and_removed(caller: Caller) -> None:
    async with receiving(caller, "charge.succeeded") as receiver:
        path = f"webhook_endpoints/{receiver.endpoint}"
        shown = (await caller.get(path)).body
        assert (shown["url"], shown["status"], "secret" in shown) == (
            receiver.url,
            "enabled",
            False,
        )
        await caller.post(path, {"enabled_events[]": "charge.captured", "disabled": "true"})
        changed = (await caller.get(path)).body
        assert (changed["enabled_events"], changed["status"]) == (["charge.captured"], "disabled")
        assert len((await caller.get("webhook_endpoints")).body["data"]) == 1
        assert (await caller.delete(path)).body["deleted"] is True
        assert (await caller.get(path)).status == 404
        await caller.sale()
        with pytest.raises(TimeoutError):
            await receiver.count(1, seconds=0.4)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"enabled_events[]": "*"}, "url"),
        ({"url": "ftp://a.example", "enabled_events[]": "*"}, "url"),
        ({"url": "nowhere", "enabled_events[]": "*"}, "url"),
        ({"url": "http://a.example"}, "enabled_events"),
    ],
)
async def test_a_wrong_endpoint_is_refused(
    caller: Caller, fields: dict[str, str], param: str
) -> None:
    reply = await caller.post("webhook_endpoints", fields)
    assert (reply.status, reply.error["param"]) == (400, param)


@pytest.mark.proves("S14")
async def test_what_was_not_delivered_is_delivered_after_a_kill(own: Outside) -> None:
    async with calling(own) as caller, receiving(caller, "charge.succeeded") as receiver:
        await caller.order("webhooks", {"paused": True})
        paid = {(await caller.sale()).body["id"] for _ in range(5)}
        own.kill()
        own.start()
        async with calling(own) as again:
            assert (await again.plain("/control/webhooks")).body["weather"]["paused"] is True
            await again.order("heal", {})
            await receiver.count(5)
            health = await again.plain("/control/health")
    assert {subject["payment_intent"] for subject in receiver.about("charge.succeeded")} == paid
    assert health.body["status"] == "ok"


def _weather(*, duplicate_percent: int = 0, drop_percent: int = 0) -> Weather:
    return Weather(seed=3, duplicate_percent=duplicate_percent, drop_percent=drop_percent)
