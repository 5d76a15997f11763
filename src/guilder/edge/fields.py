"""Plain values to strict structs, with the field that is wrong named by its path."""

import re
from typing import Any, TypeVar

import msgspec

from guilder.edge.errors import FieldInvalid, FieldMissing, FieldRefused, FieldUnknown
from guilder.kernel.errors import Refusal
from guilder.kernel.ids import Id
from guilder.kernel.money import Currency

T = TypeVar("T")

PARAM_MAX = 200  # A caller's own names are echoed, but not at any length.


class _RefusedValue(ValueError):  # noqa: N818 - named for the situation.
    """Carries a refusal out of msgspec, which then knows the path of the value."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def convert(plain: dict[str, Any], into: type[T]) -> T:
    """A struct of these values; nothing is coerced.

    Raises `FieldMissing`, `FieldUnknown` or `FieldInvalid`, or the refusal of the value itself
    (`MalformedId`, `UnknownCurrency`), each with the path of the field as `param`.
    """
    try:
        return msgspec.convert(plain, into, strict=True, dec_hook=_read)
    except msgspec.ValidationError as cause:
        raise _refusal(cause) from cause


def _read(kind: type, value: object) -> object:
    try:
        if issubclass(kind, Id) and isinstance(value, str):
            return kind.parse(value)
        if kind is Currency and isinstance(value, str):
            return Currency.of(value)
    except Refusal as refusal:
        raise _RefusedValue(refusal) from refusal
    raise ValueError(f"Expected `str`, got `{type(value).__name__}`")


_AT = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"(?:required|unknown) field `(.*)`$", re.DOTALL)
_INDEX_UNKNOWN = "[...]"
_NUMBERS = {
    "`Inexact`": "a number with a fraction or an exponent",
    "`Oversized`": "an integer beyond 64 bits",
}


def _refusal(cause: msgspec.ValidationError) -> Refusal:
    told = str(cause)
    place = _AT.search(told)
    message = told[: place.start()] if place else told
    path = place[1].removeprefix("$").removeprefix(".") if place else ""
    path = path.partition(_INDEX_UNKNOWN)[0]
    if isinstance(cause.__cause__, _RefusedValue):
        refusal = cause.__cause__.refusal
        refusal.param = path[:PARAM_MAX]
        return refusal
    kind: type[FieldRefused] = FieldInvalid
    if named := _NAMED.search(message):
        kind = FieldMissing if message.startswith("Object missing") else FieldUnknown
        path = f"{path}.{named[1]}" if path else named[1]
    for word, plain in _NUMBERS.items():
        message = message.replace(word, plain)
    param = path[:PARAM_MAX].encode(errors="replace").decode()
    return kind(f"{param}: {_sentence(kind, message)}", param=param)


def _sentence(kind: type[FieldRefused], message: str) -> str:
    if kind is FieldMissing:
        return "this field is required"
    if kind is FieldUnknown:
        return "there is no field of this name here"
    return message[0].lower() + message[1:400]
