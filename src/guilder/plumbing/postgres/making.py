"""Makes a new cluster: all of it or nothing, with checksums and a text order that never drifts."""

import os
import shutil
from pathlib import Path

from guilder.kernel.secret import Secret
from guilder.plumbing.postgres.account import Account
from guilder.plumbing.postgres.binaries import Binaries
from guilder.plumbing.postgres.cluster import SUPERUSER
from guilder.plumbing.postgres.errors import EmbeddedPostgresError
from guilder.plumbing.postgres.place import write_file


def make_cluster(
    folder: Path, account: Account, binaries: Binaries, *, password: Secret, lock_fd: int
) -> None:
    """Runs initdb beside the final place, then renames; an interrupted attempt leaves nothing."""
    making, words = folder / "data.making", folder / "password.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    account.take_over(making)
    write_file(words, password.reveal().encode(), mode=0o600)
    try:
        account.take_over(words)
        command = [binaries.program("initdb"), "--pgdata", str(making), *_options(binaries.major)]
        account.must_run([*command, "--pwfile", str(words)], keep_open=[lock_fd])
    finally:
        words.unlink()
    making.rename(folder / "data")
    _sync(folder)


def check_major(cluster: Path, binaries: Binaries) -> None:
    """A cluster opens only with the major version that made it."""
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise EmbeddedPostgresError(
            f"The cluster in {cluster} was made by PostgreSQL {made_by}, and {binaries.folder}"
            f" holds {binaries.major}. Start it with {made_by} and move all with pg_dumpall."
        )


def _options(major: int) -> list[str]:
    options = ["--username", SUPERUSER, "--encoding", "UTF8", "--data-checksums"]
    options += ["--auth-local", "scram-sha-256", "--auth-host", "reject"]
    if major >= 17:
        return [*options, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return [*options, "--locale-provider=libc", "--locale=C.UTF-8"]


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
