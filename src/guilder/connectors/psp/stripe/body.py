"""Reading JSON that we did not write: every answer is a value or `None`, never an exception."""

from typing import cast

import msgspec

Body = dict[str, object]


def parse(raw: bytes) -> Body | None:
    """The JSON object in these bytes, or `None` when there is none."""
    try:
        return as_body(msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def as_body(value: object) -> Body | None:
    """The value as a JSON object, or `None` when it is something else."""
    return cast("Body", value) if isinstance(value, dict) else None


def part(body: Body, *names: str) -> Body:
    """The object found by following these names; empty when one of them leads nowhere."""
    for name in names:
        body = as_body(body.get(name)) or {}
    return body


def parts(body: Body, name: str) -> list[Body] | None:
    """The objects in a list of that name, or `None` when there is no such list."""
    rows = body.get(name)
    if not isinstance(rows, list):
        return None
    found = [as_body(row) for row in cast("list[object]", rows)]
    return [row for row in found if row is not None]


def word(body: Body, name: str) -> str | None:
    """The text of that name; an empty one is none."""
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def whole(body: Body, name: str) -> int | None:
    """The whole number of that name; true and 1.0 are none."""
    value = body.get(name)
    return value if type(value) is int else None


def reference(body: Body, name: str) -> str | None:
    """The id under that name, which may stand there alone or expanded into its object."""
    return word(body, name) or word(part(body, name), "id")
