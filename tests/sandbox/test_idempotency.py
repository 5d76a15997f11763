"""Idempotency keys as Stripe honours them: one deed, one answer, for a day."""

import asyncio
from collections import Counter

import pytest

from tests.sandbox.outside import SALE, Caller, Outside, calling

FIELDS = {**SALE, "amount": 1050, "currency": "eur"}


async def test_a_repeat_gets_the_same_answer_and_says_so(caller: Caller) -> None:
    first = await caller.post("payment_intents", FIELDS, key="repeat-1")
    again = await caller.post("payment_intents", FIELDS, key="repeat-1")
    assert (again.status, again.raw) == (200, first.raw)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert len(await caller.movements(first.body["id"])) == 2


async def test_the_order_of_the_fields_does_not_matter(caller: Caller) -> None:
    first = await caller.post("payment_intents", FIELDS, key="order-1")
    turned = dict(reversed(FIELDS.items()))
    assert (await caller.post("payment_intents", turned, key="order-1")).raw == first.raw


@pytest.mark.parametrize("path", ["payment_intents", "refunds"])
async def test_a_key_is_for_one_request_only(caller: Caller, path: str) -> None:
    await caller.post("payment_intents", FIELDS, key=f"mine-{path}")
    other = {**FIELDS, "amount": 1051}
    reply = await caller.post(path, other, key=f"mine-{path}")
    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")
    assert "code" not in reply.error


@pytest.mark.proves("S02", "I3")
async def test_the_same_key_in_parallel_books_once(caller: Caller) -> None:
    before = len(await caller.book(kind="capture"))
    for n in range(10):
        posts = [caller.post("payment_intents", FIELDS, key=f"parallel-{n}") for _ in range(30)]
        replies = await asyncio.gather(*posts)
        assert set(Counter(reply.status for reply in replies)) <= {200, 409}
        assert len({reply.body["id"] for reply in replies if reply.status == 200}) == 1
        for reply in replies:
            if reply.status == 409:
                assert reply.error["code"] == "idempotency_key_in_use"
    assert len(await caller.book(kind="capture")) == before + 10


async def test_a_key_is_in_use_until_its_request_is_done(caller: Caller) -> None:
    await caller.fault("answer_late", when="before_booking", delay_ms=1000)
    slow = asyncio.create_task(caller.post("payment_intents", FIELDS, key="slow-1"))
    await asyncio.sleep(0.1)
    reply = await caller.post("payment_intents", FIELDS, key="slow-1")
    assert (reply.status, reply.error["code"]) == (409, "idempotency_key_in_use")
    assert (await slow).status == 200
    assert (await caller.post("payment_intents", FIELDS, key="slow-1")).raw == (await slow).raw


async def test_a_decline_is_remembered_as_well(caller: Caller) -> None:
    fields = {**FIELDS, "payment_method": "pm_card_chargeDeclined"}
    first = await caller.post("payment_intents", fields, key="declined-1")
    again = await caller.post("payment_intents", fields, key="declined-1")
    assert (again.status, again.raw) == (402, first.raw)
    intent = first.error["payment_intent"]["id"]
    assert len(await caller.movements(intent)) == 1


async def test_a_refusal_of_the_form_is_not_remembered(caller: Caller) -> None:
    wrong = await caller.post("payment_intents", {**FIELDS, "amount": "x"}, key="repaired-1")
    assert wrong.status == 400
    assert (await caller.post("payment_intents", FIELDS, key="repaired-1")).status == 200


async def test_a_key_is_forgotten_after_a_day(caller: Caller) -> None:
    first = await caller.post("payment_intents", FIELDS, key="day-1")
    await caller.order("clock", {"now": "2099-01-01T00:00:00Z"})
    later = await caller.post("payment_intents", FIELDS, key="day-1")
    assert later.body["id"] != first.body["id"]


async def test_a_key_has_a_length(caller: Caller) -> None:
    assert (await caller.post("payment_intents", FIELDS, key="k" * 256)).status == 400
    assert (await caller.post("payment_intents", FIELDS, key="k" * 255)).status == 200


async def test_a_key_outlives_the_process(own: Outside) -> None:
    async with calling(own) as caller:
        first = await caller.post("payment_intents", FIELDS, key="outlives")
    own.kill()
    own.start()
    async with calling(own) as caller:
        assert (await caller.post("payment_intents", FIELDS, key="outlives")).raw == first.raw
        assert len(await caller.book()) == 2
