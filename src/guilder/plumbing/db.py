"""The database: the only module that knows the driver. Transactions are values handed along."""

# The driver ships no types, so what it returns is unknown to the checker in this one module.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Protocol

import asyncpg

from guilder.kernel.errors import Kind, Refusal
from guilder.kernel.secret import Secret

STATEMENT_TIMEOUT_MS = 15_000  # Nothing of ours needs longer; a stuck one must not hold a pool.
LOCK_TIMEOUT_MS = 5_000  # Money rows are held for milliseconds; five seconds is a fault.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000  # A transaction never waits for the outside world.
ACQUIRE_TIMEOUT_SECONDS = 5  # A caller who waits longer is better told to come back.


class DatabaseAway(Refusal):
    """The database does not answer at the moment; nothing was changed by this request."""

    code = "database_unavailable"
    kind = Kind.UPSTREAM
    retryable = True


class NoSuchDatabase(Exception):  # noqa: N818 - named for the situation.
    """The database cannot be opened at all: the sentence says why, without the password."""


class OutcomeUnknown(Refusal):
    """The connection was lost while committing: ask again with the same key to learn the end."""

    code = "outcome_unknown"
    kind = Kind.UPSTREAM
    retryable = True


class DatabaseBusy(Refusal):
    """The rows were locked for too long by others; nothing was changed by this request."""

    code = "database_busy"
    kind = Kind.UPSTREAM
    retryable = True


class Row(Protocol):
    """A row of an answer: columns by name."""

    def __getitem__(self, column: str, /) -> Any: ...


class ReadTx:
    """A transaction that only reads; the database holds it to its word."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, sql: LiteralString, *arguments: object) -> Sequence[Row]:
        """All rows, in the statement's order."""
        return await self._connection.fetch(sql, *arguments)

    async def find(self, sql: LiteralString, *arguments: object) -> Row | None:
        """The first row, or None when there is none."""
        return await self._connection.fetchrow(sql, *arguments)

    async def row(self, sql: LiteralString, *arguments: object) -> Row:
        """The row that must exist; its absence is a bug."""
        found = await self._connection.fetchrow(sql, *arguments)
        assert found is not None, f"a row that must exist does not: {sql.strip()[:80]}"
        return found

    async def value(self, sql: LiteralString, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await self._connection.fetchval(sql, *arguments)


class Tx(ReadTx):
    """A transaction that may change things; whoever is handed one never commits it."""

    __slots__ = ()

    async def run(self, sql: LiteralString, *arguments: object) -> int:
        """Run a statement and return how many rows it changed."""
        tag = await self._connection.execute(sql, *arguments)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def copy_rows(
        self, schema: str, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        """Append many rows by COPY, the fastest way in; constraints and triggers hold."""
        await self._connection.copy_records_to_table(
            table, schema_name=schema, columns=columns, records=rows
        )

    async def script(self, sql: str) -> None:
        """Run a migration: many statements, no arguments, text from our own files."""
        await self._connection.execute(sql)


class Database:
    """A pool of connections, seen as two kinds of transaction."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: Secret, *, connections_max: int, name: str) -> "Database":
        """Open a pool on `postgresql://…`; the server sees us as `name`.

        Raises `NoSuchDatabase` when nobody answers there, or does not let us in."""
        try:
            pool = await _open_pool(url, connections_max=connections_max, name=name)
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as cause:
            raise NoSuchDatabase(
                f"the database cannot be opened: {cause}; check GUILDER_DATABASE_URL"
            ) from cause
        return cls(pool)

    async def close(self) -> None:
        """Wait for running transactions, then let go; after ten seconds let go anyway."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=10)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """Read and change, at READ COMMITTED; commits at the end of the block, durably.

        Raises `DatabaseAway` or `DatabaseBusy` when nothing was changed, `OutcomeUnknown` when
        the connection was lost in the very commit.
        """
        connection = await self._acquire()
        try:
            transaction = connection.transaction()
            async with _translated(connection):
                await transaction.start()
                try:
                    yield Tx(connection)
                except BaseException:
                    await _roll_back(transaction)
                    raise
            await _commit(transaction)
        finally:
            await self._give_back(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[ReadTx]:
        """Read one snapshot (REPEATABLE READ, READ ONLY). Raises `DatabaseAway`."""
        connection = await self._acquire()
        try:
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            async with _translated(connection):
                await transaction.start()
                try:
                    yield ReadTx(connection)
                finally:
                    await _roll_back(transaction)
        finally:
            await self._give_back(connection)

    async def is_there(self) -> bool:
        """Whether the database answers at this moment."""
        try:
            async with self.reading() as tx:
                return await tx.value("select true") is True
        except (DatabaseAway, DatabaseBusy):
            return False

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS)
        except (*_LOST, TimeoutError, asyncpg.InterfaceError) as cause:
            raise DatabaseAway(_AWAY) from cause

    async def _give_back(self, connection: Any) -> None:
        """Back into the pool, which throws a broken one away; what was done with it stands."""
        try:
            await self._pool.release(connection)
        except (*_LOST, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
            return


_AWAY = "the database does not answer; nothing was changed, so try again shortly"
_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # The server died in the middle of an answer.
)
_CROWDED = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
)


@asynccontextmanager
async def _translated(connection: Any) -> AsyncGenerator[None]:
    """The driver's troubles before a commit, in our words: nothing has been changed."""
    try:
        yield
    except _LOST as cause:
        raise DatabaseAway(_AWAY) from cause
    except _CROWDED as cause:
        raise DatabaseBusy("the rows are in use; nothing was changed, so try again") from cause
    except asyncpg.InterfaceError as cause:
        if connection.is_closed():
            raise DatabaseAway(_AWAY) from cause
        raise


async def _commit(transaction: Any) -> None:
    try:
        await transaction.commit()
    except (*_LOST, TimeoutError, asyncpg.InterfaceError) as cause:
        raise OutcomeUnknown(
            "the connection was lost while committing; repeat the request with the same key"
        ) from cause


async def _roll_back(transaction: Any) -> None:
    """Undo; on a lost connection the server has undone it already."""
    try:
        await transaction.rollback()
    except (*_LOST, TimeoutError, asyncpg.InterfaceError):
        return


async def _open_pool(url: Secret, *, connections_max: int, name: str) -> Any:
    return await asyncpg.create_pool(
        url.reveal(),
        min_size=1,
        max_size=connections_max,
        command_timeout=STATEMENT_TIMEOUT_MS / 1000 + 5,
        server_settings={
            "application_name": name,
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "timezone": "UTC",
        },
    )
