"""Who runs the server: ourselves, or an account without rights when we are root."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from guilder.plumbing.postgres.errors import OTHER_SERVER, EmbeddedPostgresError, remedy

DEDICATED = "guilder-postgres"
LAST_RESORT = "nobody"

_LAUNCHER = Path(__file__).with_name("launch.py")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; `is_other` when we must drop our rights to become it."""

    name: str
    uid: int
    gid: int
    is_other: bool

    def command(self, program: Sequence[str], *, watchdog_fd: int = -1) -> list[str]:
        """The command line that runs `program` as this account and ends it when we end."""
        uid, gid = (self.uid, self.gid) if self.is_other else (-1, -1)
        head = [str(word) for word in (os.getpid(), uid, gid, watchdog_fd)]
        return [sys.executable, "-I", "-S", str(_LAUNCHER), *head, *program]

    def run(
        self, program: Sequence[str], *, keep_open: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Runs a short program to its end as this account, from the root folder."""
        return subprocess.run(
            self.command(program),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            pass_fds=tuple(keep_open),
            timeout=300,
        )

    def must_run(self, program: Sequence[str], *, keep_open: Sequence[int] = ()) -> str:
        """As `run`; a failure becomes a sentence with the program's own words."""
        outcome = self.run(program, keep_open=keep_open)
        if outcome.returncode != 0:
            words = " ".join((outcome.stderr or outcome.stdout).split())[-500:]
            raise EmbeddedPostgresError(f"{Path(program[0]).name}: {words}. {remedy(words)}")
        return outcome.stdout

    def can_enter(self, folder: Path) -> bool:
        """Tried for real, so that access lists and mounts count as well as modes."""
        if not self.is_other:
            return True
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]).returncode == 0

    def owns(self, path: Path) -> bool:
        return path.lstat().st_uid == self.uid

    def take_over(self, folder: Path) -> None:
        """Makes this account the owner of a tree that is ours; symbolic links are not followed."""
        if not self.is_other or self.owns(folder):
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent) / name, self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)  # Last, so that an interrupted walk is done again.


def account_for_server() -> Account:
    """Ourselves; or, for root, which PostgreSQL refuses, the dedicated account."""
    if os.geteuid() == 0:
        return _unprivileged()
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses user id {uid}, which has no name on this machine."
            f" Add it to the passwd file, or {OTHER_SERVER}."
        ) from error
    return Account(entry.pw_name, uid, os.getegid(), is_other=False)


def _unprivileged() -> Account:
    found = _find(DEDICATED)
    if found is not None:
        return found
    reason = _create(DEDICATED)
    found = _find(DEDICATED)
    if found is not None:
        _log.info("postgres.account_created", account=DEDICATED)
        return found
    fallback = _find(LAST_RESORT)
    if fallback is None:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses root, and there is no account to run it as ({reason})."
            f" Create the account {DEDICATED}, or {OTHER_SERVER}."
        )
    _log.warning(
        "postgres.runs_as_nobody",
        notice=f"Other programs of {LAST_RESORT} can read its files; create {DEDICATED}.",
        reason=reason,
    )
    return fallback


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid, is_other=True)


def _create(name: str) -> str:
    """Adds a system account without a home or a shell; returns why it could not."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return "this system has no useradd"
    command = [useradd, "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name]
    outcome = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    return " ".join(outcome.stderr.split())
