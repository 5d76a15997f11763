"""Migrations: once, in order, locked, and never edited after."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from guilder.plumbing import migrate
from guilder.plumbing.db import Database
from guilder.plumbing.migrate import Migration, MigrationTrouble, Step

MORE = Migration(999, "test_add", Step.EXPAND, "create table if not exists public.more (n int);")


async def test_applying_again_changes_nothing(database: Database) -> None:
    migrations = migrate.read(migrate.folder())
    assert await migrate.pending(database, migrations) == []
    assert await migrate.apply(database, migrations) == 0


async def test_every_migration_can_be_applied_twice(database: Database) -> None:
    for migration in migrate.read(migrate.folder()):
        async with database.transaction() as tx:
            await tx.script(migration.text)


async def test_several_processes_at_once_apply_it_once(database: Database) -> None:
    migrations = [*migrate.read(migrate.folder()), MORE]
    applied = await asyncio.gather(*(migrate.apply(database, migrations) for _ in range(4)))
    assert sorted(applied) == [0, 0, 0, 1]


async def test_edited_history_is_refused_before_anything_changes(database: Database) -> None:
    migrations = migrate.read(migrate.folder())
    edited = [replace(migrations[0], text=migrations[0].text + " "), *migrations[1:], MORE]
    with pytest.raises(MigrationTrouble, match="edited after it was applied"):
        await migrate.apply(database, edited)
    assert MORE in await migrate.pending(database, [*migrations, MORE])


async def test_code_older_than_the_database_is_refused(database: Database) -> None:
    with pytest.raises(MigrationTrouble, match="older than the database"):
        await migrate.apply(database, migrate.read(migrate.folder())[:-1])


async def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    broken = replace(MORE, text=f"{MORE.text} select 1 / 0;")
    with pytest.raises(Exception, match="division by zero"):
        await migrate.apply(database, [*migrate.read(migrate.folder()), broken])
    async with database.reading() as tx:
        assert await tx.value("select to_regclass('public.more')") is None


async def test_contract_steps_wait_until_they_are_asked_for(database: Database) -> None:
    contract = replace(MORE, step=Step.CONTRACT)
    migrations = [*migrate.read(migrate.folder()), contract]
    assert await migrate.apply(database, migrations, steps=frozenset({Step.EXPAND})) == 0
    assert await migrate.apply(database, migrations) == 1


@pytest.mark.parametrize(
    "names",
    [
        ["0002_a_b.expand.sql"],
        ["0001_a_b.expand.sql", "0001_a_c.expand.sql"],
        ["1_a.expand.sql"],
        ["0001_a_b.sql"],
    ],
)
def test_gaps_doubles_and_bad_names_are_told(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("select 1;")
    with pytest.raises(MigrationTrouble):
        migrate.read(tmp_path)
