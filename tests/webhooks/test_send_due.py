"""What is due is sent until it arrives: signed, bounded, at least once, and to nobody's harm."""

import asyncio
import json
import time
from datetime import timedelta

import pytest

from guilder.kernel.ids import PaymentId
from guilder.webhooks import store
from guilder.webhooks.actions.send_due import HEALTHY_AT_ONCE, LEASE, Courier
from guilder.webhooks.model import Errand
from guilder.webhooks.rules.schedule import TRIES_MAX, WAITS
from guilder.webhooks.states import DeliveryState, EndpointState
from tests.webhooks.conftest import Post
from tests.webhooks.receivers import (
    Request,
    babbling,
    dripping,
    flooding,
    receiving,
    receiving_many,
    resetting,
    saying,
    sleeping,
)

LATER = timedelta(days=2)


@pytest.mark.proves("S17")
async def test_a_merchant_is_told_what_happened_signed_and_in_one_shape(post: Post) -> None:
    async with receiving() as receiver:
        endpoint = await post.listen(receiver.url("/hook?shop=1"))
        event = post.captured()
        [event_id] = await post.announce(event)
        assert await post.send() == 1

    [request] = receiver.requests
    assert request.path == "/hook?shop=1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == str(event_id)
    assert request.is_signed_with(post.secrets[endpoint.id], post.clock)
    told = json.loads(request.body)
    assert list(told) == ["type", "timestamp", "data"]
    assert told["type"] == "payment.captured"
    assert told["timestamp"] == event.happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert told["data"]["payment_id"] == str(event.payment_id)
    assert told["data"]["sequence"] == 1

    delivery = await post.delivery()
    assert delivery.state is DeliveryState.DELIVERED
    assert (delivery.tries, delivery.last_status, delivery.trouble) == (1, 200, None)
    assert delivery.delivered_at is not None
    assert delivery.delivered_at >= delivery.created_at
    [logged] = await post.tries(delivery.id)
    assert (logged.number, logged.status) == (1, 200)
    assert await post.send(after=LATER) == 0


@pytest.mark.proves("S17")
async def test_a_failing_receiver_is_tried_ten_times_with_the_same_id_and_bytes(
    post: Post,
) -> None:
    async with receiving(saying(500)) as receiver:
        endpoint = await post.listen(receiver.url())
        await post.announce(post.captured())
        waits: list[timedelta] = []
        while True:
            assert await post.send() == 1
            delivery = await post.delivery()
            if delivery.next_try_at is None:
                break
            waits.append(delivery.next_try_at - post.clock.now())
            assert await post.send() == 0, "not before its time"
            post.clock.move(waits[-1] + timedelta(milliseconds=1))

    assert (delivery.state, delivery.tries) == (DeliveryState.FAILED, TRIES_MAX)
    assert delivery.trouble == "answered 500"
    for wait, planned in zip(waits, WAITS, strict=True):
        assert planned * 0.85 <= wait <= planned * 1.15 + timedelta(seconds=5)
    assert len({request.body for request in receiver.requests}) == 1
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.headers["webhook-timestamp"] for request in receiver.requests}) == TRIES_MAX
    secret = post.secrets[endpoint.id]
    assert receiver.requests[-1].is_signed_with(secret, post.clock)
    numbers = [one.number for one in await post.tries(delivery.id)]
    assert numbers == list(range(1, TRIES_MAX + 1))


@pytest.mark.proves("S17", "S18")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(post: Post, status: int) -> None:
    async with receiving() as decoy, receiving() as receiver:
        receiver.behave = saying(status, f"location: {decoy.url('/stolen')}")
        await post.listen(receiver.url())
        await post.announce(post.captured())
        await post.send()
    assert decoy.connections == 0
    delivery = await post.delivery()
    assert (delivery.state, delivery.last_status) == (DeliveryState.PENDING, status)
    assert "not followed" in str(delivery.trouble)


