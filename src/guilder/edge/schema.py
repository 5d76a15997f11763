"""JSON Schemas of our structs, with ids and currencies as the text they are written as."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
from iso4217 import Currency as IsoCurrency

from guilder.kernel.ids import KINDS, Id
from guilder.kernel.money import Currency, UnknownCurrency

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
_INSTANT = "2026-11-20T19:00:00.000000Z"
_USUAL = {"country": "NL", "currency": "EUR", "url": "/v1/payments", "display_amount": "EUR 10.50"}
_EXAMPLE_ID = UUID("019356da-9d80-7c6b-9c3a-5f0e4b1d2a77")
_TOKEN = "[0-7][0-9a-hjkmnp-tv-z]{25}"  # noqa: S105 - the pattern of an id, no secret.


def components(types: Sequence[Any]) -> dict[str, Schema]:
    """The schemas of these types and of all they hold, by name."""
    _, found = msgspec.json.schema_components(types, schema_hook=_own, ref_template=REF)
    for one in found.values():
        if one.get("additionalProperties") is False:
            _shut_out_nul(one)
    return found


def schema_of(declared: Any) -> Schema:
    """The schema of one type, by reference where it has a name."""
    [found], _ = msgspec.json.schema_components([declared], schema_hook=_own, ref_template=REF)
    return found


def id_schema(kind: type[Id]) -> Schema:
    """How an id of this kind is written."""
    example = str(kind(_EXAMPLE_ID))
    return {"type": "string", "pattern": f"^{kind.prefix}_{_TOKEN}$", "examples": [example]}


def parameter_schema(name: str) -> Schema:
    """The schema of a path parameter: an id where the name is that of a kind of ids."""
    kind = _KINDS_BY_NAME.get(name)
    return id_schema(kind) if kind else {"type": "string", "minLength": 1, "maxLength": 200}


def example_of(schema: Schema, named: Mapping[str, Schema], *, whole: bool) -> Any:
    """An instance of a schema: the examples it gives, else the least it allows.

    Of an object, the required fields and those with an example of their own; all when `whole`.
    """
    if "$ref" in schema:
        return example_of(named[schema["$ref"].rpartition("/")[2]], named, whole=whole)
    if "examples" in schema:
        return schema["examples"][0]
    for word in ("enum", "anyOf", "oneOf"):
        if word in schema:
            first = schema[word][0]
            return first if word == "enum" else example_of(first, named, whole=whole)
    if schema.get("type") == "object":
        required = schema.get("required", [])
        fields = schema.get("properties", {})
        word = str(fields.get("object", {}).get("enum", ["?"])[0])
        return {
            name: _telling(name, word, field) or example_of(field, named, whole=whole)
            for name, field in fields.items()
            if whole or name in required or "examples" in field
        }
    if schema.get("type") == "array":
        return [example_of(schema["items"], named, whole=whole)] if "items" in schema else []
    return _least(schema)


def _telling(name: str, word: str, field: Schema) -> str | None:
    """What a text field is by its name, where its schema gives no example: an id, an instant."""
    if field.get("type") != "string" or {"examples", "enum", "format"} & field.keys():
        return None
    kind = _KINDS_BY_NAME.get(f"{word}_id" if name == "id" else name)
    if kind is not None:
        return str(kind(_EXAMPLE_ID))
    return _INSTANT if name.endswith("_at") else _USUAL.get(name)


def _least(schema: Schema) -> Any:
    if schema.get("format") == "date-time":
        return _INSTANT
    least: dict[str, Any] = {
        "integer": schema.get("minimum", 0),
        "boolean": False,
        "string": "text"[: schema.get("maxLength", 4)],
    }
    return least.get(schema.get("type", ""))


def _shut_out_nul(schema: Any) -> None:
    """What is asked of us holds no NUL in any text; the schema says so where it says no more."""
    if isinstance(schema, list):
        for one in cast("list[Any]", schema):
            _shut_out_nul(one)
    elif isinstance(schema, dict):
        plain = cast("Schema", schema)
        if plain.get("type") == "string" and not {"enum", "pattern", "format"} & plain.keys():
            plain["pattern"] = _NO_NUL
        if plain.get("type") == "object" and plain.get("additionalProperties") is not False:
            plain["propertyNames"] = {"pattern": _NO_NUL, **plain.get("propertyNames", {})}
        for name, one in plain.items():
            if name not in {"examples", "default", "enum"}:
                _shut_out_nul(one)


_NO_NUL = "^[^\\u0000]*$"


def _own(kind: type) -> Schema:
    if issubclass(kind, Id):
        return id_schema(kind)
    if kind is Currency:
        return {"type": "string", "enum": _CODES, "examples": ["EUR"]}
    raise NotImplementedError(f"{kind.__name__} has no schema")


def _is_in_use(code: str) -> bool:
    try:
        Currency.of(code)
    except UnknownCurrency:
        return False
    return True


_CODES = sorted(iso.code for iso in IsoCurrency if _is_in_use(iso.code))
_KINDS_BY_NAME = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in KINDS.values()
}
