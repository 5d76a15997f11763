"""A PostgreSQL for the run and a database for each test, copied from a migrated template."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Generator

import pytest

from guilder.kernel.secret import Secret
from guilder.plumbing import migrate
from guilder.plumbing.db import Database
from tests.server import Server, started
from tests.world import World, world_on

TEMPLATE = "guilder_template"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A running PostgreSQL with a migrated template; each worker of the run has its own."""
    with started(tmp_path_factory.mktemp("postgres")) as running:
        asyncio.run(_make_template(running))
        yield running


@pytest.fixture
async def database_url(server: Server) -> AsyncGenerator[Secret]:
    """The URL of a fresh, migrated database, dropped after the test."""
    name = f"test_{secrets.token_hex(6)}"
    await server.run(f"create database {name} template {TEMPLATE}")
    yield server.database(name)
    await server.run(f"drop database {name} with (force)")


@pytest.fixture
async def database(database_url: Secret) -> AsyncGenerator[Database]:
    """A fresh, migrated database."""
    opened = await Database.open(database_url, connections_max=10, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: Database) -> AsyncGenerator[World]:
    """A merchant, a scripted provider and a clock, on a fresh database."""
    async with world_on(database) as made:
        yield made


async def _make_template(server: Server) -> None:
    await server.run(f"create database {TEMPLATE}")
    opened = await Database.open(server.database(TEMPLATE), connections_max=1, name="template")
    try:
        await migrate.apply(opened, migrate.read(migrate.folder()))
    finally:
        await opened.close()
