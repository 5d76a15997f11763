"""docs/reference/states.md: every lifecycle, drawn and listed."""

import ast
import inspect
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import ModuleType
from typing import Any, cast

from tools.reference.tree import context_of, page, table

Moves = Mapping[StrEnum, Collection[StrEnum]]


def lifecycles(modules: Iterable[ModuleType]) -> list[tuple[str, type[StrEnum], Moves]]:
    """Every table of moves in a `states` module, as (context, its states, the moves)."""
    found: list[tuple[str, type[StrEnum], Moves]] = []
    for module in modules:
        if module.__name__.endswith(".states"):
            for name, value in vars(module).items():
                if name.endswith("MOVES"):
                    moves = cast("Moves", value)
                    found.append((context_of(module.__name__), type(next(iter(moves))), moves))
    return sorted(found, key=lambda row: (row[0], row[1].__name__))


def render(modules: Iterable[ModuleType]) -> str:
    """The page, one section per lifecycle: a diagram, then a table."""
    return page(
        "States",
        "A noun moves only along these arrows; the database refuses every other move.",
        *(_section(*lifecycle) for lifecycle in lifecycles(modules)),
    )


def _section(context: str, states: type[StrEnum], moves: Moves) -> str:
    comments = _comments(states)
    first = next(iter(states))
    arrows = [f"    [*] --> {first.value}"]
    for before in states:
        arrows += [
            f"    {before.value} --> {after.value}" for after in _in_order(states, moves[before])
        ]
        if not moves[before]:
            arrows.append(f"    {before.value} --> [*]")
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    rows = [
        [
            f"`{state.value}`",
            comments.get(state.name, ""),
            ", ".join(f"`{after.value}`" for after in _in_order(states, moves[state])) or "final",
        ]
        for state in states
    ]
    heading = f"## {states.__name__} (`{context}`)"
    return "\n\n".join([heading, diagram, table(["State", "What is true", "May become"], rows)])


def _in_order(states: type[StrEnum], some: Collection[StrEnum]) -> list[StrEnum]:
    return [state for state in states if state in some]


def _comments(states: type[StrEnum]) -> dict[str, str]:
    """What is written beside each member: a comment on its line, or on the lines just above."""
    lines = inspect.getsource(states).splitlines()
    body = cast("Any", ast.parse("\n".join(lines)).body[0]).body
    found: dict[str, str] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = _beside(lines, node.lineno, node.end_lineno or node.lineno)
            case _:
                pass
    return found


def _beside(lines: list[str], first: int, last: int) -> str:
    after = lines[last - 1].partition("#")[2].strip()
    if after:
        return after
    above: list[str] = []
    for line in reversed(lines[: first - 1]):
        if not line.strip().startswith("#"):
            break
        above.insert(0, line.strip().lstrip("# "))
    return " ".join(above)