@pytest.mark.proves("S17")
async def test_a_receiver_that_is_gone_is_disabled_and_what_waits_is_given_up(post: Post) -> None:
    async with receiving(saying(410)) as receiver, receiving() as other:
        endpoint = await post.listen(receiver.url())
        await post.listen(other.url())
        await post.announce(*(post.captured() for _ in range(40)))
        await post.send()
        await post.send(after=LATER)
        row = await post.endpoint(endpoint.id)
        assert (row["state"], "410" in row["reason"]) == (EndpointState.DISABLED, True)
        assert len(receiver.requests) <= HEALTHY_AT_ONCE
        mine = await post.deliveries(endpoint_id=endpoint.id)
        assert {delivery.state for delivery in mine} == {DeliveryState.FAILED}
        assert len(other.requests) == 40
        assert await post.topics() == ["webhook_endpoint.disabled"]

        await post.relay()
        await post.announce(post.captured())
        await post.send()
        assert len(await post.deliveries(endpoint_id=endpoint.id)) == 40, "nothing more is queued"
        assert other.requests[-2].body.startswith(b'{"type":"webhook_endpoint.disabled"')


@pytest.mark.proves("S17")
@pytest.mark.parametrize(
    ("status", "asked", "least"),
    [(429, "90", 90), (503, "3600", 3600), (429, "999999999", 86_400), (500, "90", 0)],
)
async def test_a_receiver_that_asks_for_time_is_given_it(
    post: Post, status: int, asked: str, least: int
) -> None:
    async with receiving(saying(status, f"retry-after: {asked}")) as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        await post.send()
    delivery = await post.delivery()
    assert delivery.next_try_at is not None
    wait = (delivery.next_try_at - post.clock.now()).total_seconds()
    assert max(least, 4) - 2 <= wait <= max(least, 6) + 2


@pytest.mark.proves("S17")
async def test_a_receiver_that_hangs_up_or_babbles_or_is_not_there_is_tried_again(
    post: Post,
) -> None:
    async with receiving() as gone:
        closed = gone.url()
    async with receiving(resetting) as rude, receiving(babbling) as mad, receiving() as plain:
        troubles = {
            rude.url(): "connection was lost",
            mad.url(): "not HTTP",
            closed: "connection was refused",
            "http://no.such.name.invalid/": "could not be resolved",
            plain.url().replace("http:", "https:"): "TLS",
        }
        plain.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        for url in troubles:
            await post.listen(url)
        await post.announce(post.captured())
        assert await post.send() == len(troubles)
    for delivery in await post.deliveries():
        assert delivery.state is DeliveryState.PENDING
        assert troubles[delivery.url] in str(delivery.trouble), delivery.url
        assert delivery.last_status is None


@pytest.mark.proves("S17")
@pytest.mark.parametrize("header", ["x-kind: plain", "content-encoding: gzip"])
async def test_an_endless_answer_is_cut_off_and_a_bomb_is_not_unpacked(
    post: Post, header: str
) -> None:
    sent: list[int] = []
    async with receiving(flooding(sent, header)) as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        began = time.monotonic()
        await post.send()
        assert time.monotonic() - began < 3
    assert sum(sent) < 8 * 1024 * 1024, "what the kernel's buffers take, and no more"
    assert (await post.delivery()).state is DeliveryState.DELIVERED, "its status said so"


@pytest.mark.proves("S17")
async def test_an_answer_that_drips_does_not_hold_a_place(post: Post) -> None:
    async with receiving(dripping) as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        began = time.monotonic()
        await post.send()
        assert time.monotonic() - began < 5
    assert (await post.delivery()).state is DeliveryState.DELIVERED


@pytest.mark.proves("S17")
async def test_one_slow_receiver_among_fifty_delays_nobody(post: Post) -> None:
    async with receiving(sleeping(15)) as slow, receiving_many(49) as good:
        await post.listen(slow.url())
        for receiver in good:
            await post.listen(receiver.url())
        began = time.monotonic()
        await post.announce(*(post.captured() for _ in range(20)))
        ends: list[float] = []
        while len(ends) < 980 and time.monotonic() - began < 20:
            if not await post.courier.send_due(post.clock.now()):
                await post.courier.rest(0.2)
            done = sum(len(receiver.requests) for receiver in good)
            ends += [time.monotonic() - began] * (done - len(ends))
        assert len(ends) == 980
        assert sorted(ends)[930] < 5, "twenty events at once, on a machine shared with others"
        assert 1 <= len(slow.requests) <= HEALTHY_AT_ONCE
        await post.courier.finish(0)


