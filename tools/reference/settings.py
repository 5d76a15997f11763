"""docs/reference/settings.md: every environment variable a process reads."""

import types
import typing
from collections.abc import Iterable, Mapping

from guilder.roles.settings import PREFIX, Setting
from tools.reference.tree import page, table, type_name


def render(settings: Iterable[Setting], kinds: Mapping[str, object]) -> str:
    """The page, one row per setting in the table's order; `kinds` are the types by field."""
    rows = [
        [
            f"`{PREFIX}{setting.name}`",
            _kind(kinds[setting.field]),
            _default(setting.default),
            setting.meaning,
        ]
        for setting in settings
    ]
    return page(
        "Settings",
        "Settings are environment variables, read once at the start. A variable that begins with "
        f"`{PREFIX}` and is not listed here stops the process, and so does a value that cannot be "
        "used. An empty value counts as absent.",
        table(["Variable", "Type", "Default", "Meaning"], rows),
    )


def _kind(annotation: object) -> str:
    """What a reader is to write: an optional is said by its default, a tuple by its commas."""
    if isinstance(annotation, types.UnionType):
        known = [one for one in typing.get_args(annotation) if one is not types.NoneType]
        return " or ".join(_kind(one) for one in known)
    if typing.get_origin(annotation) is tuple:
        return f"{_kind(typing.get_args(annotation)[0])}, several by commas"
    return _WORDS.get(type_name(annotation), type_name(annotation))


_WORDS = {
    "Path": "path",
    "Secret": "secret",
    "bool": "yes or no",
    "int": "whole number",
    "str": "text",
}


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    return f"`{value}`"
