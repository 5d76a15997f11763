"""The `guilder` command: each role and each verb of the operator, with helpful --help."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from guilder.roles.settings import Settings, SettingsTrouble, read_settings

app = App(
    name="guilder",
    help="An open, self-hosted payments platform. `guilder solo` runs all of it on one machine.",
)


def main() -> None:
    """Run the command line; troubles are sentences on stderr and status 2, not tracebacks."""
    if not __debug__:
        sys.exit("guilder: assertions guard the money path; drop -O and PYTHONOPTIMIZE")
    app()


@app.command
def solo(
    *, json: Annotated[bool, Parameter(help="Print one JSON line when ready.")] = False
) -> None:
    """Run everything: database, API, worker, relay and sandbox. Ctrl-C stops it."""
    from guilder.roles.solo import Ready, run_solo, say

    def ready(started: Ready) -> None:
        sys.stdout.write(_ready_line(started) if json else _ready_text(started))
        sys.stdout.flush()

    def _ready_line(started: Ready) -> str:
        told = {
            "api": started.api,
            "sandbox": started.sandbox,
            "platform_key": started.keys.platform_key,
            "merchant_id": started.keys.merchant_id,
            "merchant_key": started.keys.merchant_key,
            "home": started.home,
        }
        return f"{msgspec.json.encode(told).decode()}\n"

    def _ready_text(started: Ready) -> str:
        return (
            f"\nGuilder is ready.\n"
            f"  API           {started.api}   (docs at {started.api}/docs)\n"
            f"  sandbox       {started.sandbox or 'not needed: a Stripe test key is set'}\n"
            f"  merchant      {started.keys.merchant_id}\n"
            f"  its key       {started.keys.merchant_key}\n"
            f"  platform key  {started.keys.platform_key}\n"
            f"  home          {started.home}\n"
            f"Ctrl-C stops it.\n"
        )

    _run(lambda settings: run_solo(settings, tell=lambda line: say(f"· {line}"), ready=ready))


@app.command
def api() -> None:
    """Serve the API; the database is GUILDER_DATABASE_URL or the running solo's."""
    from guilder.roles.single import run_single

    _run(lambda settings: run_single(settings, "api"))


@app.command
def worker() -> None:
    """Run jobs, reconcilers and deliveries of webhooks."""
    from guilder.roles.single import run_single

    _run(lambda settings: run_single(settings, "worker"))


@app.command
def relay() -> None:
    """Relay news from the outbox to its consumers."""
    from guilder.roles.single import run_single

    _run(lambda settings: run_single(settings, "relay"))


@app.command
def sandbox() -> None:
    """Run the simulated outside world on its own."""
    from guilder.roles.single import run_sandbox

    _run(run_sandbox)


@app.command
def migrate(
    *,
    expand_only: Annotated[
        bool, Parameter(help="Apply only what may run before the new code.")
    ] = False,
    check: Annotated[
        bool, Parameter(help="Apply nothing; exit 1 if something is pending.")
    ] = False,
) -> None:
    """Bring the database's schema up to this release."""
    from guilder.roles.operator import migrate_database

    _run(lambda settings: migrate_database(settings, expand_only=expand_only, check=check))


@app.command
def verify(*, json: Annotated[bool, Parameter(help="Print one JSON object.")] = False) -> None:
    """Check the invariants over the whole database; exit 1 and name each violation."""
    from guilder.roles.operator import verify_database

    _run(lambda settings: verify_database(settings, json=json))


@app.command
def trail(
    payment_id: str, *, json: Annotated[bool, Parameter(help="Print one JSON object.")] = False
) -> None:
    """Print everything that happened to a payment, in order."""
    from guilder.roles.operator import print_trail

    _run(lambda settings: print_trail(settings, payment_id, json=json))


@app.command
def messages(
    *,
    live: Annotated[bool, Parameter(help="Of live mode; of test mode otherwise.")] = False,
    redrive: Annotated[str | None, Parameter(help="Queue this message again, by inb_….")] = None,
    redrive_all: Annotated[bool, Parameter(help="Queue all of them again.")] = False,
) -> None:
    """List providers' messages that were set aside, each with its trouble, or redrive them."""
    from guilder.roles.operator import Redrive, set_aside

    asked = Redrive(one=redrive, everything=redrive_all, live=live)
    _run(lambda settings: set_aside(settings, asked))


@app.command
def keys() -> None:
    """Print where the running solo is and its keys, as lines for a shell's eval."""
    from guilder.roles.operator import print_keys

    _run(print_keys)


@app.command
def demo(
    *,
    orders: Annotated[
        Path | None, Parameter(help="A CSV of orders; one of about 60 ships with Guilder.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print one JSON object at the end.")] = False,
) -> None:
    """Work through a file of orders and show where every cent went."""
    from guilder.roles.demo.run import run_demo

    _run(lambda settings: run_demo(settings, orders, json=json))


def _run(work: Callable[[Settings], int | None]) -> None:
    from guilder.plumbing.db import NoSuchDatabase
    from guilder.plumbing.migrate import MigrationTrouble
    from guilder.plumbing.postgres.errors import EmbeddedPostgresError
    from guilder.roles.sandbox import SandboxTrouble

    try:
        status = work(read_settings())
    except (
        SettingsTrouble,
        MigrationTrouble,
        NoSuchDatabase,
        EmbeddedPostgresError,
        SandboxTrouble,
    ) as trouble:
        sys.stderr.write(f"guilder: {trouble}\n")
        sys.exit(2)
    sys.exit(status or 0)
