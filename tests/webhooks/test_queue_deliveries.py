"""Events become deliveries: for the right endpoints, once, in order, in whole batches."""

import asyncio
import json
from datetime import timedelta

import pytest

from guilder.kernel.ids import PaymentId
from guilder.kernel.scope import Scope
from guilder.plumbing import outbox
from guilder.webhooks import public as webhooks
from guilder.webhooks.actions.change_endpoint import Change, delete_endpoint
from guilder.webhooks.actions.queue_deliveries import queue_deliveries
from guilder.webhooks.states import DeliveryState
from tests.webhooks.conftest import KEY, Post

URL = "http://127.0.0.1:9/"


@pytest.mark.proves("I8")
async def test_only_those_who_asked_are_told_and_only_of_their_own(post: Post) -> None:
    other = await post.merchant()
    live = await post.merchant(is_test=False)
    all_of_it = await post.listen(URL)
    captures = await post.listen(URL, "payment.captured", "payment.voided")
    await post.listen(URL, "payment.refunded")
    await post.listen(URL, merchant_id=other)
    await post.listen("https://shop.example/", merchant_id=live, is_test=False)

    [event_id] = await post.announce(post.captured())
    told = {delivery.endpoint_id for delivery in await post.deliveries()}
    assert told == {all_of_it.id, captures.id}
    assert {delivery.event_id for delivery in await post.deliveries()} == {event_id}

    await post.announce(post.captured(is_test=False))
    assert len(await post.deliveries()) == 2, "the same merchant's other mode is another world"


async def test_the_same_messages_again_make_nothing_new(post: Post) -> None:
    await post.listen(URL)
    async with post.db.transaction() as tx:
        await outbox.put(tx, [post.captured(), post.captured()])
    async with post.db.transaction() as tx:
        messages = await outbox.claim(tx, post.clock.now(), limit=10)
        assert await queue_deliveries(tx, messages, now=post.clock.now()) == 2
    async with post.db.transaction() as tx:
        assert await queue_deliveries(tx, messages, now=post.clock.now()) == 0
    await post.relay()
    assert len(await post.deliveries()) == 2


async def test_two_hundred_messages_for_twenty_endpoints_are_queued_in_one_commit(
    post: Post,
) -> None:
    for _ in range(20):
        await post.listen(URL)
    await post.announce(*(post.captured() for _ in range(200)))
    async with post.db.reading() as tx:
        row = await tx.row(
            "select count(*) as n, count(distinct xmin::text) as commits from webhooks.delivery"
        )
    assert (row["n"], row["commits"]) == (4000, 1)


async def test_numbers_of_a_subject_go_on_from_batch_to_batch(post: Post) -> None:
    payment_id = PaymentId.new()
    await post.listen(URL)
    for batch in range(3):
        await post.announce(*(post.refunded(payment_id) for _ in range(batch + 1)), post.captured())
    async with post.db.reading() as tx:
        rows = await tx.rows(
            "select sequence, body from webhooks.message where subject = $1 order by sequence",
            str(payment_id),
        )
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5, 6]
    amounts = [json.loads(row["body"])["data"]["amount"]["amount_minor"] for row in rows]
    assert amounts == sorted(amounts), "in the order of the outbox"


@pytest.mark.proves("S19")
async def test_an_event_too_large_to_send_is_told_of_and_holds_back_nothing(post: Post) -> None:
    await post.listen(URL)
    await post.announce(post.captured(reference="x" * 30_000), post.captured())
    async with post.db.reading() as tx:
        sizes = await tx.rows("select length(body) as size from webhooks.message")
    assert len(sizes) == 2
    assert max(row["size"] for row in sizes) < 20_000


async def test_without_a_listener_nothing_is_kept(post: Post) -> None:
    await post.announce(post.captured())
    async with post.db.reading() as tx:
        assert await tx.value("select count(*) from webhooks.message") == 0


async def test_an_endpoint_deleted_while_we_queue_leaves_nothing_waiting(post: Post) -> None:
    endpoint = await post.listen(URL)
    async with post.db.transaction() as tx:
        await outbox.put(tx, [post.captured() for _ in range(5)])

    async def delete() -> None:
        change = Change(post.scope, endpoint.id, KEY, post.clock.now())
        async with post.db.transaction() as tx:
            await delete_endpoint(tx, change)

    async with post.db.transaction() as tx:
        messages = await outbox.claim(tx, post.clock.now(), limit=10)
        assert await queue_deliveries(tx, messages, now=post.clock.now()) == 5
        deleting = asyncio.create_task(delete())
        await asyncio.sleep(0.2)
        assert not deleting.done(), "it waits for what is being queued"
    await deleting
    states = {delivery.state for delivery in await post.deliveries()}
    assert states == {DeliveryState.FAILED}
    assert await post.send(after=timedelta(days=1)) == 0


@pytest.mark.proves("I8")
async def test_a_trail_sees_its_deliveries_and_nobody_elses(post: Post) -> None:
    await post.listen(URL)
    ids = await post.announce(post.captured(), post.captured())
    stranger = Scope(is_test=True, merchant_id=await post.merchant())
    own = Scope(is_test=True, merchant_id=post.merchant_id)
    async with post.db.reading() as tx:
        seen = await webhooks.list_deliveries_about(tx, own, ids)
        unseen = await webhooks.list_deliveries_about(tx, stranger, ids)
        across = await webhooks.list_deliveries_about(tx, Scope(is_test=False), ids)
    assert [delivery.event_id for delivery in seen] == ids
    assert {delivery.url for delivery in seen} == {URL}
    assert unseen == across == []
