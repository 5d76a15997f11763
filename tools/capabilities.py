"""The register of what was asked and what is shown: `python -m tools.capabilities [--check]`."""

import argparse
import ast
import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.reference.tree import generated, table

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "capabilities.csv"
PAGE = ROOT / "docs" / "capabilities.md"
FILES_SHOWN_MAX = 3
DOCUMENTS = {
    "S0": "First document: platform, channels and onboarding",
    "S1": "Second document: wallet, rails and compliance",
    "S2": "Third document: payment pipeline and banking gateway",
    "S3": "Fourth document: portal, terminals and orders",
    "S4": "Fifth document: orchestration, ledger and operations",
    "Scenario": "Scenarios",
    "Invariant": "Invariants",
}

Proofs = Mapping[str, frozenset[str]]
"""Which test files prove an id."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing asked: `whole` is the maintainers' word that the tests cover all that it asks."""

    id: str
    document: str
    title: str
    whole: bool


def read_rows(path: Path) -> list[Row]:
    """The rows of the data file in its order. Raises ValueError on an id listed twice."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Row(line["id"], line["document"], line["title"], whole=line["whole"] == "yes")
            for line in csv.DictReader(file)
        ]
    ids = [row.id for row in rows]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"listed more than once: {', '.join(twice)}")
    return rows


def read_proofs(tests: Path) -> Proofs:
    """Every id named by a `proves` mark below a folder of tests, with the files that name it.

    The marks are read from the source, so nothing is run. Raises ValueError on a mark whose ids
    are not written out as text.
    """
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for name in _marks(tree, path):
            found.setdefault(name, set()).add(path.relative_to(tests.parent).as_posix())
    return {name: frozenset(files) for name, files in found.items()}


def _marks(tree: ast.Module, path: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="proves", value=ast.Attribute(attr="mark"))):
                for argument in node.args:
                    match argument:
                        case ast.Constant(value=str() as name):
                            yield name
                        case _:
                            raise ValueError(f"{path}:{node.lineno}: write the ids out")
            case _:
                pass


def status(row: Row, proofs: Proofs) -> str:
    """Live when shown whole, Beta when shown in part, Roadmap when nothing shows it."""
    if row.id not in proofs:
        return "Roadmap"
    return "Live" if row.whole else "Beta"


def troubles(rows: list[Row], proofs: Proofs) -> list[str]:
    """What makes the register untrue: marks of unknown ids, wholes that nothing shows."""
    known = {row.id for row in rows}
    unknown = [
        f"{', '.join(sorted(files))}: no row has the id {name!r}"
        for name, files in sorted(proofs.items())
        if name not in known
    ]
    unshown = [
        f"{row.id} is called whole, and no test proves it"
        for row in rows
        if row.whole and row.id not in proofs
    ]
    return unknown + unshown


def render(rows: list[Row], proofs: Proofs) -> str:
    """The page: a count, then one table per document."""
    parts = ["# Capabilities", generated("capabilities"), _intro(rows, proofs)]
    for document, heading in DOCUMENTS.items():
        lines = [
            [row.id, row.title, status(row, proofs), _files(proofs.get(row.id, frozenset()))]
            for row in rows
            if row.document == document
        ]
        if lines:
            parts += [f"## {heading}", table(["Id", "Asked", "Status", "Shown by"], lines)]
    return "\n\n".join(parts) + "\n"


def _intro(rows: list[Row], proofs: Proofs) -> str:
    words = [status(row, proofs) for row in rows]
    counts = ", ".join(f"{words.count(word)} {word}" for word in ("Live", "Beta", "Roadmap"))
    return (
        "What was asked of the platform, and what its tests show today. **Live**: tests show all "
        "that the row asks. **Beta**: tests show a part of it. **Roadmap**: nothing shows it yet. "
        f"A status is computed from the tests' own marks; nobody sets it by hand. Now: {counts}."
    )


def _files(files: frozenset[str]) -> str:
    names = [f"`{name}`" for name in sorted(files)]
    more = len(names) - FILES_SHOWN_MAX
    return ", ".join(names[:FILES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def main() -> int:
    """Write the page, or with --check only compare it; 1 when it is stale or untrue."""
    parser = argparse.ArgumentParser(prog="python -m tools.capabilities", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    check = parser.parse_args().check
    rows, proofs = read_rows(DATA), read_proofs(ROOT / "tests")
    wrong = troubles(rows, proofs)
    text = render(rows, proofs)
    if check and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text):
        wrong.append("docs/capabilities.md is stale; run python -m tools.capabilities")
    for line in wrong:
        print(line)
    if not check:
        PAGE.write_text(text, encoding="utf-8")
        print("wrote docs/capabilities.md")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
