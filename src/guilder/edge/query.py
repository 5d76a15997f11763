"""Query strings: each parameter once, known by name, of the right type."""

import re
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec

from guilder.edge.errors import FieldInvalid, FieldUnknown, MalformedRequest
from guilder.edge.fields import PARAM_MAX, convert

T = TypeVar("T", bound=msgspec.Struct)

PARAMETERS_MAX = 100
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_BOOLS = {"true": True, "false": False}
_ENTRY = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")


class QueryReader(Generic[T]):
    """Reads the query strings of one endpoint into its struct.

    A field of type `dict[str, str]` named `metadata` is written `metadata[colour]=red`.
    """

    def __init__(self, takes: type[T]) -> None:
        self._takes = takes
        self._kinds = {
            field.encode_name: _kind(msgspec.inspect.type_info(field.type))
            for field in msgspec.structs.fields(takes)
        }

    def read(self, query: bytes) -> T:
        """Raises `MalformedRequest`, or a `FieldRefused` that names the parameter."""
        plain: dict[str, Any] = {}
        for name, text in pairs(query):
            if self._kinds.get(name) is dict:
                raise FieldUnknown(f"{name}: write it as {name}[key]=value", param=name)
            if name in self._kinds:
                plain[name] = _value(name, text, self._kinds[name])
            elif (entry := _ENTRY.fullmatch(name)) and self._kinds.get(entry[1]) is dict:
                plain.setdefault(entry[1], {})[entry[2]] = text
            else:
                raise _unknown(name)
        return convert(plain, self._takes)


def refuse_all(query: bytes) -> None:
    """For an endpoint without parameters. Raises `FieldUnknown` naming the first one."""
    if query:
        for name, _ in pairs(query):
            raise _unknown(name)


def pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters in order. Raises `MalformedRequest` for bad encoding or a repetition."""
    if not query:
        return []
    try:
        found = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError as cause:
        raise MalformedRequest("the query string is not well-formed") from cause
    seen: set[str] = set()
    for name, text in found:
        if name in seen:
            raise MalformedRequest(f"{name[:PARAM_MAX]}: give each parameter once", param=name)
        if "\0" in name or "\0" in text:
            raise MalformedRequest("a parameter may not hold the character NUL")
        seen.add(name)
    return found


def _unknown(name: str) -> FieldUnknown:
    name = name[:PARAM_MAX]
    return FieldUnknown(f"{name}: there is no parameter of this name here", param=name)


def _value(name: str, text: str, kind: type) -> object:
    if kind is int:
        if not _WHOLE.fullmatch(text):
            raise FieldInvalid(f"{name}: expected a whole number", param=name)
        return int(text)
    if kind is bool:
        if text not in _BOOLS:
            raise FieldInvalid(f"{name}: expected true or false", param=name)
        return _BOOLS[text]
    return text


def _kind(declared: msgspec.inspect.Type) -> type:
    """Which of int, bool, dict and str a field is written as; `None` is written by absence."""
    if isinstance(declared, msgspec.inspect.Metadata):
        return _kind(declared.type)
    if isinstance(declared, msgspec.inspect.UnionType):
        kinds = {_kind(one) for one in declared.types if not _is_absence(one)}
        assert len(kinds) == 1, "a parameter has one type"
        return kinds.pop()
    if isinstance(declared, msgspec.inspect.IntType):
        return int
    if isinstance(declared, msgspec.inspect.BoolType):
        return bool
    if isinstance(declared, msgspec.inspect.DictType):
        return dict
    return str


def _is_absence(declared: msgspec.inspect.Type) -> bool:
    return isinstance(declared, msgspec.inspect.NoneType)
