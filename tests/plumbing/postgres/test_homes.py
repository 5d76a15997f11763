"""Homes: side by side, one holder each, and never a changed mode above them."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import psutil
import pytest

from guilder.plumbing.postgres.account import DEDICATED
from guilder.plumbing.postgres.binaries import wheel_bin_folder
from guilder.plumbing.postgres.errors import EmbeddedPostgresError
from guilder.plumbing.postgres.place import SHARED, Record, left_behind, read_record
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres
from tests.plumbing.postgres.homes import IS_ROOT, ask, hold, whole_family

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root must become another account")


def test_two_homes_live_side_by_side(home: Path, tmp_path: Path) -> None:
    other = EmbeddedPostgres(tmp_path / "other")
    with EmbeddedPostgres(home) as one, other as two:
        ask(one.cluster, "create table mine as select 1")
        assert ask(two.cluster, "select to_regclass('mine')") is None
        assert one.cluster.password.reveal() != two.cluster.password.reveal()
    other.remove()


def test_a_second_start_on_a_home_says_who_holds_it(home: Path) -> None:
    holder = hold(home)
    name = psutil.Process(holder.process.pid).name()
    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(home).start()
    assert f"in use by process {holder.process.pid} ({name})" in str(refused.value)
    assert "set GUILDER_HOME to another folder" in str(refused.value)
    assert ask(holder.cluster, "select 1") == 1
    holder.kill()


def test_one_home_by_two_names_is_one_home(shared: EmbeddedPostgres, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(shared.home)
    with pytest.raises(EmbeddedPostgresError, match="in use by process"):
        EmbeddedPostgres(link).start()


def test_no_folder_above_a_home_changes_its_modes(tmp_path: Path) -> None:
    home = tmp_path
    for mode in (0o755, 0o711, 0o750, 0o700):
        home = home / f"{mode:o}"
        home.mkdir()
        home.chmod(mode)
    watched = [
        home,
        *home.parents,
        wheel_bin_folder(),
        *wheel_bin_folder().parents,
        Path("/var/lib"),
    ]
    before = _modes(watched)
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select 1") == 1
        assert _modes(watched) == before
    server.remove()
    assert _modes(watched) == before


def test_what_a_home_keeps_is_private(shared: EmbeddedPostgres) -> None:
    assert shared.home.stat().st_mode & 0o066 == 0
    record = _record(shared.home)
    assert (Path(record.cluster) / "data").stat().st_mode & 0o777 == 0o700
    for file in shared.home.iterdir():
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file


@only_root
def test_root_hands_the_server_to_an_account_without_rights(home: Path) -> None:
    groups = os.getgroups()
    os.setgroups([0, 4])
    try:
        with EmbeddedPostgres(home) as server:
            for process in whole_family(server):
                uids, gids = process.uids(), process.gids()
                assert 0 not in (uids.real, uids.effective, uids.saved)
                assert 0 not in (gids.real, gids.effective, gids.saved)
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert not {"0", "4"} & set(status.split("Groups:")[1].splitlines()[0].split())
            assert _record(home).account == DEDICATED
    finally:
        os.setgroups(groups)


@only_root
@pytest.mark.parametrize("mode", [0o700, 0o750])
def test_a_home_out_of_reach_has_its_cluster_elsewhere(reachable: Path, mode: int) -> None:
    home = reachable / "closed"
    home.mkdir()
    home.chmod(mode)
    with EmbeddedPostgres(home) as server:
        ask(server.cluster, "create table kept as select 42 as answer")
    cluster = Path(_record(home).cluster)
    assert cluster.parent == SHARED
    assert home.stat().st_mode & 0o777 == mode
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select answer from kept") == 42
    server.remove()
    assert not cluster.exists()


@only_root
def test_a_home_within_reach_has_its_cluster_inside(reachable: Path) -> None:
    with EmbeddedPostgres(reachable / "open") as server:
        assert Path(_record(server.home).cluster) == reachable / "open" / "postgres"
        assert (reachable / "open").stat().st_mode & 0o777 == 0o711


@only_root
def test_programs_out_of_reach_are_copied_with_modes_that_can_be_read(
    home: Path, tmp_path: Path
) -> None:
    """Installed under umask 077 in a private folder, as in the home folder of root."""
    wheel = wheel_bin_folder().parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, closed / part.name)
    subprocess.run(["chmod", "-R", "go=", str(closed)], check=True)
    bin_folder = closed / wheel.name / "pginstall" / "bin"
    before = _modes([bin_folder, *bin_folder.parents])
    with EmbeddedPostgres(home, bin_folder=bin_folder) as server:
        program = Path(psutil.Process(server.pid).exe())
        assert program.is_relative_to(_record(home).cluster)
        assert ask(server.cluster, "create extension citext") is None
    assert _modes([bin_folder, *bin_folder.parents]) == before


@only_root
def test_without_an_account_of_its_own_the_server_runs_as_nobody(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("guilder.plumbing.postgres.account.DEDICATED", "not a valid name")
    with EmbeddedPostgres(home) as server:
        assert psutil.Process(server.pid).username() == "nobody"
    told = capsys.readouterr()
    assert "runs_as_nobody" in told.out + told.err


def test_a_home_made_anew_under_an_old_name_begins_empty(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        ask(server.cluster, "create table old as select 1")
    old = Path(_record(home).cluster)
    shutil.rmtree(home)
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select to_regclass('old')") is None
        if IS_ROOT:
            assert old in left_behind()
            shutil.rmtree(old)


@only_root
def test_a_neighbour_with_a_damaged_record_is_left_alone(home: Path, tmp_path: Path) -> None:
    neighbour = tmp_path / "neighbour"
    with EmbeddedPostgres(neighbour):
        record = (neighbour / "postgres.json").read_bytes()
    (neighbour / "postgres.json").write_bytes(b"{")
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select 1") == 1
    (neighbour / "postgres.json").write_bytes(record)
    assert Path(_record(neighbour).cluster) not in left_behind()
    EmbeddedPostgres(neighbour).remove()


def test_a_cluster_that_is_gone_is_never_replaced_by_an_empty_one(home: Path) -> None:
    with EmbeddedPostgres(home):
        cluster = Path(_record(home).cluster)
    (cluster / "data").rename(cluster / "aside")
    with pytest.raises(EmbeddedPostgresError, match="Restore it; or, to begin empty, remove"):
        EmbeddedPostgres(home).start()
    (cluster / "aside").rename(cluster / "data")


def test_an_interrupted_first_start_heals(home: Path) -> None:
    with EmbeddedPostgres(home):
        cluster = Path(_record(home).cluster)
    (home / "postgres.json").unlink()
    (cluster / "data").rename(cluster / "data.making")
    with EmbeddedPostgres(home) as server:
        assert ask(server.cluster, "select 1") == 1
        assert Path(_record(home).cluster) == cluster
        assert not (cluster / "data.making").exists()


def test_a_recorded_socket_folder_that_someone_else_made_is_not_used(reachable: Path) -> None:
    server = EmbeddedPostgres(reachable / ("x" * 120))
    first = Path(server.start().host)
    server.stop()
    first.mkdir(mode=0o777)
    first.chmod(0o777)
    try:
        assert Path(server.start().host) != first
    finally:
        server.stop()
        first.rmdir()


def _record(home: Path) -> Record:
    record = read_record(home)
    assert record is not None
    return record


def _modes(paths: list[Path]) -> dict[Path, tuple[int, int, int]]:
    states = {path: path.stat() for path in paths}
    return {
        path: (stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid)
        for path, state in states.items()
    }
