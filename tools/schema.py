"""`python -m tools.schema [--check]`: db/schema.sql, the whole schema as the migrations make it."""

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from guilder.kernel.secret import Secret
from guilder.plumbing import migrate
from guilder.plumbing.db import Database
from guilder.plumbing.postgres.binaries import wheel_bin_folder
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres

FILE = Path(__file__).resolve().parents[1] / "db" / "schema.sql"
HEAD = "-- Made by `python -m tools.schema` from db/migrations; read it, never edit it.\n"
SCHEMAS = ("plumbing", "access", "merchants", "ledger", "payments", "intake", "webhooks")


def main() -> int:
    """Write the file, or with --check say whether it is fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    check = parser.parse_args().check
    made = HEAD + dump()
    if not check:
        FILE.write_text(made)
        return 0
    if not FILE.exists() or FILE.read_text() != made:
        sys.stderr.write("db/schema.sql is stale; run python -m tools.schema\n")
        return 1
    return 0


def dump() -> str:
    """The schema of a fresh database with all migrations applied."""
    with tempfile.TemporaryDirectory(prefix="guilder-schema-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        cluster = postgres.start()
        try:
            asyncio.run(_migrate(cluster.url().reveal()))
            wanted = [f"--schema={name}" for name in SCHEMAS]
            told = subprocess.run(
                [_pg_dump(), "--schema-only", "--no-owner", "--no-privileges", *wanted,
                 cluster.url().reveal()],
                check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
        finally:
            postgres.stop()
            postgres.remove()
    return _plain(told)


async def _migrate(url: str) -> None:
    db = await Database.open(Secret(url), connections_max=1, name="schema")
    try:
        await migrate.apply(db, migrate.read(migrate.folder()))
    finally:
        await db.close()


def _pg_dump() -> str:
    return str(wheel_bin_folder() / "pg_dump")


def _plain(told: str) -> str:
    """Without what names the server, the tool and the session."""
    lines = [
        line
        for line in told.splitlines()
        if not line.startswith(("--", "SET ", "SELECT pg_catalog.set_config", "\\"))
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
