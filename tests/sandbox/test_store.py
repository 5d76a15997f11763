"""The store by itself: nothing settles before it is in the file."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from guilder_sandbox.store import BookUnavailable, Store

PUT = "insert into thing (seq, name) values (?, ?)"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    opened = Store(tmp_path / "store.sqlite")
    opened.create("create table thing (seq integer primary key, name text unique) strict")
    yield opened
    await opened.close()


def seen_by_others(store: Store) -> int:
    with contextlib.closing(sqlite3.connect(store.path)) as other:
        return int(other.execute("select count(*) from thing").fetchone()[0])


async def put_and_settle(store: Store, name: str) -> int:
    store.put(PUT, (store.next_seq("thing"), name))
    await store.settled()
    return seen_by_others(store)


@pytest.mark.proves("I4")
async def test_what_is_settled_is_seen_by_everyone(store: Store) -> None:
    assert await put_and_settle(store, "first") == 1
    counts = await asyncio.gather(*(put_and_settle(store, f"n{n}") for n in range(50)))
    assert set(counts) == {51}, "those of one moment share one commit"


async def test_a_group_is_written_whole_or_not_at_all(store: Store) -> None:
    forgotten: list[str] = []
    store.on_loss(lambda: forgotten.append("cache"))
    await put_and_settle(store, "taken")
    names = ("free", "taken", "free too")
    results = await asyncio.gather(
        *(put_and_settle(store, name) for name in names), return_exceptions=True
    )
    assert [type(result) for result in results] == [BookUnavailable] * 3
    assert (seen_by_others(store), forgotten) == (1, ["cache"])
    assert await put_and_settle(store, "free") == 2


async def test_numbers_go_on_after_opening_again(store: Store) -> None:
    await put_and_settle(store, "first")
    again = Store(store.path)
    assert again.next_seq("thing") == 2
    await again.close()


async def test_a_long_answer_shows_one_moment(store: Store) -> None:
    for n in range(1200):
        store.put(PUT, (store.next_seq("thing"), f"n{n}"))
    rows = 0
    async for chunk in store.stream("select seq from thing order by seq"):
        rows += len(chunk)
        store.put(PUT, (store.next_seq("thing"), f"late {rows}"))
    assert rows == 1200
    await store.settled()
    assert seen_by_others(store) > 1200
