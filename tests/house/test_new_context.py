"""The right way is the easy way: a context made by the tool keeps every rule from its birth."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools.new_context import make, with_context

from tests.house.test_imports import lint
from tests.house.tree import ROOT

CONTRACTS = (ROOT / ".importlinter").read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parts of the tree that a new context touches or is judged by."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("src", "tools", "tests/house"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignore)
    (tmp_path / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def run_tests(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tree)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=tree,
        env={"PYTHONPATH": f"{tree / 'src'}:{tree}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("context", "noun", "beside"),
    [("loans", "loan", None), ("orders", "order", "payments"), ("disputes", "dispute", None)],
)
def test_a_new_context_keeps_every_rule(
    copy: Path, context: str, noun: str, beside: str | None
) -> None:
    make(copy, context, noun=noun, beside=beside)
    linted = lint(copy)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    tested = run_tests(copy, f"tests/{context}")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    rules = ("tests/house/test_contexts.py", "tests/house/test_imports.py")
    judged = run_tests(copy, *rules, "-k", f"{context} or rooms_and_doors")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_generated_tests_fail_when_a_move_is_added(copy: Path) -> None:
    make(copy, "loans", noun="loan")
    states = copy / "src/guilder/loans/states.py"
    text = states.read_text(encoding="utf-8").replace(
        "S.CLOSED: frozenset()", "S.CLOSED: frozenset({S.OPEN})"
    )
    states.write_text(text, encoding="utf-8")
    assert run_tests(copy, "tests/loans").returncode == 1


def test_what_it_writes_is_formatted_typed_and_linted(copy: Path) -> None:
    files = [str(path) for path in make(copy, "loans", noun="loan") if path.suffix == ".py"]
    ruff = [str(Path(sys.executable).parent / "ruff")]
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [*ruff, *command, *settings, *files],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["kernel", "two_words", "Loans", "../loans", "payments"])
def test_a_name_that_cannot_be_used_changes_nothing(copy: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"word|already"):
        make(copy, name, noun="loan")
    assert (copy / ".importlinter").read_text(encoding="utf-8") == CONTRACTS


def test_a_place_kept_for_a_context_is_taken() -> None:
    text = with_context(CONTRACTS, "disputes", beside=None)
    assert "    disputes | (reconciliation)\n" in text
    assert "(disputes)" not in text


def test_a_new_context_can_join_a_shelf_but_not_machinery() -> None:
    text = with_context(CONTRACTS, "orders", beside="merchants")
    assert "    merchants | orders\n" in text
    with pytest.raises(ValueError, match="not a context"):
        with_context(CONTRACTS, "orders", beside="edge")
