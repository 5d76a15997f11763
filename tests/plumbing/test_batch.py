"""The batcher: callers of one moment share a commit, and only the guilty one fails."""

import asyncio
from collections.abc import Sequence

import pytest

from guilder.kernel.errors import Kind, Refusal
from guilder.plumbing.batch import Batcher
from guilder.plumbing.db import Database, Tx


class Odd(Refusal):
    """The number is odd."""

    code = "odd"
    kind = Kind.INVALID


async def _table(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.run("create table public.kept (n integer primary key check (n < 1000))")


async def _keep(tx: Tx, numbers: Sequence[int]) -> list[int | Refusal]:
    await tx.run("insert into public.kept select unnest($1::int[])", list(numbers))
    return [Odd(f"{n} is odd") if n % 2 and n > 500 else n * 10 for n in numbers]


async def _kept(db: Database) -> list[int]:
    async with db.reading() as tx:
        return [row["n"] for row in await tx.rows("select n from public.kept order by n")]


async def test_callers_of_one_moment_share_a_transaction(database: Database) -> None:
    await _table(database)
    sizes: list[int] = []

    async def run(tx: Tx, numbers: Sequence[int]) -> list[int | Refusal]:
        sizes.append(len(numbers))
        return await _keep(tx, numbers)

    batcher = Batcher(database, run)
    outcomes = await asyncio.gather(*(batcher.put(n) for n in range(200)))

    assert outcomes == [n * 10 for n in range(200)]
    assert await _kept(database) == list(range(200))
    assert sum(sizes) == 200
    assert len(sizes) < 20


async def test_a_refusal_reaches_its_own_caller_alone(database: Database) -> None:
    await _table(database)
    batcher = Batcher(database, _keep)
    outcomes = await asyncio.gather(*(batcher.put(n) for n in (2, 501, 4)), return_exceptions=True)
    assert outcomes[0] == 20
    assert isinstance(outcomes[1], Odd)
    assert outcomes[2] == 40


async def test_when_the_database_refuses_the_batch_the_guilty_one_fails_alone(
    database: Database,
) -> None:
    await _table(database)
    batcher = Batcher(database, _keep)
    outcomes = await asyncio.gather(
        *(batcher.put(n) for n in (2, 4, 5000, 6)), return_exceptions=True
    )
    assert [outcomes[n] for n in (0, 1, 3)] == [20, 40, 60]
    assert isinstance(outcomes[2], Exception)
    assert await _kept(database) == [2, 4, 6]


async def test_nothing_is_answered_before_its_commit(database: Database) -> None:
    await _table(database)
    batcher = Batcher(database, _keep)
    for n in range(20):
        await batcher.put(n)
        assert n in await _kept(database)


async def test_a_caller_who_leaves_does_not_take_the_others_along(database: Database) -> None:
    await _table(database)
    batcher = Batcher(database, _keep)
    tasks = [asyncio.create_task(batcher.put(n)) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[3], asyncio.CancelledError)
    assert [outcome for n, outcome in enumerate(outcomes) if n != 3] == [
        n * 10 for n in range(10) if n != 3
    ]


async def test_a_lost_database_is_told_to_every_caller(database: Database) -> None:
    await _table(database)
    batcher = Batcher(database, _keep)
    await database.close()
    outcomes = await asyncio.gather(*(batcher.put(n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, Refusal) and outcome.retryable for outcome in outcomes), outcomes


@pytest.mark.parametrize("members_max", [1, 7])
async def test_a_batch_is_bounded(database: Database, members_max: int) -> None:
    await _table(database)
    largest = 0

    async def run(tx: Tx, numbers: Sequence[int]) -> list[int | Refusal]:
        nonlocal largest
        largest = max(largest, len(numbers))
        return await _keep(tx, numbers)

    batcher = Batcher(database, run, members_max=members_max)
    await asyncio.gather(*(batcher.put(n) for n in range(50)))
    assert largest <= members_max
