"""Migrations: plain SQL files in one numbered line, each applied once and never edited after."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

from procrastinate import SyncPsycopgConnector
from procrastinate.schema import SchemaManager

from guilder.plumbing.db import Database, Tx

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.(expand|contract)\.sql")


class Step(StrEnum):
    """When a migration may run, relative to the code of the same release."""

    EXPAND = "expand"  # Before the new code: it only adds.
    CONTRACT = "contract"  # After the old code is gone: it takes away.


class MigrationTrouble(Exception):  # noqa: N818 - named for the situation.
    """The migrations on disk and in the database do not agree; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, when it may run, and its text."""

    number: int
    name: str
    step: Step
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def folder() -> Path:
    """Where the migrations are: beside the sources, or inside an installed package."""
    here = Path(__file__).resolve()
    candidates = (here.parents[3] / "db" / "migrations", here.parents[1] / "db" / "migrations")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise MigrationTrouble(f"no folder of migrations at {candidates[0]} or {candidates[1]}")


def read(path: Path) -> list[Migration]:
    """All migrations in a folder, by number. Raises `MigrationTrouble` on a gap or a bad name."""
    found: list[Migration] = []
    for file in sorted(path.glob("*.sql")):
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationTrouble(
                f"{file.name} is not named like 0001_context_what.expand.sql or .contract.sql"
            )
        number, name, step = match.groups()
        found.append(Migration(int(number), name, Step(step), file.read_text()))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationTrouble(
                f"migration {expected:04d} is missing or {migration.number:04d} is there twice"
            )
    return found


async def apply(
    db: Database,
    migrations: Sequence[Migration],
    *,
    steps: frozenset[Step] = frozenset(Step),
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Apply what is not applied yet, each in its own transaction; returns how many.

    Callers at the same moment wait for each other. Raises `MigrationTrouble` when a migration
    that was applied has been edited or is gone, before anything is changed.
    """
    async with db.transaction() as tx:
        await _prepare(tx)
    applied = 0
    for migration in migrations:
        if migration.step not in steps:
            continue
        async with db.transaction() as tx:
            await _lock(tx)
            known = await _history(tx)
            _refuse_edited(known, migrations)
            if migration.number in known:
                continue
            await tx.script(migration.text)
            await tx.run(
                """
                insert into plumbing.migration (number, name, step, checksum)
                values ($1, $2, $3, $4)
                """,
                migration.number,
                migration.name,
                migration.step.value,
                migration.checksum,
            )
        tell(f"applied {migration.number:04d} {migration.name} ({migration.step})")
        applied += 1
    return applied


async def pending(db: Database, migrations: Sequence[Migration]) -> list[Migration]:
    """The migrations that this database still lacks."""
    async with db.reading() as tx:
        if await tx.value("select to_regclass('plumbing.migration') is null"):
            return list(migrations)
        rows = await tx.rows("select number from plumbing.migration")
    known = {row["number"] for row in rows}
    return [migration for migration in migrations if migration.number not in known]


async def _prepare(tx: Tx) -> None:
    """The history of migrations itself, and the job queue's own tables, which its library owns."""
    await _lock(tx)
    await tx.script(
        """
        create schema if not exists plumbing;
        create table if not exists plumbing.migration (
            number     integer primary key,
            name       text not null,
            step       text not null,
            checksum   text not null,
            applied_at timestamptz not null default now()
        );
        """
    )
    if await tx.value("select to_regclass('public.procrastinate_jobs') is null"):
        connector = SyncPsycopgConnector()
        schema = cast("str", SchemaManager(connector).get_schema())  # pyright: ignore[reportUnknownMemberType]
        await tx.script(schema)


async def _lock(tx: Tx) -> None:
    await tx.run("set local lock_timeout = 0")
    await tx.run("set local statement_timeout = 0")
    await tx.run("select pg_advisory_xact_lock(7104300)")


async def _history(tx: Tx) -> dict[int, str]:
    rows = await tx.rows("select number, checksum from plumbing.migration")
    return {row["number"]: row["checksum"] for row in rows}


def _refuse_edited(known: dict[int, str], migrations: Sequence[Migration]) -> None:
    on_disk = {migration.number: migration for migration in migrations}
    for number, checksum in sorted(known.items()):
        migration = on_disk.get(number)
        if migration is None:
            raise MigrationTrouble(
                f"migration {number:04d} was applied to this database but is not on disk; "
                "this code is older than the database"
            )
        if migration.checksum != checksum:
            raise MigrationTrouble(
                f"migration {number:04d}_{migration.name} was edited after it was applied; "
                "put the old text back and write a new migration"
            )
