"""One holder per home: a lock that also outlives us for as long as our server does."""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from guilder.plumbing.postgres.errors import EmbeddedPostgresError

_PAUSE_SECONDS = 0.05
_SAME_START_SECONDS = 2  # Start times are derived from the boot time, which may be adjusted.


class HomeLock:
    """The server inherits the descriptor, so the lock is free only when both of us are gone."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._fd = -1

    @property
    def fd(self) -> int:
        assert self._fd >= 0, "the home must be locked before anything touches it"
        return self._fd

    def taking(self, *, patience_seconds: int) -> Iterator[float]:
        """Yields pauses until the lock is ours.

        A living holder is named at once. A dead one's server is given time to shut down.
        """
        deadline = time.monotonic() + patience_seconds
        self._fd = os.open(self._home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not self._try():
                holder = self._living_holder()
                if holder:
                    raise EmbeddedPostgresError(
                        f"{self._home} is in use by {holder}. Stop it, or set GUILDER_HOME to"
                        " another folder to run a second instance beside it."
                    )
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"The server that a former run left in {self._home} is still there after"
                        f" {patience_seconds} s. End it, then start again."
                    )
                yield _PAUSE_SECONDS
            self._sign()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _sign(self) -> None:
        started = int(psutil.Process().create_time())
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()} {started}\n".encode(), 0)

    def _living_holder(self) -> str:
        """The holder in words, or nothing when the process that signed is gone."""
        words = os.pread(self._fd, 100, 0).split()
        if len(words) != 2:
            return ""  # It is signing right now; look again.
        try:
            holder = psutil.Process(int(words[0]))
            if abs(holder.create_time() - int(words[1])) > _SAME_START_SECONDS:
                return ""  # The number was given to another program since.
            if holder.status() == psutil.STATUS_ZOMBIE:
                return ""
            return f"process {holder.pid} ({holder.name()})"
        except psutil.NoSuchProcess:
            return ""
        except psutil.AccessDenied:
            return f"process {int(words[0])}"
