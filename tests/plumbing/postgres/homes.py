"""What these tests share: a holder in its own process, and questions to a server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from guilder.plumbing.postgres.cluster import Cluster, find_running
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
IS_ROOT = os.geteuid() == 0

_HOLD = """
import sys
from pathlib import Path
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("pid", server.pid, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Holder:
    """Another process that holds a home and keeps its server."""

    process: subprocess.Popen[str]
    server_pid: int
    cluster: Cluster

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def hold(home: Path) -> Holder:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("pid "):
            cluster = find_running(home)
            assert cluster is not None
            return Holder(process, int(line.split()[1]), cluster)
    raise AssertionError("the holder could not start its server")


def ask(cluster: Cluster, sql: str) -> object:
    """The first value of the first row; for a statement without rows, None."""
    with psycopg.connect(cluster.url().reveal(), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def seconds_until(condition: Callable[[], bool], *, at_most: float) -> float:
    """How long it took; fails when it takes longer."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < at_most, f"still not so after {at_most} s"
        time.sleep(0.01)
    return time.monotonic() - begun


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def whole_family(server: EmbeddedPostgres) -> list[psutil.Process]:
    postmaster = psutil.Process(server.pid)
    return [postmaster, *postmaster.children(recursive=True)]
