"""The generators of docs/reference say what the code says, tried on a package made for it."""

import itertools
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tools.reference import errors, events, settings, states
from tools.reference.tree import load, page, table, type_name

from guilder.edge.problems import status_of
from guilder.kernel.secret import Secret
from guilder.roles.settings import Setting

FILES = {
    "__init__.py": "",
    "lending/__init__.py": "",
    "lending/errors.py": '''
from guilder.kernel.errors import Kind, Refusal

class BookAway(Refusal):
    """It is lent; ask again later.

    A second paragraph is for maintainers.
    """
    code = "book_away"
    kind = Kind.CONFLICT
    retryable = True

class Archived(Refusal):
    """It is in the archive | for good."""
    code = "archived"
    kind = Kind.REFUSED
''',
    "lending/events.py": '''
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from guilder.kernel.money import Money

@dataclass(frozen=True, slots=True)
class BookLent:
    """A reader took the book home."""
    topic: ClassVar[str] = "book.lent"
    version: ClassVar[int] = 2
    fee: Money | None
    lent_at: datetime

    @property
    def subject(self) -> str:
        return "book"
''',
    "lending/states.py": """
from enum import StrEnum

class BookState(StrEnum):
    SHELVED = "shelved"  # Anyone may take it.
    # A reader has it,
    # and we know which.
    LENT = "lent"
    LOST = "lost"

S = BookState
MOVES = {
    S.SHELVED: frozenset({S.LENT}),
    S.LENT: frozenset({S.LOST, S.SHELVED}),
    S.LOST: frozenset(),
}
""",
}
NUMBERS = itertools.count()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    """A package of one context, imported under a name no other test has used."""
    name = f"library_{next(NUMBERS)}"
    for place, text in FILES.items():
        path = tmp_path / name / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return load(name)


def test_every_refusal_is_listed_by_code_with_its_status(library: list[ModuleType]) -> None:
    text = errors.render(library, status_of)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [
        r"| `archived` | 402 | refused | no | It is in the archive \| for good. | lending |",
        "| `book_away` | 409 | conflict | yes | It is lent; ask again later. | lending |",
    ]


def test_only_the_refusals_of_the_package_are_listed(library: list[ModuleType]) -> None:
    codes = [refusal.code for refusal in errors.refusals(library)]
    assert codes == ["archived", "book_away"]


def test_an_event_is_shown_with_its_version_and_fields(library: list[ModuleType]) -> None:
    text = events.render(library)
    assert "## `book.lent`, version 2" in text
    assert "A reader took the book home. Announced by `lending`." in text
    assert r"| `fee` | `Money \| None` |" in text
    assert "| `lent_at` | `datetime` |" in text
    assert "subject" not in text.partition("## ")[2]


def test_a_lifecycle_is_drawn_and_listed(library: list[ModuleType]) -> None:
    text = states.render(library)
    assert "## BookState (`lending`)" in text
    for arrow in ("[*] --> shelved", "shelved --> lent", "lent --> shelved", "lost --> [*]"):
        assert f"    {arrow}\n" in text
    assert "shelved --> lost" not in text
    assert "| `shelved` | Anyone may take it. | `lent` |" in text
    assert "| `lent` | A reader has it, and we know which. | `shelved`, `lost` |" in text
    assert "| `lost` |  | final |" in text


def test_a_module_that_cannot_be_imported_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "broken_library"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "errors.py").write_text("import nothing_of_this_name", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ImportError):
        load("broken_library")


def test_types_are_named_without_their_modules() -> None:
    assert type_name(dict[str, Path]) == "dict[str, Path]"
    assert type_name(Path | None) == "Path | None"


def test_a_page_begins_with_its_title_and_ends_with_one_newline() -> None:
    text = page("Books", "All of them.", table(["A"], [["1"]]))
    assert text.startswith("# Books\n\n<!-- Generated")
    assert text.endswith("| 1 |\n")


def test_a_setting_is_shown_with_what_to_write() -> None:
    rows = [
        Setting("PORT", "port", int, 8080, "Where it listens."),
        Setting("LOUD", "loud", bool, default=False, meaning="Whether it talks."),
        Setting("KEYS", "keys", str, (), "What opens it."),
        Setting("HOME", "home", Path, None, "Where it lives."),
    ]
    kinds = {"port": int, "loud": bool, "keys": tuple[Secret, ...], "home": Path | None}
    text = settings.render(rows, kinds)
    assert "| `GUILDER_PORT` | whole number | `8080` | Where it listens. |" in text
    assert "| `GUILDER_LOUD` | yes or no | `no` | Whether it talks. |" in text
    assert "| `GUILDER_KEYS` | secret, several by commas | none | What opens it. |" in text
    assert "| `GUILDER_HOME` | path | none | Where it lives. |" in text
