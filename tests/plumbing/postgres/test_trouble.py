"""Every trouble is one sentence that names what to do."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from guilder.plumbing.postgres.errors import EmbeddedPostgresError
from guilder.plumbing.postgres.place import read_record
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from tests.plumbing.postgres.homes import IS_ROOT, ask

TRY = """
import os, sys
from pathlib import Path
from guilder.plumbing.postgres.errors import EmbeddedPostgresError
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
if len(sys.argv) > 2:
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
try:
    EmbeddedPostgres(Path(sys.argv[1])).start()
except EmbeddedPostgresError as trouble:
    print(trouble)
"""


@pytest.fixture
def small_disk(reachable: Path) -> Generator[Path]:
    """A disk of 100 MB that every account can reach."""
    disk = reachable / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m,mode=755", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_without_the_wheel_it_names_the_extra(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(EmbeddedPostgresError) as trouble:
        EmbeddedPostgres(home).start()
    assert "`embedded` extra" in str(trouble.value)
    assert "GUILDER_DATABASE_URL" in str(trouble.value)


def test_a_folder_without_postgresql_is_named(home: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="holds no postgres"):
        EmbeddedPostgres(home, bin_folder=tmp_path).start()


def test_a_version_we_do_not_know_is_refused(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pginstall" / "bin"
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        program.chmod(0o755)
    with pytest.raises(
        EmbeddedPostgresError, match="holds PostgreSQL 14; Guilder runs on 15 to 18"
    ):
        EmbeddedPostgres(home, bin_folder=folder).start()


def test_a_cluster_of_another_major_version_says_how_to_move_it(home: Path) -> None:
    with EmbeddedPostgres(home):
        record = read_record(home)
    assert record is not None
    version = Path(record.cluster) / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17.*pg_dumpall"):
        EmbeddedPostgres(home).start()


def test_a_damaged_record_is_named(home: Path) -> None:
    home.mkdir()
    (home / "postgres.json").write_text('{"cluster": 7}')
    with pytest.raises(EmbeddedPostgresError, match=r"postgres.json is damaged"):
        EmbeddedPostgres(home).start()
    (home / "postgres.json").unlink()


def test_a_home_we_may_not_write_names_the_setting(tmp_path: Path) -> None:
    if IS_ROOT:
        pytest.skip("root may write everywhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(
        EmbeddedPostgresError, match="Set GUILDER_HOME to a folder this account owns"
    ):
        EmbeddedPostgres(closed / "home").start()


def test_a_file_in_place_of_the_home_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"Not a directory|File exists"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


@pytest.mark.skipif(not IS_ROOT, reason="only root may become a nameless account")
def test_an_account_without_a_name_is_told_so(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", TRY, str(tmp_path / "home"), "4242"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "PostgreSQL refuses user id 4242, which has no name on this machine" in told
    assert "GUILDER_DATABASE_URL" in told


@pytest.mark.proves("S30")
def test_a_disk_too_small_for_a_cluster_says_free_some_space(small_disk: Path) -> None:
    _fill(small_disk, leaving=10_000_000)
    with pytest.raises(EmbeddedPostgresError, match=r"No space left on device.*Free some space"):
        EmbeddedPostgres(small_disk / "home").start()
    (small_disk / "ballast").unlink()
    with EmbeddedPostgres(small_disk / "home") as server:
        assert ask(server.cluster, "select 1") == 1
    server.remove()


@pytest.mark.proves("S30", "I4")
def test_a_server_that_ran_out_of_disk_returns_when_there_is_space(small_disk: Path) -> None:
    server = EmbeddedPostgres(small_disk / "home")
    ask(server.start(), "create table kept (n bigint, filling text)")
    _fill(small_disk, leaving=0)
    rows = 0
    try:
        for _ in range(100_000):
            ask(server.cluster, f"insert into kept values ({rows}, repeat('x', 2000))")
            rows += 1
    except psycopg.Error as refused:
        print(f"{rows} rows, then: {refused}")
    os.truncate(small_disk / "ballast", 0)
    if not server.is_running:
        server.restart()
    assert ask(server.cluster, "select count(*) from kept") in (rows, rows + 1)
    server.stop()
    server.remove()


def _fill(disk: Path, *, leaving: int) -> None:
    """Takes all but `leaving` bytes of the disk with one file, `ballast`."""
    free = os.statvfs(disk)
    with (disk / "ballast").open("wb") as ballast:
        for _ in range(max(0, free.f_bavail * free.f_frsize - leaving) // 65_536):
            ballast.write(bytes(65_536))
