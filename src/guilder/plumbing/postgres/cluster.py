"""A running server as its callers see it: how to connect, and a database of one's own in it."""

import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from guilder.kernel.secret import Secret
from guilder.plumbing.postgres.configuration import PORT
from guilder.plumbing.postgres.place import read_record, secret_in

SUPERUSER = "postgres"


class ConnectArguments(TypedDict):
    """What `asyncpg.connect` and `asyncpg.create_pool` take."""

    host: str
    port: int
    user: str
    password: str
    database: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one user finds one database; `host` is the folder of the socket."""

    host: str
    port: int
    user: str
    password: Secret
    database: str

    def arguments(self) -> ConnectArguments:
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password.reveal(),
            "database": self.database,
        }

    def url(self) -> Secret:
        """The same as one text that asyncpg, psycopg and psql understand."""
        login = f"{quote(self.user, safe='')}:{quote(self.password.reveal(), safe='')}"
        where = f"host={quote(self.host, safe='')}&port={self.port}"
        return Secret(f"postgresql://{login}@/{quote(self.database, safe='')}?{where}")


def find_running(home: Path) -> Cluster | None:
    """The server another process of ours keeps running for this home, as its superuser."""
    record = read_record(home)
    if record is None:
        return None
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(Path(record.socket) / f".s.PGSQL.{PORT}"))
        except OSError:
            return None
    return Cluster(record.socket, PORT, SUPERUSER, secret_in(home, SUPERUSER), SUPERUSER)


def ensure_database(cluster: Cluster, *, database: str, role: str, password: Secret) -> Cluster:
    """Makes sure of a role with this password and a database it owns; repeating is harmless.

    `cluster` must be the superuser's. Returns the new database as the role sees it. Blocks for some
    tens of milliseconds.
    """
    name, owner = Identifier(database), Identifier(role)
    with psycopg.connect(cluster.url().reveal(), autocommit=True) as connection:
        # Callers of the same moment wait for each other; the lock ends with the connection.
        connection.execute("select pg_advisory_lock(hashtext('guilder: ensure_database'))")
        known = connection.execute("select from pg_roles where rolname = %s", [role])
        if known.fetchone() is None:
            connection.execute(SQL("create role {}").format(owner))
        word = Literal(password.reveal())
        connection.execute(SQL("alter role {} login password {}").format(owner, word))
        known = connection.execute("select from pg_database where datname = %s", [database])
        if known.fetchone() is None:
            connection.execute(SQL("create database {} owner {}").format(name, owner))
    return replace(cluster, user=role, password=password, database=database)
