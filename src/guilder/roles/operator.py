"""What the operator asks at the console."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.table import Table

from guilder.intake import commands as intake
from guilder.kernel.clock import Clock, rfc3339
from guilder.kernel.errors import Refusal
from guilder.kernel.finding import Finding
from guilder.kernel.ids import PaymentId
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Database
from guilder.plumbing.migrate import Step, apply, folder, pending, read
from guilder.plumbing.postgres.cluster import find_running
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from guilder.roles.parts import database_url
from guilder.roles.settings import Settings, SettingsTrouble
from guilder.roles.solo import RUNNING, Ready, prepared
from guilder.roles.verify import verify
from guilder.trail import commands as trails
from guilder.trail.public import Trail


def verify_database(settings: Settings, *, json: bool) -> int:
    """Print the findings; 0 when there are none, else 1."""
    findings = asyncio.run(_verify(settings))
    if json:
        told = {"findings": findings, "clean": not findings}
        sys.stdout.write(f"{msgspec.json.encode(told).decode()}\n")
    else:
        for finding in findings:
            sys.stdout.write(f"{finding.invariant} {finding.subject}: {finding.sentence}\n")
        sys.stdout.write(
            f"{len(findings)} violations\n" if findings else "clean: I1 I3 I5 I6 I7 I9 I11 hold\n"
        )
    return 1 if findings else 0


def print_trail(settings: Settings, payment_id: str, *, json: bool) -> int:
    """Print a payment's trail; 2 when there is no such payment."""
    try:
        trail = asyncio.run(_trail(settings, PaymentId.parse(payment_id)))
    except Refusal as refusal:
        sys.stderr.write(f"guilder: {refusal}\n")
        return 2
    if json:
        _say(trails.as_json(trail))
    else:
        show_trail(Console(), trail)
    return 0


@dataclass(frozen=True, slots=True)
class Redrive:
    """Which of the messages that were set aside to queue again; neither: only list them."""

    one: str | None
    everything: bool
    live: bool


def set_aside(settings: Settings, asked: Redrive) -> int:
    """List or redrive providers' messages that were set aside."""
    try:
        asyncio.run(_set_aside(settings, asked))
    except Refusal as refusal:
        sys.stderr.write(f"guilder: {refusal}\n")
        return 2
    return 0


def print_keys(settings: Settings) -> int:
    """Print API, SANDBOX, MERCHANT, KEY and PLATFORM_KEY of the last solo in the home folder."""
    file = settings.home / RUNNING
    if not file.exists():
        raise SettingsTrouble(f"nothing has been started in {settings.home}; start `bin/serve`")
    started = msgspec.json.decode(file.read_bytes(), type=Ready)
    for name, value in (
        ("API", started.api),
        ("SANDBOX", started.sandbox or ""),
        ("MERCHANT", started.keys.merchant_id),
        ("KEY", started.keys.merchant_key),
        ("PLATFORM_KEY", started.keys.platform_key),
    ):
        _say(f"{name}={value}")
    return 0


def migrate_database(settings: Settings, *, expand_only: bool, check: bool) -> int:
    """Apply what is pending, or with `check` only say what it is."""
    return asyncio.run(_migrate(settings, expand_only=expand_only, check=check))


def show_trail(console: Console, trail: Trail) -> None:
    """A trail as a table for people."""
    payment = trail.payment
    title = f"{payment.id}  {payment.amount}  {payment.state}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("at", "kind", "id", "what"):
        table.add_column(
            name, overflow="fold" if name == "what" else "ignore", no_wrap=name != "what"
        )
    for step in trail.steps:
        table.add_row(rfc3339(step.at)[11:23], step.kind.value, step.id, step.summary)
    console.print(table)


async def _verify(settings: Settings) -> list[Finding]:
    async with _database(settings) as db:
        return await verify(db)


async def _trail(settings: Settings, payment_id: PaymentId) -> Trail:
    async with _database(settings) as db:
        return await trails.find_trail(db, payment_id)


async def _set_aside(settings: Settings, asked: Redrive) -> None:
    now = Clock().now()
    async with _database(settings) as db:
        if asked.one is not None:
            _say(await intake.redrive(db, message=asked.one, now=now))
        elif asked.everything:
            _say(await intake.redrive_all(db, provider=None, now=now))
        else:
            lines = await intake.show_set_aside(db, Scope(is_test=not asked.live))
            for line in lines or ["none were set aside"]:
                _say(line)


async def _migrate(settings: Settings, *, expand_only: bool, check: bool) -> int:
    migrations = read(folder())
    steps = frozenset({Step.EXPAND}) if expand_only else frozenset(Step)
    async with _database(settings) as db:
        if check:
            left = [one for one in await pending(db, migrations) if one.step in steps]
            for one in left:
                sys.stdout.write(f"pending: {one.number:04d} {one.name} ({one.step})\n")
            return 1 if left else 0
        applied = await apply(db, migrations, steps=steps, tell=_say)
    sys.stdout.write(f"{applied} applied\n" if applied else "nothing to apply\n")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    """The installation's database; an embedded one that is not running is started meanwhile."""
    async with contextlib.AsyncExitStack() as stack:
        url = _url(settings, stack)
        db = await Database.open(url, connections_max=2, name="guilder operator")
        stack.push_async_callback(db.close)
        yield db


def _url(settings: Settings, stack: contextlib.AsyncExitStack) -> Secret:
    if settings.database_url is not None or find_running(settings.home) is not None:
        return database_url(settings)
    if not (settings.home / "postgres.json").exists():
        raise SettingsTrouble(
            f"there is no installation in {settings.home}; start `guilder solo`, or set "
            "GUILDER_HOME or GUILDER_DATABASE_URL"
        )
    postgres = EmbeddedPostgres(settings.home, bin_folder=settings.postgres_bin)
    cluster = postgres.start()
    stack.callback(postgres.stop)
    return prepared(cluster, settings.home)
