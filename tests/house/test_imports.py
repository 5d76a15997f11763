"""Floors, rooms and doors hold, and the checker still catches every way of breaking them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, contexts

LINT = str(Path(sys.executable).parent / "lint-imports")

VIOLATIONS: dict[str, tuple[str, str, str]] = {
    "another context's store": (
        "payments/actions.py",
        "from guilder.ledger import store",
        "guilder.payments.actions walks into guilder.ledger.store",
    ),
    "calling upward": (
        "ledger/public.py",
        "from guilder.payments import public as payments",
        "guilder.ledger.public -> guilder.payments.public",
    ),
    "a store that imports an action": (
        "merchants/store.py",
        "from guilder.merchants import actions",
        "guilder.merchants.store -> guilder.merchants.actions",
    ),
    "input and output in rules": (
        "payments/rules.py",
        "from guilder.plumbing import db",
        "guilder.payments.rules -> guilder.plumbing.db",
    ),
    "HTTP in an action": (
        "access/actions.py",
        "from guilder.edge import problems",
        "guilder.access.actions -> guilder.edge.problems",
    ),
    "the framework in a desk": (
        "merchants/http.py",
        "import litestar",
        "guilder.merchants.http -> litestar",
    ),
    "a helpers file in a context": (
        "payments/helpers.py",
        "",
        "guilder.payments.helpers",
    ),
    "a utils folder at the top": (
        "utils/__init__.py",
        "",
        "guilder.utils",
    ),
    "the driver in a store": (
        "ledger/store.py",
        "import asyncpg",
        "guilder.ledger.store -> asyncpg",
    ),
    "asyncio in states": (
        "webhooks/states.py",
        "import asyncio",
        "guilder.webhooks.states -> asyncio",
    ),
    "a provider known by more than its contract": (
        "intake/consumers.py",
        "from guilder.connectors.psp.probe import client",
        "guilder.intake.consumers -> guilder.connectors.psp.probe.client",
    ),
    "the outside world inside the platform": (
        "roles/settings.py",
        "import guilder_sandbox.probe",
        "guilder.roles.settings -> guilder_sandbox.probe",
    ),
}
"""What is broken, in which file, by which line, and how the report names it."""


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", LINT, "--no-logo", "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": f"{tree / 'src'}:{tree}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the checker says of a copy of the tree that breaks every rule at once."""
    tree = tmp_path_factory.mktemp("broken")
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", tree / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tree)
    house = tree / "src" / "guilder"
    append(house / "connectors/psp/probe/__init__.py", "")
    append(house / "connectors/psp/probe/client.py", "")
    append(tree / "src/guilder_sandbox/probe.py", "")
    for context in ("access", "ledger", "merchants", "payments"):
        for file in ("actions", "public", "store"):
            if not (house / context / file).is_dir():
                append(house / context / f"{file}.py", "")
    for place, line, _ in VIOLATIONS.values():
        append(module_of(house / place), line)
    done = lint(tree)
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def module_of(path: Path) -> Path:
    """A file that has grown into a folder is entered by its `__init__.py`."""
    return path.with_suffix("") / "__init__.py" if path.with_suffix("").is_dir() else path


def append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_is_named(report: str, violation: str) -> None:
    _, _, expected = VIOLATIONS[violation]
    assert expected in report


def test_every_context_has_its_rooms_and_doors_checked() -> None:
    contracts = (ROOT / ".importlinter").read_text(encoding="utf-8")
    rooms = contracts.partition("contract:rooms]")[2].partition("layers =\n")[0]
    doors = contracts.partition("contract:doors]")[2].partition("doors =\n")[0]
    for context in contexts():
        assert f"    guilder.{context.name}\n" in rooms, f"{context.name} has no rooms"
        assert f"    {context.name}\n" in doors, f"{context.name} has no doors"
