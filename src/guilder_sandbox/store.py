"""One SQLite file, one writer, and commits that many answers share."""

# Nothing is answered before the commit of its group: a killed sandbox has lost nothing it said.
# The file is in WAL mode with synchronous=NORMAL, which survives the death of the process; the
# loss of the whole machine may cost the last moments, and this is a simulator.

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import LiteralString, TypeAlias

from guilder_sandbox.trouble import Trouble

Cell: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[Cell, ...]

BUSY_SECONDS = 1  # How long a commit waits for somebody who opened the file by hand.
LOG_BYTES_MAX = 32 * 1024 * 1024  # A longer log is brought into the file beside the work.
CHUNK_ROWS = 500  # Rows read at a time while a long answer streams, so that others are served.

SCHEMA = """
create table if not exists setting (name text primary key, value text not null) strict;
"""


class Store:
    """Reads see what is committed; writes gather and are committed once per turn of the loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute("pragma wal_autocheckpoint = 0")
        self._db.execute("pragma cache_size = -65536")
        self._batch: dict[LiteralString, list[Row]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._next: dict[LiteralString, int] = {}
        self._tidying: asyncio.Task[None] | None = None
        self._on_loss: list[Callable[[], None]] = []
        self.create(SCHEMA)

    def create(self, schema: LiteralString) -> None:
        self._db.executescript(schema)

    def on_loss(self, forget: Callable[[], None]) -> None:
        """Call `forget` when a group could not be committed, so that caches drop what it held."""
        self._on_loss.append(forget)

    def next_seq(self, table: LiteralString) -> int:
        """The next row number of `table`; rows are only ever added at the end."""
        seq = self._next.get(table)
        if seq is None:
            row = self.find("select coalesce(max(seq), 0) + 1 from " + table)
            seq = row[0] if row is not None and isinstance(row[0], int) else 1
        self._next[table] = seq + 1
        return seq

    def put(self, sql: LiteralString, row: Row) -> None:
        """Add one row's change to the group; changes of one statement keep their order."""
        if not self._batch:
            asyncio.get_running_loop().call_soon(self.flush)
        rows = self._batch.get(sql)
        if rows is None:
            self._batch[sql] = [row]
        else:
            rows.append(row)

    async def settled(self) -> None:
        """Return when everything put so far is committed; raise when it could not be."""
        if not self._batch:
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        await mine

    def flush(self) -> None:
        """Commit the group now. Safe to call at any time."""
        if not self._batch:
            return
        batch, self._batch = self._batch, {}
        waiting, self._waiting = self._waiting, []
        try:
            self._db.execute("begin immediate")
            for sql, rows in batch.items():
                self._db.executemany(sql, rows)
            self._db.execute("commit")
        except sqlite3.Error as cause:
            self._lose(waiting, cause)
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)
        if self._tidying is None and self._log_bytes() > LOG_BYTES_MAX:
            self._tidying = asyncio.get_running_loop().create_task(self._tidy())

    def find(self, sql: LiteralString, row: Row = ()) -> Row | None:
        found: Row | None = self._db.execute(sql, row).fetchone()
        return found

    def all(self, sql: LiteralString, row: Row = ()) -> list[Row]:
        """Rows of a bounded query, including what was put in this turn of the loop."""
        self.flush()
        return self._db.execute(sql, row).fetchall()

    async def stream(self, sql: LiteralString, row: Row = ()) -> AsyncIterator[list[Row]]:
        """All rows of one moment, a chunk at a time, while the writer goes on."""
        self.flush()
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        try:
            cursor = reader.execute(sql, row)
            while chunk := cursor.fetchmany(CHUNK_ROWS):
                yield chunk
                await asyncio.sleep(0)
        finally:
            reader.close()

    def setting(self, name: str) -> str | None:
        row = self.find("select value from setting where name = ?", (name,))
        return row[0] if row is not None and isinstance(row[0], str) else None

    def save_setting(self, name: str, value: str) -> None:
        self.put("insert or replace into setting (name, value) values (?, ?)", (name, value))

    async def close(self) -> None:
        self.flush()
        if self._tidying is not None:
            await self._tidying
        self._db.close()

    async def _tidy(self) -> None:
        """Bring the log into the file: most of it in a thread, the rest here, in a moment."""
        try:
            await asyncio.to_thread(_copy_log, self.path)
            self._db.execute("pragma busy_timeout = 0")
            self._db.execute("pragma wal_checkpoint(truncate)")  # Left for later if one reads.
        finally:
            self._db.execute(f"pragma busy_timeout = {BUSY_SECONDS * 1000}")
            self._tidying = None

    def _log_bytes(self) -> int:
        try:
            return os.stat(f"{self.path}-wal").st_size  # noqa: PTH116 - Once for each commit.
        except FileNotFoundError:
            return 0

    def _lose(self, waiting: Iterable[asyncio.Future[None]], cause: sqlite3.Error) -> None:
        if self._db.in_transaction:
            self._db.execute("rollback")
        self._next.clear()
        for forget in self._on_loss:
            forget()
        for future in waiting:
            if not future.done():
                future.set_exception(BookUnavailable(str(cause)))


def _copy_log(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copier:
        copier.execute("pragma wal_checkpoint(passive)")


class BookUnavailable(Trouble):
    """The group could not be committed; nothing in it happened."""
