"""The locks: fresh, agreed among themselves, and silent about where packages come from."""

import shutil
from pathlib import Path

import pytest
from tools import lock

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the locks are made from and of the locks."""
    for name in ("pyproject.toml", *(each.file for each in lock.LOCKS)):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_locks_are_fresh() -> None:
    assert lock.problems(ROOT) == []


def test_a_new_dependency_makes_the_locks_stale(tree: Path) -> None:
    file = tree / "pyproject.toml"
    file.write_text(file.read_text().replace("dependencies = [", 'dependencies = [\n  "six",', 1))
    assert lock.problems(tree) == [
        "requirements.lock is stale; run `python -m tools.lock`",
        "requirements-dev.lock is stale; run `python -m tools.lock`",
    ]


def test_a_setting_of_a_tool_does_not_make_the_locks_stale(tree: Path) -> None:
    file = tree / "pyproject.toml"
    file.write_text(file.read_text() + '\n[tool.new]\nsetting = "value"\n')
    assert lock.problems(tree) == []


@pytest.mark.parametrize("each", lock.LOCKS, ids=lambda each: each.file)
def test_an_edited_lock_is_noticed(tree: Path, each: lock.Lock) -> None:
    file = tree / each.file
    file.write_text(file.read_text().replace("--hash=sha256:0", "--hash=sha256:1", 1))
    assert f"{each.file} is stale; run `python -m tools.lock`" in lock.problems(tree)


def test_a_missing_lock_is_noticed(tree: Path) -> None:
    (tree / "requirements-build.lock").unlink()
    assert lock.problems(tree) == ["requirements-build.lock is stale; run `python -m tools.lock`"]


def test_two_locks_that_pin_two_versions_are_noticed(tree: Path) -> None:
    file = tree / "requirements-dev.lock"
    body = file.read_text().partition("\n")[2].replace("asyncpg==", "asyncpg==9.", 1)
    digest = lock.digest(lock.requirements(tree, lock.LOCKS[1]), body)
    file.write_text(f"{lock.HEADER}{digest}\n{body}")
    assert lock.problems(tree) == [
        "requirements-dev.lock and requirements.lock pin two versions of asyncpg"
    ]


def test_a_lock_that_names_a_registry_is_noticed(tree: Path) -> None:
    file = tree / "requirements.lock"
    body = "--index-url https://mirror.example/simple\n" + file.read_text().partition("\n")[2]
    digest = lock.digest(lock.requirements(tree, lock.LOCKS[0]), body)
    file.write_text(f"{lock.HEADER}{digest}\n{body}")
    assert lock.problems(tree) == [
        "requirements.lock names a place: --index-url https://mirror.example/simple"
    ]
