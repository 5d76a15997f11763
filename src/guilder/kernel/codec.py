"""Our values as plain JSON values and back: ids as prefixed text, currencies as codes."""

from typing import Any, TypeVar

import msgspec

from guilder.kernel.ids import Id
from guilder.kernel.money import Currency

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """A dataclass, struct or container as dicts, lists, text and whole numbers."""
    return msgspec.to_builtins(value, enc_hook=_out)


def from_plain(value: object, into: type[T]) -> T:
    """The reverse of `to_plain`; raises `msgspec.ValidationError` when it does not fit."""
    return msgspec.convert(value, into, dec_hook=_in)


def to_json(value: object) -> bytes:
    """The value as compact JSON in UTF-8."""
    return msgspec.json.encode(value, enc_hook=_out)


def from_json(text: str | bytes, into: type[T]) -> T:
    """The reverse of `to_json`; raises `msgspec.ValidationError` when it does not fit."""
    return msgspec.json.decode(text, type=into, dec_hook=_in)


def _out(value: object) -> str:
    if isinstance(value, Id | Currency):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _in(kind: type, value: object) -> object:
    if issubclass(kind, Id) and isinstance(value, str):
        return kind.parse(value)
    if kind is Currency and isinstance(value, str):
        return Currency.of(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read from JSON")
