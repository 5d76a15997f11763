"""An effect is done once under its key, and answered alike ever after."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from guilder.kernel.clock import Clock
from guilder.plumbing import idempotency
from guilder.plumbing.db import Database
from tests.edge.desks import CALLERS, KeptDesk, app_of
from tests.edge.serving import Api, asking

ORDER = {"amount_minor": 1050, "currency": "EUR"}


@pytest.fixture
async def kept(database: Database) -> AsyncGenerator[Api]:
    """The desk that keeps its orders, as the writer sees it."""
    async with asking(app_of(KeptDesk(database)), "writer") as api:
        yield api


async def effects(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.value("select count(*) from plumbing.inbox where consumer = 'orders'")


async def keys_kept(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.value("select count(*) from plumbing.idempotency_key")


@pytest.mark.proves("S02", "S4-16", "I3")
async def test_a_replay_answers_the_same_bytes_and_does_nothing(
    kept: Api, database: Database
) -> None:
    first = await kept.post("/v1/kept", ORDER, key="k")
    again = await kept.post("/v1/kept", ORDER, key="k")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await effects(database) == 1


@pytest.mark.proves("S4-16")
async def test_the_same_order_in_another_spelling_is_a_replay(
    kept: Api, database: Database
) -> None:
    await kept.post("/v1/kept", ORDER, key="k")
    again = await kept.send(
        "POST",
        "/v1/kept",
        body=b'{ "currency": "\\u0045UR",\n "amount_minor":1050 }',
        headers={"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": "k"},
    )
    assert again.headers["idempotent-replayed"] == "true"
    assert await effects(database) == 1


@pytest.mark.proves("S02", "S4-16")
async def test_another_order_under_the_same_key_is_refused(kept: Api, database: Database) -> None:
    await kept.post("/v1/kept", ORDER, key="k")
    answer = await kept.post("/v1/kept", ORDER | {"amount_minor": 1051}, key="k")
    assert answer.outcome == (422, "idempotency_key_reused")
    assert answer.json["param"] == "Idempotency-Key"
    assert await effects(database) == 1


@pytest.mark.proves("S02", "I8")
async def test_tenants_and_modes_do_not_share_keys(kept: Api, database: Database) -> None:
    answers = [
        await kept.holding(caller).post("/v1/kept", ORDER, key="k")
        for caller in ("writer", "other", "live")
    ]
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert len({answer.json["id"] for answer in answers}) == 3
    assert await effects(database) == 3


@pytest.mark.proves("S02")
async def test_twenty_at_once_under_one_key_are_one_effect(kept: Api, database: Database) -> None:
    answers = await asyncio.gather(
        *(kept.post("/v1/kept", ORDER, key=f"k{n % 5}") for n in range(100))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 5
    assert await effects(database) == 5


@pytest.mark.proves("S02")
async def test_a_refusal_inside_leaves_no_key_behind(kept: Api, database: Database) -> None:
    answer = await kept.post("/v1/kept", ORDER | {"note": "sold out"}, key="k")
    assert answer.outcome == (402, "sold_out")
    assert (await effects(database), await keys_kept(database)) == (0, 0)
    assert (await kept.post("/v1/kept", ORDER, key="k")).status == 201


async def test_what_is_refused_before_it_is_tried_leaves_no_key_behind(
    kept: Api, database: Database
) -> None:
    answer = await kept.post("/v1/kept", ORDER | {"amount_minor": "1"}, key="k")
    assert answer.outcome == (422, "field_invalid")
    assert await keys_kept(database) == 0


@pytest.mark.proves("S02")
async def test_a_key_whose_first_request_is_at_work_is_in_progress(
    kept: Api, database: Database
) -> None:
    await reserve_in_advance(database)
    answer = await kept.post("/v1/kept", ORDER, key="k")
    assert answer.outcome == (409, "idempotency_in_progress")
    assert answer.headers["retry-after"] == "1"
    assert answer.json["retryable"] is True
    assert await effects(database) == 0


async def reserve_in_advance(database: Database) -> None:
    """Reserve the key `k` for the order as another process would that is still at work."""
    caller = CALLERS["writer"]
    key = idempotency.Key(
        tenant_id=caller.tenant_id,
        is_test=True,
        key="k",
        fingerprint=idempotency.fingerprint(
            "POST", "/v1/kept", b'{"amount_minor":1050,"currency":"EUR"}'
        ),
    )
    async with database.transaction() as tx:
        await idempotency.reserve(tx, [key], [None], Clock().now())


async def test_a_secret_is_in_the_first_answer_only(kept: Api) -> None:
    first = await kept.post("/v1/kept", ORDER | {"note": "secret"}, key="k")
    again = await kept.post("/v1/kept", ORDER | {"note": "secret"}, key="k")
    assert first.json["note"] == "secret"
    assert again.json == first.json | {"note": None}


@pytest.mark.proves("S30")
async def test_without_a_database_nothing_is_done_and_the_caller_may_come_back(
    database: Database,
) -> None:
    async with asking(app_of(KeptDesk(database)), "writer") as kept:
        await database.close()
        answer = await kept.post("/v1/kept", ORDER, key="k")
    assert answer.outcome == (503, "database_unavailable")
    assert answer.json["retryable"] is True
