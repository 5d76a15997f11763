"""Endpoints and deliveries move along their tables, in Python and in the database alike."""

import itertools

import asyncpg
import pytest

from guilder.plumbing.db import Database
from guilder.webhooks.states import (
    DELIVERY_MOVES,
    ENDPOINT_MOVES,
    DeliveryState,
    EndpointState,
    IllegalMove,
    move_delivery,
    move_endpoint,
)
from tests.webhooks.conftest import Post
from tests.webhooks.receivers import receiving


@pytest.mark.parametrize(("before", "after"), list(itertools.product(EndpointState, EndpointState)))
def test_an_endpoint_moves_only_along_its_table(
    before: EndpointState, after: EndpointState
) -> None:
    if after in ENDPOINT_MOVES[before]:
        assert move_endpoint(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move_endpoint(before, after)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(DeliveryState, DeliveryState)))
def test_a_delivery_moves_only_along_its_table(before: DeliveryState, after: DeliveryState) -> None:
    if after in DELIVERY_MOVES[before]:
        assert move_delivery(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move_delivery(before, after)


async def test_the_database_holds_the_same_tables(database: Database) -> None:
    async with database.reading() as tx:
        endpoints = await tx.rows("select before, after from webhooks.endpoint_move")
        deliveries = await tx.rows("select before, after from webhooks.delivery_move")
    assert {(row["before"], row["after"]) for row in endpoints} == {
        (before.value, after.value) for before in ENDPOINT_MOVES for after in ENDPOINT_MOVES[before]
    }
    assert {(row["before"], row["after"]) for row in deliveries} == {
        (before.value, after.value) for before in DELIVERY_MOVES for after in DELIVERY_MOVES[before]
    }


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("update webhooks.delivery set state = 'failed', trouble = 'x'", "cannot become"),
        ("update webhooks.delivery set event_id = gen_random_uuid()", "append-only"),
        ("update webhooks.delivery set merchant_id = gen_random_uuid()", "append-only"),
        ("delete from webhooks.delivery", "append-only"),
        ("update webhooks.message set body = '{}'", "append-only"),
        ("delete from webhooks.message", "append-only"),
        ("update webhooks.delivery_try set status = 200", "append-only"),
        ("delete from webhooks.delivery_try", "append-only"),
        ("delete from webhooks.delivery_history", "append-only"),
        ("update webhooks.endpoint set merchant_id = gen_random_uuid()", "append-only"),
        ("delete from webhooks.endpoint", "append-only"),
    ],
)
async def test_the_database_refuses_to_tell_another_story(post: Post, sql: str, why: str) -> None:
    async with receiving() as receiver:
        await post.listen(receiver.url())
        await post.announce(post.captured())
        await post.send()
    assert (await post.delivery()).state is DeliveryState.DELIVERED
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=why):
        async with post.db.transaction() as tx:
            await tx.script(sql)


async def test_a_deleted_endpoint_does_not_come_back(post: Post) -> None:
    endpoint = await post.listen("http://127.0.0.1:9/")
    async with post.db.transaction() as tx:
        await tx.run(
            "update webhooks.endpoint set state = 'deleted', secret = null where id = $1",
            endpoint.id.value,
        )
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="cannot become"):
        async with post.db.transaction() as tx:
            await tx.run("update webhooks.endpoint set state = 'enabled', secret = 'x'")
