"""Everything a server stands on before its first breath: account, programs, cluster, settings."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from guilder.plumbing.postgres.account import Account, account_for_server
from guilder.plumbing.postgres.binaries import Binaries, binaries_for
from guilder.plumbing.postgres.cluster import SUPERUSER, Cluster
from guilder.plumbing.postgres.configuration import ACCESS, PORT, Sizing, settings_text
from guilder.plumbing.postgres.errors import EmbeddedPostgresError
from guilder.plumbing.postgres.making import check_major, make_cluster
from guilder.plumbing.postgres.place import (
    Record,
    cluster_folder,
    left_behind,
    secret_in,
    socket_folder,
    write_file,
    write_record,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """A prepared cluster: whose it is, what runs it, where it lies and how to connect."""

    account: Account
    binaries: Binaries
    folder: Path
    cluster: Cluster

    @property
    def pgdata(self) -> Path:
        return self.folder / "data"

    def command(self) -> list[str]:
        """The server's command line. Its settings are ours to write and not the account's."""
        settings = [f"config_file={self.folder / 'postgresql.conf'}"]
        settings.append(f"hba_file={self.folder / 'pg_hba.conf'}")
        options = [word for setting in settings for word in ("-c", setting)]
        return [self.binaries.program("postgres"), "-D", str(self.pgdata), *options]

    def is_ready(self, pid: int) -> bool:
        """Whether the postmaster with this process id says that it takes connections."""
        lines = _postmaster_file(self.pgdata)
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def prepare(home: Path, *, bin_folder: Path | None, sizing: Sizing, lock_fd: int) -> Ground:
    """Makes what is missing and leaves the rest; the home must be locked by `lock_fd`."""
    account = account_for_server()
    password = secret_in(home, SUPERUSER)
    folder = cluster_folder(home, account, password=password)
    pgdata = folder / "data"
    is_new = not pgdata.is_dir()
    try:
        binaries = binaries_for(account, bin_folder=bin_folder, cluster_folder=folder)
        if is_new:
            make_cluster(folder, account, binaries, password=password, lock_fd=lock_fd)
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    check_major(pgdata, binaries)
    account.take_over(pgdata)
    _clear_stale_postmaster_file(pgdata)
    socket = socket_folder(home, folder, account)
    text = settings_text(sizing, major=binaries.major, socket_folder=socket)
    write_file(folder / "postgresql.conf", text.encode(), mode=0o644)
    write_file(folder / "pg_hba.conf", ACCESS.encode(), mode=0o644)
    write_record(home, Record(cluster=str(folder), socket=str(socket), account=account.name))
    if is_new:
        _log.info("postgres.cluster_made", cluster=str(folder), major=binaries.major)
        if account.is_other:
            _tell_of_leftovers()
    cluster = Cluster(str(socket), PORT, SUPERUSER, password, SUPERUSER)
    return Ground(account, binaries, folder, cluster)


def _clear_stale_postmaster_file(pgdata: Path) -> None:
    """After a reboot the number in a stale file may belong to some other program of ours.

    PostgreSQL would take that program for a server. We hold the lock that a server of ours would
    hold, so only a server started by hand can be alive: its working folder gives it away.
    """
    lines = _postmaster_file(pgdata)
    if not lines or not lines[0].lstrip("-").isdigit():
        return
    pid = abs(int(lines[0]))
    try:
        is_server = Path(psutil.Process(pid).cwd()) == pgdata.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        is_server = False
    if is_server:
        raise EmbeddedPostgresError(
            f"A server started by hand (process {pid}) uses {pgdata}. Stop it, then start again."
        )
    if psutil.pid_exists(pid):
        (pgdata / "postmaster.pid").unlink()


def _postmaster_file(pgdata: Path) -> list[str]:
    try:
        return (pgdata / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _tell_of_leftovers() -> None:
    left = left_behind()
    if left:
        _log.warning(
            "postgres.clusters_left_behind",
            clusters=[str(folder) for folder in left],
            notice="Their home folders are gone. Remove them when nobody needs their payments.",
        )
