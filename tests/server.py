"""The PostgreSQL that tests use: the embedded one, or the server of GUILDER_DATABASE_URL."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from guilder.kernel.secret import Secret
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, by the URL of a user who may make databases."""

    url: Secret

    def database(self, name: str) -> Secret:
        """The URL of one of its databases."""
        parts = urlsplit(self.url.reveal())
        return Secret(urlunsplit(parts._replace(path=f"/{name}")))

    async def run(self, sql: str) -> None:
        """Run one statement outside a transaction, such as `create database`."""
        connection = await asyncpg.connect(self.url.reveal())
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextmanager
def started(home: Path, *, bin_folder: Path | None = None) -> Generator[Server]:
    """An embedded server in this folder for as long as the block lasts."""
    postgres = EmbeddedPostgres(home, bin_folder=bin_folder)
    cluster = postgres.start()
    try:
        yield Server(cluster.url())
    finally:
        postgres.stop()
        postgres.remove()
