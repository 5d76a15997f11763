"""Keeps one PostgreSQL alive as our child, in one home folder, and never longer than ourselves."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import structlog

from guilder.plumbing.postgres.account import account_for_server
from guilder.plumbing.postgres.cluster import Cluster
from guilder.plumbing.postgres.configuration import Sizing
from guilder.plumbing.postgres.errors import EmbeddedPostgresError, remedy, told_plainly
from guilder.plumbing.postgres.ground import Ground, prepare
from guilder.plumbing.postgres.lock import HomeLock
from guilder.plumbing.postgres.place import make_home, remove_cluster

LEAVING_SECONDS = 30  # For the server of a killed run to write its last checkpoint.
RECOVERY_SECONDS = 300  # For replaying the log after a crash.
RETRY_SECONDS = 20  # For the last backends of a killed server to notice and leave.
STOP_STEPS = ((signal.SIGINT, 3.5), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 0.5))
LOG_BYTES_MAX = 5_000_000
_WATCH_SECONDS = 0.1
_BACKOFF_SECONDS_MAX = 5.0
_HAS_PARENT_DEATH_SIGNAL = sys.platform == "linux"
_PASSING_TROUBLES = ("shared memory block", "already exists")
_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """One server for one home folder.

    Start it from the main thread: the system ends the server with the *thread* that started it.
    When we are killed, the server shuts down by itself; when the server is killed, `watch` starts
    it again. Every trouble is an `EmbeddedPostgresError` whose text names the remedy.
    """

    def __init__(
        self, home: Path, *, bin_folder: Path | None = None, sizing: Sizing | None = None
    ) -> None:
        """`bin_folder` is any PostgreSQL 15 to 18 `bin` folder; without it, the wheel's."""
        self.home = home.absolute()
        self._bin_folder = bin_folder
        self._sizing = sizing or Sizing()
        self._lock = HomeLock(self.home)
        self._ground: Ground | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog_fd = -1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._server is not None, "the server must be started first"
        return self._server.pid

    @property
    def cluster(self) -> Cluster:
        """How to connect as the superuser; the same before and after a restart."""
        assert self._ground is not None, "the server must be started first"
        return self._ground.cluster

    def start(self) -> Cluster:
        """Starts the server and blocks until it answers; the first time, makes the cluster."""
        if not self.is_running:
            try:
                for pause in self._starting():
                    time.sleep(pause)
            except BaseException:
                self.stop()
                raise
        return self.cluster

    def restart(self) -> Cluster:
        """Starts a dead server again and blocks until it answers; it kept what it acknowledged."""
        for pause in self._launching():
            time.sleep(pause)
        return self.cluster

    async def watch(self) -> None:
        """Starts the server again whenever it dies, until `stop` is called or this is cancelled.

        A server that cannot start (a full disk) is tried again every few seconds.
        """
        wait = _WATCH_SECONDS
        while self._is_wanted:
            await asyncio.sleep(wait)
            if self.is_running or not self._is_wanted:
                wait = _WATCH_SECONDS
                _keep_short(self._log_file)
                continue
            _log.warning("postgres.died", home=str(self.home))
            try:
                for pause in self._launching():
                    await asyncio.sleep(pause)
                _log.info("postgres.restarted", home=str(self.home))
            except EmbeddedPostgresError as trouble:
                wait = min(wait * 2, _BACKOFF_SECONDS_MAX)
                _log.error("postgres.still_down", reason=str(trouble))

    def stop(self) -> None:
        """Stops the server within five seconds; safe from any thread, and when nothing runs."""
        ground, self._ground = self._ground, None
        server, self._server = self._server, None
        if server is not None:
            _end(server)
        self._call_off_watchdog()
        if ground is not None:
            _remove_short_socket_folder(ground)
        self._lock.release()

    def remove(self) -> None:
        """Deletes the stopped server with all it ever kept; the home folder itself stays."""
        assert not self.is_running, "stop the server first"
        with told_plainly(f"Removing the cluster of {self.home}"):
            for pause in self._lock.taking(patience_seconds=LEAVING_SECONDS):
                time.sleep(pause)
            try:
                remove_cluster(self.home)
            finally:
                self._lock.release()

    @property
    def _is_wanted(self) -> bool:
        return self._ground is not None

    @property
    def _log_file(self) -> Path:
        return self.home / "postgres.log"

    def _starting(self) -> Iterator[float]:
        with told_plainly(f"Preparing {self.home}"):
            make_home(self.home, account_for_server())
            yield from self._lock.taking(patience_seconds=LEAVING_SECONDS)
            self._ground = prepare(
                self.home,
                bin_folder=self._bin_folder,
                sizing=self._sizing,
                lock_fd=self._lock.fd,
            )
        yield from self._launching()
        _log.info("postgres.started", home=str(self.home), socket=self.cluster.host)

    def _launching(self) -> Iterator[float]:
        """Yields pauses until the server answers; backends of a killed one get time to leave."""
        deadline = time.monotonic() + RETRY_SECONDS
        while (ground := self._ground) is not None and not self.is_running:
            with told_plainly(f"Starting PostgreSQL in {ground.folder}"):
                start_of_words = self._spawn(ground)
            yield from self._until_ready_or_gone(ground)
            if self.is_running or not self._is_wanted:
                return
            words = _last_words(self._log_file, start_of_words)
            is_passing = any(trouble in words for trouble in _PASSING_TROUBLES)
            if not is_passing or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {words}. {remedy(words)}")
            yield 0.1

    def _until_ready_or_gone(self, ground: Ground) -> Iterator[float]:
        deadline = time.monotonic() + RECOVERY_SECONDS
        while self.is_running and not ground.is_ready(self.pid):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL is not ready after {RECOVERY_SECONDS} s. See {self._log_file}."
                )
            yield 0.01

    def _spawn(self, ground: Ground) -> int:
        """Starts the postmaster; returns where in the log its words begin."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the server from the main thread, or it dies with this one")
        _keep_short(self._log_file)
        self._call_off_watchdog()
        ours = [self._lock.fd]
        watched = -1
        if not _HAS_PARENT_DEATH_SIGNAL:
            watched, self._watchdog_fd = os.pipe()
            ours.append(watched)
        with open(self._log_file, "ab", opener=_privately) as log:
            start = log.tell()
            self._server = subprocess.Popen(
                ground.account.command(ground.command(), watchdog_fd=watched),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=ours,
                start_new_session=True,  # The terminal's Ctrl-C is for us, and we tell the server.
            )
        if watched >= 0:
            os.close(watched)
        return start

    def _call_off_watchdog(self) -> None:
        fd, self._watchdog_fd = self._watchdog_fd, -1
        if fd >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(fd, b".")
            os.close(fd)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Asks, then insists, then kills; a server that had to be killed recovers at the next start."""
    for step, patience_seconds in STOP_STEPS:
        if server.poll() is not None:
            return
        server.send_signal(step)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience_seconds)
    server.wait(1)


def _remove_short_socket_folder(ground: Ground) -> None:
    folder = Path(ground.cluster.host)
    if folder.parent != ground.folder:
        shutil.rmtree(folder, ignore_errors=True)


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_short(log: Path) -> None:
    """Moves a grown log aside. The server goes on writing into the same, emptied file."""
    with contextlib.suppress(OSError):  # On a full disk the log stays as it is.
        if log.stat().st_size > LOG_BYTES_MAX:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            log.with_name(f"{log.name}.1").chmod(0o600)
            os.truncate(log, 0)


def _last_words(log: Path, start: int) -> str:
    """The server's own reason: the fatal lines it wrote since `start`, or else the last ones."""
    with log.open("rb") as file:
        file.seek(min(start, log.stat().st_size))
        lines = file.read(100_000).decode(errors="replace").splitlines()
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return " ".join(" ".join(fatal[-2:] or lines[-2:]).split()).strip(" .") or "it said nothing"
