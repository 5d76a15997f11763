"""Idempotency keys: one owner, the whole answer, seventy-two hours."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from guilder.kernel.ids import AttemptId, MerchantId
from guilder.plumbing import idempotency
from guilder.plumbing.db import Database
from guilder.plumbing.idempotency import Answer, Key, KeyReused, fingerprint

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TENANT = MerchantId.new().value


def key(name: str, *, tenant: UUID = TENANT, is_test: bool = True, body: bytes = b"{}") -> Key:
    return Key(tenant, is_test, name, fingerprint("POST", "/v1/payments", body))


async def _reserve(db: Database, one: Key, now: datetime = NOW) -> idempotency.KeptKey | None:
    async with db.transaction() as tx:
        (kept,) = await idempotency.reserve(tx, [one], [AttemptId.new().value], now)
    return kept


@pytest.mark.proves("S4-16")
async def test_the_first_one_owns_the_key_and_the_answer_is_kept_whole(database: Database) -> None:
    assert await _reserve(database, key("a")) is None
    kept = await _reserve(database, key("a"))
    assert kept is not None
    assert kept.answer is None
    async with database.transaction() as tx:
        await idempotency.answer(tx, [key("a")], [Answer(201, b"\x00\xffwhole")])
    kept = await _reserve(database, key("a"))
    assert kept is not None
    assert kept.answer == Answer(201, b"\x00\xffwhole")


@pytest.mark.proves("S4-16")
async def test_an_answer_that_is_there_stays(database: Database) -> None:
    await _reserve(database, key("a"))
    for body in (b"first", b"second"):
        async with database.transaction() as tx:
            await idempotency.answer(tx, [key("a")], [Answer(201, body)])
    async with database.reading() as tx:
        kept = await idempotency.find(tx, key("a"))
    assert kept is not None
    assert kept.answer == Answer(201, b"first")


@pytest.mark.proves("S4-16", "S02")
async def test_keys_are_never_shared_between_tenants_or_modes(database: Database) -> None:
    assert await _reserve(database, key("a")) is None
    assert await _reserve(database, key("a", tenant=MerchantId.new().value)) is None
    assert await _reserve(database, key("a", is_test=False)) is None


@pytest.mark.proves("S4-16", "S02")
async def test_twenty_callers_race_and_one_wins(database: Database) -> None:
    outcomes = await asyncio.gather(*(_reserve(database, key("a")) for _ in range(20)))
    assert sum(outcome is None for outcome in outcomes) == 1


@pytest.mark.proves("S02")
async def test_a_key_lives_seventy_two_hours_and_is_free_after(database: Database) -> None:
    assert await _reserve(database, key("a")) is None
    assert await _reserve(database, key("a"), NOW + timedelta(hours=71, minutes=59)) is not None
    assert await _reserve(database, key("a", body=b"{1}"), NOW + timedelta(hours=72)) is None


async def test_expired_keys_are_forgotten_and_others_are_not(database: Database) -> None:
    await _reserve(database, key("old"))
    await _reserve(database, key("new"), NOW + timedelta(hours=1))
    async with database.transaction() as tx:
        assert await idempotency.forget_expired(tx, NOW + timedelta(hours=72), limit=10) == 1
    async with database.reading() as tx:
        assert await idempotency.find(tx, key("old")) is None
        assert await idempotency.find(tx, key("new")) is not None


async def test_two_equal_keys_in_one_call_have_one_owner(database: Database) -> None:
    async with database.transaction() as tx:
        kept = await idempotency.reserve(
            tx, [key("a"), key("b"), key("a")], [None, None, None], NOW
        )
    assert [one is None for one in kept] == [True, True, False]


async def test_crossing_sets_of_keys_do_not_wait_on_each_other_for_ever(
    database: Database,
) -> None:
    names = [f"k{n}" for n in range(40)]

    async def take(order: list[str]) -> int:
        async with database.transaction() as tx:
            kept = await idempotency.reserve(
                tx, [key(name) for name in order], [None] * len(order), NOW
            )
        return sum(one is None for one in kept)

    taken = await asyncio.gather(*(take(names if n % 2 else names[::-1]) for n in range(8)))
    assert sum(taken) == len(names)


async def test_a_released_key_is_free_again(database: Database) -> None:
    await _reserve(database, key("a"))
    async with database.transaction() as tx:
        await idempotency.release(tx, [key("a")])
    assert await _reserve(database, key("a")) is None


def test_another_request_under_the_key_is_its_own_refusal() -> None:
    kept = idempotency.KeptKey(key("a"), None, None, NOW)
    idempotency.check(kept, key("a"))
    with pytest.raises(KeyReused):
        idempotency.check(kept, key("a", body=b"{2}"))


def test_a_fingerprint_tells_where_one_part_ends_and_the_next_begins() -> None:
    assert fingerprint("POST", "/a", b"b") != fingerprint("POST", "/ab", b"")
    assert fingerprint("POST", "/a", b"b") != fingerprint("PATCH", "/a", b"b")