@pytest.mark.proves("S17")
async def test_a_receiver_that_fails_is_knocked_at_once_at_a_time(post: Post) -> None:
    async with receiving(saying(500)) as bad:
        endpoint = await post.listen(bad.url())
        await post.announce(post.captured())
        await post.send()
        assert (await post.endpoint(endpoint.id))["failing_since"] is not None
        await post.announce(*(post.captured() for _ in range(5)))
        assert await post.courier.send_due(post.clock.now()) == 1
        assert await post.courier.send_due(post.clock.now()) == 0
        await post.courier.finish()
        bad.behave = None
        assert await post.courier.send_due(post.clock.now()) == 1
        await post.courier.finish()
        assert (await post.endpoint(endpoint.id))["failing_since"] is None
        assert await post.courier.send_due(post.clock.now()) == 3


@pytest.mark.proves("S17", "S28")
async def test_a_worker_that_dies_after_sending_is_made_up_for_under_the_same_id(
    post: Post,
) -> None:
    async with receiving() as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        dying = Courier(post.db, post.sender)
        receiver.behave = sleeping(5)
        assert await dying.send_due(post.clock.now()) == 1
        await receiver.arrived.wait()
        await dying.finish(0)
        assert (await post.delivery()).state is DeliveryState.PENDING

        receiver.behave = None
        assert await post.send() == 0, "the dead worker's claim still stands"
        assert await post.send(after=LEASE) == 1
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    delivery = await post.delivery()
    assert (delivery.state, delivery.tries) == (DeliveryState.DELIVERED, 2)


@pytest.mark.proves("S28")
async def test_a_late_result_is_logged_and_changes_nothing(post: Post) -> None:
    async with receiving(sleeping(0.4)) as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        zombie = Courier(post.db, post.sender)
        assert await zombie.send_due(post.clock.now()) == 1
        await receiver.arrived.wait()
        receiver.behave = saying(500)
        post.clock.move(LEASE)
        assert await post.send() == 1
        await zombie.finish()
    delivery = await post.delivery()
    assert delivery.state is DeliveryState.PENDING, "the second worker's word stands"
    statuses = [(one.number, one.status) for one in await post.tries(delivery.id)]
    assert statuses == [(1, 200), (2, 500)]


@pytest.mark.proves("S28")
async def test_workers_at_the_same_moment_never_take_the_same_delivery(post: Post) -> None:
    async with receiving_many(10) as receivers:
        for receiver in receivers:
            await post.listen(receiver.url())
        await post.announce(*(post.captured() for _ in range(10)))

        async def claim() -> list[Errand]:
            async with post.db.transaction() as tx:
                return await store.claim_due(
                    tx,
                    post.clock.now(),
                    lease=LEASE,
                    limit=64,
                    at_once=HEALTHY_AT_ONCE,
                    failing_at_once=1,
                )

        taken = [
            one for found in await asyncio.gather(*[claim() for _ in range(6)]) for one in found
        ]
    ids = [errand.delivery_id for errand in taken]
    assert len(ids) == len(set(ids)) == 100


async def test_news_of_one_subject_is_numbered_in_its_order(post: Post) -> None:
    payment_id = PaymentId.new()
    async with receiving() as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured(payment_id), post.refunded(payment_id))
        await post.announce(post.refunded(payment_id), post.captured())
        await post.send()
    told = {
        request.headers["webhook-id"]: json.loads(request.body) for request in receiver.requests
    }
    about = sorted(
        (one["data"]["sequence"], one["type"])
        for one in told.values()
        if one["data"]["payment_id"] == str(payment_id)
    )
    assert about == [(1, "payment.captured"), (2, "payment.refunded"), (3, "payment.refunded")]


async def test_a_request_without_a_body_is_not_what_receivers_see(post: Post) -> None:
    seen: list[Request] = []

    async def keep(request: Request, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await saying(204)(request, writer)

    async with receiving(keep) as receiver:
        await post.listen(receiver.url())
        await post.announce(*(post.captured() for _ in range(3)))
        await post.send()
    assert (await post.deliveries())[0].last_status == 204
    assert {request.headers["accept-encoding"] for request in seen} == {"identity"}
    assert all("cookie" not in request.headers for request in seen)
