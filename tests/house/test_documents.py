"""Decisions have one form and an index, generated pages are fresh, and links lead somewhere."""

import re
from pathlib import Path

import pytest
from tools import docs

from tests.house.tree import ROOT, kept_files, short

ADR = ROOT / "docs" / "adr"
SECTIONS = ["Context", "Decision", "Consequences", "Not chosen", "Enforced by"]
STATUS = re.compile(
    r"^Status: (proposed|accepted|replaced by \d+) · Area: .+ · Date: \d{4}-\d\d-\d\d$",
    re.MULTILINE,
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
LINES_MAX = 60
"""About one page."""


def decisions() -> list[Path]:
    return sorted(ADR.glob("[0-9]*.md"))


each_decision = pytest.mark.parametrize("path", decisions(), ids=lambda path: path.name[:4])


@each_decision
def test_a_decision_has_the_form_of_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = int(path.name[:4])
    assert text.startswith(f"# {number}. "), "the title begins with the number"
    assert STATUS.search(text), "status, area and date stand below the title"
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= LINES_MAX, "a decision is one page"


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in decisions()] == list(range(1, len(decisions()) + 1))


def test_the_index_lists_every_decision_by_its_title() -> None:
    index = (ADR / "README.md").read_text(encoding="utf-8")
    for path in decisions():
        title = path.read_text(encoding="utf-8").partition("\n")[0].partition(". ")[2]
        assert f"[{title}]({path.name})" in index


def pages() -> list[Path]:
    return [path for path in kept_files() if path.suffix == ".md"]


@pytest.mark.parametrize("page", pages(), ids=short)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    dead = [target for target in targets if not (page.parent / target).exists()]
    assert not dead


@each_decision
def test_what_enforces_a_decision_exists(path: Path) -> None:
    enforced = path.read_text(encoding="utf-8").partition("## Enforced by")[2]
    named = re.findall(r"`((?:tests|src|db|tools)/[\w./]+)`", enforced)
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.proves("S0-33")
def test_the_reference_says_what_the_code_says() -> None:
    assert docs.stale(ROOT / "docs" / "reference") == []


def test_a_stale_page_is_noticed_and_written_anew(tmp_path: Path) -> None:
    assert sorted(docs.write(tmp_path)) == sorted(docs.PAGES)
    page = tmp_path / "errors.md"
    page.write_text(page.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    assert docs.stale(tmp_path) == ["errors.md"]
    assert docs.write(tmp_path) == ["errors.md"]
    assert docs.stale(tmp_path) == []
