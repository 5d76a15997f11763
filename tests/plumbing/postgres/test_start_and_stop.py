"""One server from its first start to its end: quick, small, private and durable."""

import asyncio
import contextlib
import time
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import psycopg
import pytest

from guilder.kernel.secret import Secret
from guilder.plumbing.postgres.cluster import ensure_database, find_running
from guilder.plumbing.postgres.place import read_record, secret_in
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from tests.plumbing.postgres.homes import DEBIAN_15, ask, whole_family


def test_a_new_home_answers_soon_and_an_old_one_at_once(home: Path) -> None:
    server = EmbeddedPostgres(home)
    spent: list[float] = []
    for _ in range(2):
        begun = time.monotonic()
        cluster = server.start()
        spent.append(time.monotonic() - begun)
        assert ask(cluster, "select 1") == 1
        begun = time.monotonic()
        server.stop()
        spent.append(time.monotonic() - begun)
    print("first start, stop, second start, stop:", [f"{seconds:.2f} s" for seconds in spent])
    assert spent[0] < 15
    assert spent[2] < 5
    assert max(spent[1], spent[3]) < 5


def test_starting_twice_and_stopping_twice_are_harmless(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    pid = server.pid
    assert server.start() == server.cluster
    assert server.pid == pid
    server.stop()
    server.stop()
    assert not server.is_running


def test_a_busy_server_stops_within_five_seconds(server: EmbeddedPostgres) -> None:
    session = psycopg.connect(server.cluster.url().reveal())
    session.execute("create table unfinished as select 1")
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun <= 5
    session.close()


@pytest.mark.proves("I4")
def test_a_commit_is_durable_and_pages_are_checked(shared: EmbeddedPostgres) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert ask(shared.cluster, f"show {setting}") == "on"


def test_text_sorts_the_same_on_every_machine(shared: EmbeddedPostgres) -> None:
    assert ask(shared.cluster, "show server_encoding") == "UTF8"
    assert (
        ask(
            shared.cluster, "select string_agg(x, '' order by x) from unnest('{a,B,é,Z}'::text[]) x"
        )
        == "BZaé"
    )
    assert ask(shared.cluster, "select upper('é')") == "É"


def test_nobody_can_reach_it_over_the_network(shared: EmbeddedPostgres) -> None:
    assert psutil.Process(shared.pid).net_connections(kind="inet") == []
    assert ask(shared.cluster, "show listen_addresses") == ""


async def test_a_wrong_password_is_refused(shared: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(**replace(shared.cluster, password=Secret("guess")).arguments())
    connection = await asyncpg.connect(**shared.cluster.arguments())
    stored = await connection.fetchval("select rolpassword from pg_authid where rolcanlogin")
    await connection.close()
    assert stored.startswith("SCRAM-SHA-256$")


def test_the_password_is_in_a_private_file_and_in_no_log(shared: EmbeddedPostgres) -> None:
    file = shared.home / "postgres.password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == shared.cluster.password.reveal()
    assert len(file.read_text()) >= 32
    word = Secret("only for this application")
    with pytest.raises(psycopg.Error):
        ask(shared.cluster, f"create role broken login password '{word.reveal()}' -+")
    ensure_database(shared.cluster, database="guilder", role="guilder", password=word)
    log = (shared.home / "postgres.log").read_text()
    assert "syntax error" in log
    assert word.reveal() not in log
    assert (shared.home / "postgres.log").stat().st_mode & 0o777 == 0o600


def test_values_of_rows_stay_out_of_the_log(shared: EmbeddedPostgres) -> None:
    ask(shared.cluster, "create table card (number text primary key)")
    ask(shared.cluster, "insert into card values ('4242424242424242')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(shared.cluster, "insert into card values ('4242424242424242')")
    log = (shared.home / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "4242424242424242" not in log


def test_a_database_of_ones_own_is_made_once(shared: EmbeddedPostgres) -> None:
    word = secret_in(shared.home, "guilder")
    ensure_database(shared.cluster, database="guilder", role="guilder", password=word)
    own = ensure_database(shared.cluster, database="guilder", role="guilder", password=word)
    assert ask(own, "select current_user || '@' || current_database()") == "guilder@guilder"
    assert ask(own, "select rolsuper from pg_roles where rolname = current_user") is False
    ask(own, "create schema of_its_own")


async def test_callers_of_the_same_moment_make_one_database(shared: EmbeddedPostgres) -> None:
    word = secret_in(shared.home, "crowd")

    def make() -> None:
        ensure_database(shared.cluster, database="crowd", role="crowd", password=word)

    await asyncio.gather(*(asyncio.to_thread(make) for _ in range(8)))
    assert ask(shared.cluster, "select count(*) from pg_database where datname = 'crowd'") == 1


def test_another_process_of_ours_finds_the_running_server(server: EmbeddedPostgres) -> None:
    found = find_running(server.home)
    assert found is not None
    assert ask(found, "select 1") == 1
    server.stop()
    assert find_running(server.home) is None


def test_an_idle_server_is_small(shared: EmbeddedPostgres) -> None:
    resident = fair_share = count = 0
    for process in whole_family(shared):
        with contextlib.suppress(psutil.NoSuchProcess):  # A vacuum worker that has finished.
            memory = process.memory_full_info()
            resident += memory.rss
            fair_share += memory.pss
            count += 1
    print(f"{count} processes, {resident >> 20} MiB resident, {fair_share >> 20} MiB shared fairly")
    assert resident < 100 << 20


@pytest.mark.parametrize("name", ["a space, a comma", 'a "quote"', "it's 100% ün/ïcode", "x" * 120])
def test_any_path_will_do_for_a_home(reachable: Path, name: str) -> None:
    home = reachable / name
    server = EmbeddedPostgres(home)
    try:
        cluster = server.start()
        assert ask(cluster, "select 1") == 1
        folder = Path(cluster.host)
        assert folder.stat().st_mode & 0o777 == 0o700
        record = read_record(home)
        assert record is not None
        assert record.socket == cluster.host
        assert asyncio.run(_ask_with_asyncpg(server)) == 1
    finally:
        server.stop()
        server.remove()


@pytest.mark.skipif(not DEBIAN_15.is_dir(), reason=f"{DEBIAN_15} is not on this machine")
def test_debians_programs_will_do(home: Path) -> None:
    with EmbeddedPostgres(home, bin_folder=DEBIAN_15) as server:
        assert str(ask(server.cluster, "show server_version")).startswith("15.")
        assert ask(server.cluster, "show data_checksums") == "on"
        assert ask(server.cluster, "show lc_collate") == "C.UTF-8"
        assert ask(server.cluster, "select upper('é')") == "É"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(replace(server.cluster, password=Secret("guess")), "select 1")


def test_a_grown_log_is_moved_aside(server: EmbeddedPostgres) -> None:
    log = server.home / "postgres.log"
    with log.open("ab") as file:
        file.truncate(6_000_000)

    async def look() -> None:
        watching = asyncio.create_task(server.watch())
        await asyncio.sleep(0.5)
        watching.cancel()

    asyncio.run(look())
    assert log.stat().st_size < 1_000_000
    assert log.with_name("postgres.log.1").stat().st_size == 6_000_000


async def _ask_with_asyncpg(server: EmbeddedPostgres) -> object:
    for connection in (
        await asyncpg.connect(**server.cluster.arguments()),
        await asyncpg.connect(server.cluster.url().reveal()),
    ):
        answer = await connection.fetchval("select 1")
        await connection.close()
    return answer
