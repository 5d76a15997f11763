"""Whoever is killed, nothing that was acknowledged is lost, and nothing is left running."""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from guilder.plumbing.postgres import launch
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from tests.plumbing.postgres.homes import ask, hold, is_gone, seconds_until, whole_family

ROUNDS = 3
CONNECTION_LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # Said by the driver when the socket breaks inside a statement.
    OSError,
)


@pytest.mark.proves("S27")
def test_the_server_ends_when_its_parent_is_killed(home: Path) -> None:
    holder = hold(home)
    family = [holder.server_pid, *(p.pid for p in psutil.Process(holder.server_pid).children())]
    holder.kill()
    spent = seconds_until(lambda: all(is_gone(pid) for pid in family), at_most=3)
    print(f"gone {spent:.2f} s after its parent")
    assert "received fast shutdown request" in (home / "postgres.log").read_text()


@pytest.mark.proves("S27", "I4")
def test_the_next_start_waits_for_the_server_of_a_killed_run(home: Path) -> None:
    holder = hold(home)
    ask(holder.cluster, "create table kept as select 42 as answer")
    holder.kill()
    with EmbeddedPostgres(home) as server:
        assert is_gone(holder.server_pid)
        assert ask(server.cluster, "select answer from kept") == 42


@pytest.mark.proves("S27")
def test_a_home_is_free_only_when_the_server_is_gone_too(home: Path) -> None:
    holder = hold(home)
    os.kill(holder.server_pid, signal.SIGSTOP)
    holder.kill()
    with (home / "postgres.lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(holder.server_pid, signal.SIGCONT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        seconds_until(lambda: is_gone(holder.server_pid), at_most=1)


@pytest.mark.proves("S27", "I4")
def test_parent_and_server_killed_together_lose_nothing(home: Path) -> None:
    holder = hold(home)
    ask(holder.cluster, "create table kept as select 42 as answer")
    os.kill(holder.server_pid, signal.SIGKILL)
    holder.kill()
    assert "postmaster.pid" in {file.name for file in _pgdata(home).iterdir()}
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select answer from kept") == 42


@pytest.mark.proves("S27", "I4")
async def test_a_killed_server_comes_back_with_every_acknowledged_commit(
    server: EmbeddedPostgres,
) -> None:
    ask(server.cluster, "create table kept (n bigint primary key)")
    acknowledged: list[int] = []
    async with _watched(server):
        for _ in range(ROUNDS):
            committing = [asyncio.create_task(_commit(server, acknowledged)) for _ in range(4)]
            before = len(acknowledged)
            while len(acknowledged) < before + 200:  # noqa: ASYNC110 - a list has no event.
                await asyncio.sleep(0.01)
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.gather(*committing)
            await asyncio.wait_for(_answering(server), timeout=10)
    rows = ask(server.cluster, "select count(*) from kept")
    kept = ask(
        server.cluster, f"select count(*) from kept where n = any('{{{_list(acknowledged)}}}')"
    )
    print(f"{len(acknowledged)} acknowledged, {rows} rows after {ROUNDS} kills")
    assert kept == len(acknowledged)


async def test_a_killed_backend_does_not_end_the_server(server: EmbeddedPostgres) -> None:
    pid = server.pid
    connection = await asyncpg.connect(**server.cluster.arguments())
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    await asyncio.wait_for(_answering(server), timeout=10)
    connection.terminate()
    assert server.pid == pid


async def test_a_busy_backend_of_a_killed_server_only_delays_the_restart(
    server: EmbeddedPostgres,
) -> None:
    connection = await asyncpg.connect(**server.cluster.arguments())
    busy = asyncio.create_task(
        connection.execute("select count(*) from generate_series(1, 20000000) where random() > 2")
    )
    await asyncio.sleep(0.1)
    family = whole_family(server)
    os.kill(server.pid, signal.SIGKILL)
    seconds_until(lambda: not server.is_running, at_most=5)
    assert ask(server.restart(), "select 1") == 1
    with contextlib.suppress(*CONNECTION_LOST):
        await busy
    connection.terminate()
    assert all(is_gone(process.pid) for process in family)


async def test_a_server_that_was_stopped_is_not_brought_back(server: EmbeddedPostgres) -> None:
    watching = asyncio.create_task(server.watch())
    await asyncio.sleep(0.2)
    server.stop()
    await asyncio.wait_for(watching, timeout=2)
    assert not server.is_running


@pytest.mark.proves("S27")
def test_a_stale_file_that_names_a_living_stranger_is_no_obstacle(home: Path) -> None:
    """As after a reboot, or in a container, where small process ids come back."""
    server = EmbeddedPostgres(home)
    server.start()
    file = _pgdata(home) / "postmaster.pid"
    lines = file.read_text().splitlines()
    os.kill(server.pid, signal.SIGKILL)
    seconds_until(lambda: not server.is_running, at_most=5)
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"], user=file.stat().st_uid)
    try:
        file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert ask(server.start(), "select 1") == 1
    finally:
        server.stop()
        stranger.kill()
        stranger.wait()


def test_a_server_is_started_from_the_main_thread_only(home: Path) -> None:
    """The system ends the server together with the thread that started it."""
    refused: list[BaseException] = []
    server = EmbeddedPostgres(home)

    def start() -> None:
        try:
            server.start()
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refused[0])
    with server:
        assert server.is_running


@pytest.mark.parametrize(("farewell", "ends"), [(b"", True), (b".", False)])
def test_the_watchdog_ends_a_server_whose_parent_is_gone(farewell: bytes, *, ends: bool) -> None:
    """For systems without a parent-death signal: the pipe closes, unless we took leave first."""
    watched, ours = os.pipe()
    words = [str(word) for word in (os.getpid(), -1, -1, watched)]
    launcher = [sys.executable, "-I", "-S", launch.__file__, *words]
    child = subprocess.Popen([*launcher, "/bin/sleep", "60"], pass_fds=[watched])
    try:
        seconds_until(lambda: psutil.Process(child.pid).name() == "sleep", at_most=5)
        os.close(watched)
        os.write(ours, farewell)
        os.close(ours)
        if ends:
            assert child.wait(5) == -signal.SIGINT
        else:
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(1.5)
    finally:
        child.kill()
        child.wait()


def test_nothing_starts_for_a_parent_that_is_gone_already() -> None:
    words = [str(word) for word in (1, -1, -1, -1)]
    launcher = [sys.executable, "-I", "-S", launch.__file__, *words]
    outcome = subprocess.run([*launcher, "/bin/echo", "alive"], capture_output=True, check=False)
    assert outcome.returncode == 127
    assert outcome.stdout == b""


def _pgdata(home: Path) -> Path:
    record = (home / "postgres.json").read_text()
    return Path(record.split('"cluster": "')[1].split('"')[0]) / "data"


def _list(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


async def _commit(server: EmbeddedPostgres, acknowledged: list[int]) -> None:
    """Commits one row after the other until the connection breaks."""
    with contextlib.suppress(*CONNECTION_LOST):
        connection = await asyncpg.connect(**server.cluster.arguments())
        try:
            for _ in range(100_000):
                number = int.from_bytes(os.urandom(7))
                await connection.execute("insert into kept values ($1)", number)
                acknowledged.append(number)
        finally:
            connection.terminate()


async def _answering(server: EmbeddedPostgres) -> None:
    for _ in range(10_000):
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            connection = await asyncpg.connect(**server.cluster.arguments())
            await connection.close()
            return
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _watched(server: EmbeddedPostgres) -> AsyncGenerator[None]:
    watching = asyncio.create_task(server.watch())
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
