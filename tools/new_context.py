"""A new context with its README, door, states and tests: `python -m tools.new_context refunds`."""

import argparse
import re
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[a-z][a-z]{2,30}")
TAKEN = frozenset({"kernel", "plumbing", "connectors", "edge", "portals", "roles"})

README = Template("""# $Context

One or two sentences: what would we tell a merchant or an auditor that this part does?

## Owns

Every $noun, from its making to its end.

## Words

- **$noun**: what it is, in one sentence, as `docs/words.md` has it.

## States

`states.py`: open, then closed.

## Invariants

- A closed $noun never opens again (the table of moves; a trigger must repeat it in the database).

## Announces

Nothing yet. An event goes into `events.py`; see `docs/guides/add-an-event.md`.

## Tables

None yet. They go into the schema `$context`; see `docs/guides/change-the-schema.md`.

## Not here

What a reader may look for here in vain, and where it is.
""")

INIT = Template('''"""$Context: what it is, in one line."""
''')

PUBLIC = Template('''"""The front door of $context; but for its events, all else here is private."""

from guilder.$context.states import ${Noun}State

__all__ = ["${Noun}State"]
''')

STATES = Template('''"""The life of one $noun: its states, and the only moves between them."""

from enum import StrEnum


class ${Noun}State(StrEnum):
    """Where a $noun is; each comment says what is true of the money in it."""

    OPEN = "open"  # Nothing has moved yet.
    CLOSED = "closed"  # All that will ever move has moved.


S = ${Noun}State

MOVES: dict[${Noun}State, frozenset[${Noun}State]] = {
    S.OPEN: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
assert set(MOVES) == set(${Noun}State), "every state says what it may become"


def move(before: ${Noun}State, after: ${Noun}State) -> ${Noun}State:
    """The state after the move. Raises ValueError on a move that is not in the table."""
    if after not in MOVES[before]:
        raise ValueError(f"a $noun that is {before} cannot become {after}")
    return after
''')

TEST_STATES = Template('''"""The life of one $noun: every pair of states, allowed or refused."""

import itertools

import pytest

from guilder.$context.states import MOVES, ${Noun}State, move

PAIRS = list(itertools.product(${Noun}State, repeat=2))


@pytest.mark.parametrize(("before", "after"), [p for p in PAIRS if p[1] in MOVES[p[0]]])
def test_a_move_in_the_table_is_made(before: ${Noun}State, after: ${Noun}State) -> None:
    assert move(before, after) is after


@pytest.mark.parametrize(("before", "after"), [p for p in PAIRS if p[1] not in MOVES[p[0]]])
def test_any_other_move_is_refused(before: ${Noun}State, after: ${Noun}State) -> None:
    with pytest.raises(ValueError, match=f"that is {before} cannot become {after}"):
        move(before, after)


def test_a_closed_${noun}_never_opens_again() -> None:
    assert MOVES[${Noun}State.CLOSED] == frozenset()
''')

TEST_INIT = Template('''"""Tests of $context."""
''')


def make(root: Path, context: str, *, noun: str, beside: str | None = None) -> list[Path]:
    """Write the files of a context and give it its place in the contracts; returns the files.

    `beside` names a context whose shelf it joins; without it, it stands on a shelf of its own
    above all others, where nothing may call it. Raises ValueError on a name that cannot be used.
    """
    _refuse_bad_names(root, context, noun)
    contracts = root / ".importlinter"
    text = with_context(contracts.read_text(encoding="utf-8"), context, beside=beside)
    source, tests = root / "src" / "guilder" / context, root / "tests" / context
    files = {
        source / "README.md": README,
        source / "__init__.py": INIT,
        source / "public.py": PUBLIC,
        source / "states.py": STATES,
        tests / "__init__.py": TEST_INIT,
        tests / "test_states.py": TEST_STATES,
    }
    names = {"context": context, "Context": context.capitalize()}
    names |= {"noun": noun, "Noun": noun.capitalize()}
    for path, template in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.substitute(names), encoding="utf-8")
    contracts.write_text(text, encoding="utf-8")
    return [*files, contracts]


def _refuse_bad_names(root: Path, context: str, noun: str) -> None:
    for name in (context, noun):
        if not NAME.fullmatch(name) or name in TAKEN:
            raise ValueError(f"{name!r}: use one lower-case word that is not machinery")
    for folder in (root / "src" / "guilder" / context, root / "tests" / context):
        if folder.exists():
            raise ValueError(f"{folder.relative_to(root)} is there already")


def with_context(contracts: str, context: str, *, beside: str | None) -> str:
    """The text of .importlinter with the context on its shelf, in the rooms and at the doors.

    A context whose place is kept for it, in parentheses, takes that place.
    """
    floors, middle, rest = contracts.partition("[importlinter:contract:rooms]")
    floors = _with_shelf(floors, context, beside)
    rest = rest.replace("\nexhaustive", f"\n    guilder.{context}\nexhaustive", 1)
    rest = rest.replace("\ndoors =\n", f"\n    {context}\ndoors =\n", 1)
    return floors + middle + rest


def _with_shelf(floors: str, context: str, beside: str | None) -> str:
    kept = f"({context})"
    if kept in floors:
        if beside is not None:
            raise ValueError(f"{context} has a place of its own; leave --beside out")
        return floors.replace(kept, context)
    if beside is None:
        return floors.replace("    (portals)\n", f"    (portals)\n    {context}\n")
    shelf = re.search(rf"^ +.*\b{re.escape(beside)}\b.*$", floors, re.MULTILINE)
    if beside in TAKEN or shelf is None:
        raise ValueError(f"{beside!r} is not a context")
    return floors[: shelf.end()] + f" | {context}" + floors[shelf.end() :]


def main() -> int:
    """Make a context in this tree, and say what comes next."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_context", description=__doc__)
    parser.add_argument("context", help="its name: plural for things held, such as refunds")
    parser.add_argument("--noun", help="one of the things it holds; by default without its s")
    parser.add_argument("--beside", help="the context whose shelf it joins")
    asked = parser.parse_args()
    noun: str = asked.noun or asked.context.removesuffix("s")
    try:
        files = make(ROOT, asked.context, noun=noun, beside=asked.beside)
    except ValueError as trouble:
        print(trouble, file=sys.stderr)
        return 2
    for path in files:
        print(f"wrote {path.relative_to(ROOT)}")
    print("Next: docs/guides/add-a-context.md, from step 2; then bin/check --fix.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
