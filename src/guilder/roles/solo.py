"""Solo: every role under one command, with an embedded PostgreSQL and the sandbox."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import uvloop

from guilder.kernel.secret import Secret
from guilder.plumbing import logs, migrate
from guilder.plumbing.db import Database
from guilder.plumbing.postgres.cluster import Cluster, ensure_database
from guilder.plumbing.postgres.place import secret_in
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from guilder.roles.api import address_of, listen, run_api
from guilder.roles.bootstrap import FirstKeys, first_keys, write_privately
from guilder.roles.parts import DATABASE, open_parts
from guilder.roles.relay import run_relay
from guilder.roles.sandbox import KEY, Sandbox, register_webhooks
from guilder.roles.settings import Settings
from guilder.roles.worker import run_worker

RUNNING = "running.json"
"""The file in the home folder that tells where the last solo was, and its keys."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a running installation says of itself."""

    api: str
    sandbox: str | None
    keys: FirstKeys
    home: str


def run_solo(
    settings: Settings, *, tell: Callable[[str], None], ready: Callable[[Ready], None]
) -> None:
    """Run until SIGINT or SIGTERM. `tell` hears of progress, `ready` when requests are welcome.

    Call it from the main thread. Test mode goes to the sandbox unless Stripe's test key is set.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o711)
    with (settings.home / "guilder.log").open("a", encoding="utf-8") as log_file:
        logs.set_up(level=settings.log_level, to=log_file)
        uvloop.run(_solo(settings, tell, ready))


async def _solo(
    settings: Settings, tell: Callable[[str], None], ready: Callable[[Ready], None]
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    settings = replace(settings, allow_private_receivers=True)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(_database(settings, tell))
        await _migrate(url, tell)
        listener = stack.enter_context(contextlib.closing(listen(settings.host, settings.port)))
        listener.listen(2048)
        api = address_of(listener)
        settings = replace(settings, port=int(api.rpartition(":")[2]))
        sandbox = None
        if settings.stripe_test_key is None:
            sandbox = await stack.enter_async_context(_sandbox(settings, tell, stopping))
            secret = await register_webhooks(sandbox.address, api)
            settings = replace(
                settings,
                stripe_test_key=KEY,
                stripe_test_url=sandbox.address,
                stripe_test_webhook_secrets=(secret,),
            )
        parts = await open_parts(settings, url, name="guilder solo")
        stack.push_async_callback(parts.close)
        keys = await first_keys(parts.db, parts.clock, settings.home)
        async with asyncio.TaskGroup() as group:
            group.create_task(run_api(parts, listener, stopping))
            group.create_task(run_worker(parts, url, stopping))
            group.create_task(run_relay(parts, stopping))
            started = Ready(api, sandbox.address if sandbox else None, keys, str(settings.home))
            write_privately(settings.home / RUNNING, msgspec.json.encode(started))
            ready(started)


@asynccontextmanager
async def _database(settings: Settings, tell: Callable[[str], None]) -> AsyncGenerator[Secret]:
    """The URL of the database: the one that is set, or an embedded server kept alive meanwhile."""
    if settings.database_url is not None:
        tell("using the database of GUILDER_DATABASE_URL")
        yield settings.database_url
        return
    tell(f"starting PostgreSQL in {settings.home}")
    postgres = EmbeddedPostgres(settings.home, bin_folder=settings.postgres_bin)
    cluster = postgres.start()
    try:
        url = prepared(cluster, settings.home)
        watching = asyncio.create_task(postgres.watch())
        try:
            yield url
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        postgres.stop()


def prepared(cluster: Cluster, home: Path) -> Secret:
    """The URL of our own database in an embedded server; made when it is not there."""
    password = secret_in(home, DATABASE)
    own = ensure_database(cluster, database=DATABASE, role=DATABASE, password=password)
    return own.url()


async def _migrate(url: Secret, tell: Callable[[str], None]) -> None:
    db = await Database.open(url, connections_max=1, name="guilder migrate")
    try:
        applied = await migrate.apply(db, migrate.read(migrate.folder()))
    finally:
        await db.close()
    if applied:
        tell(f"applied {applied} migrations")


@asynccontextmanager
async def _sandbox(
    settings: Settings, tell: Callable[[str], None], stopping: asyncio.Event
) -> AsyncGenerator[Sandbox]:
    tell("starting the sandbox, the simulated outside world")
    home = settings.home / "sandbox"
    sandbox = Sandbox(home, host=settings.host, port=_free(settings))
    sandbox.start()
    watching = asyncio.create_task(sandbox.watch(stopping))
    try:
        yield sandbox
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        sandbox.stop()


def _free(settings: Settings) -> int:
    """The sandbox's port, or a free one when it is taken."""
    with contextlib.closing(listen(settings.host, settings.sandbox_port)) as probe:
        return int(probe.getsockname()[1])


def say(line: str) -> None:
    """Tell a person, apart from what a program reads."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
