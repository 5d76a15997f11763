"""The guide to the sandbox: its examples run, and show what it says they show."""

import re
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from guilder_sandbox.faults import Fault, Operation
from guilder_sandbox.stripe.cards import find_card
from tests.sandbox.outside import Outside

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "the-sandbox.md"
TEXT = GUIDE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Generator[Outside]:
    """One outside world for the whole guide, because its examples follow each other."""
    world = Outside(tmp_path_factory.mktemp("guide")).start()
    yield world
    world.end()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
def test_every_example_runs_and_shows_what_it_says(fresh: Outside) -> None:
    assert len(EXAMPLES) == TEXT.count("```sh") > 8
    for script, shown in EXAMPLES:
        run = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", f"SANDBOX={fresh.url}\n{script}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert run.returncode == 0, (script, run.stderr)
        for line in shown.strip().splitlines():
            assert line in run.stdout, (script, run.stdout)


def test_the_guide_names_every_fault_and_operation() -> None:
    for name in (*Fault.__args__, *Operation.__args__):
        assert re.search(rf"[`(, ]{re.escape(name)}[`,)]", TEXT), name


def test_every_card_the_guide_names_exists() -> None:
    named = set(re.findall(r"`(pm_(?:card|sandbox)_\w+)`", TEXT))
    assert len(named) > 10
    assert [name for name in named if find_card(name) is None] == []
