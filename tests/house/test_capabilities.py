"""The register computes its status from marks on tests, and lists everything that was asked."""

from pathlib import Path

import pytest
from tools.capabilities import (
    DATA,
    PAGE,
    Row,
    read_proofs,
    read_rows,
    render,
    status,
    troubles,
)

from tests.house.tree import ROOT

COUNTS = {"S0": 33, "S1": 35, "S2": 39, "S3": 30, "S4": 51, "Scenario": 48, "Invariant": 12}
MARKED = """
import pytest

pytestmark = pytest.mark.proves("S4-17")

@pytest.mark.proves("S4-16", "S02")
def test_a(): ...

class TestMore:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.proves("I3"))])
    def test_b(self, x): ...

def proves(*ids): ...
proves("S4-01")
"""


@pytest.mark.proves("S0-07")
def test_everything_asked_has_a_row() -> None:
    rows = read_rows(DATA)
    for document, count in COUNTS.items():
        assert sum(row.document == document for row in rows) == count
    assert all(row.title for row in rows)


@pytest.mark.proves("S0-07")
def test_the_register_is_fresh_and_true() -> None:
    rows, proofs = read_rows(DATA), read_proofs(ROOT / "tests")
    assert troubles(rows, proofs) == []
    assert PAGE.read_text(encoding="utf-8") == render(rows, proofs)


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_marked.py").write_text(MARKED, encoding="utf-8")
    return folder


def test_marks_are_found_wherever_they_may_stand(tests: Path) -> None:
    assert read_proofs(tests) == dict.fromkeys(
        ("S4-16", "S4-17", "S02", "I3"), frozenset({"tests/test_marked.py"})
    )


def test_an_id_that_is_computed_is_not_believed(tests: Path) -> None:
    (tests / "test_sly.py").write_text("pytest.mark.proves(*names)", encoding="utf-8")
    with pytest.raises(ValueError, match="write the ids out"):
        read_proofs(tests)


def test_a_status_follows_from_tests_and_from_nothing_else(tests: Path) -> None:
    proofs = read_proofs(tests)
    assert status(Row("S4-16", "S4", "keys", whole=True), proofs) == "Live"
    assert status(Row("S4-17", "S4", "outbox", whole=False), proofs) == "Beta"
    assert status(Row("S4-01", "S4", "edge", whole=True), proofs) == "Roadmap"


def test_a_claim_without_a_test_and_a_mark_without_a_row_are_troubles(tests: Path) -> None:
    rows = [Row("S4-16", "S4", "keys", whole=True), Row("S4-01", "S4", "edge", whole=True)]
    found = "\n".join(troubles(rows, read_proofs(tests)))
    assert "S4-01 is called whole, and no test proves it" in found
    assert "no row has the id 'S4-17'" in found
    assert "S4-16" not in found


def test_an_id_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,document,title,whole\nI1,Invariant,a,\nI1,Invariant,b,\n", encoding="utf-8")
    with pytest.raises(ValueError, match="I1"):
        read_rows(path)
