"""docs/reference/events.md: every fact that contexts announce."""

import dataclasses
import typing
from collections.abc import Iterable
from types import ModuleType

from tools.reference.tree import context_of, first_line, page, table, type_name


def events(modules: Iterable[ModuleType]) -> list[type]:
    """Every event class that an `events` module defines, by topic."""
    found = [
        value
        for module in modules
        if module.__name__.endswith(".events")
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and _has_topic(value)
    ]
    return sorted(found, key=lambda event: (topic(event), version(event)))


def _has_topic(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and isinstance(getattr(kind, "topic", None), str)


def topic(event: type) -> str:
    """What the event is called outside, such as payment.captured."""
    return str(vars(event)["topic"])


def version(event: type) -> int:
    """Which form of the event this is; it grows when a field goes or changes its meaning."""
    return int(vars(event)["version"])


def render(modules: Iterable[ModuleType]) -> str:
    """The page, one section per event, with its fields as they travel."""
    parts = [_section(event) for event in events(modules)]
    return page(
        "Events",
        "Each event is a fact, written in the transaction that made it true and delivered at "
        "least once. Order is kept per subject. A listener keeps the ids it has seen.",
        *parts,
    )


def _section(event: type) -> str:
    hints = typing.get_type_hints(event)
    fields = dataclasses.fields(typing.cast("typing.Any", event))
    rows = [[f"`{field.name}`", f"`{type_name(hints[field.name])}`"] for field in fields]
    heading = f"## `{topic(event)}`, version {version(event)}"
    told_by = f"{first_line(event)} Announced by `{context_of(event.__module__)}`."
    return "\n\n".join([heading, told_by.strip(), table(["Field", "Type"], rows)])
