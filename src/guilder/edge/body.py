"""Bodies: bytes to one strict JSON object (RFC 8259), then to a struct, or a refusal by field."""

import json
from typing import Any, Generic, TypeVar, cast

import msgspec

from guilder.edge.errors import MalformedJson, UnsupportedMediaType
from guilder.edge.fields import convert

DEPTH_MAX = 32  # No body of ours is deeper than six; parsers and readers both suffer from more.
DIGITS_MAX = 19  # What a signed 64-bit integer can have.
INT_MAX = 2**63 - 1

T = TypeVar("T", bound=msgspec.Struct)


class Inexact:
    """A number written with a fraction or an exponent, or as -0: it fits no field of ours."""


class Oversized:
    """An integer beyond 64 bits: it fits no field of ours."""


class BodyReader(Generic[T]):
    """Reads bodies of one endpoint into its struct.

    An empty body stands for `{}` where no field is required.
    """

    def __init__(self, takes: type[T]) -> None:
        self._takes = takes
        self._may_be_empty = not any(field.required for field in msgspec.structs.fields(takes))

    @property
    def may_be_empty(self) -> bool:
        """Whether the endpoint can be asked without a body."""
        return self._may_be_empty

    def read(self, raw: bytes, content_type: str | None, encoding: str | None) -> tuple[T, bytes]:
        """The struct, and the canonical body: sorted keys, no spaces, UTF-8.

        Raises `UnsupportedMediaType`, `MalformedJson`, or a `FieldRefused` with its param.
        """
        if not raw and self._may_be_empty:
            return convert({}, self._takes), b"{}"
        check_media_type(content_type, encoding)
        parsed = parse_object(raw)
        struct = convert(parsed, self._takes)
        return struct, canonical(parsed)


def check_media_type(content_type: str | None, encoding: str | None) -> None:
    """Raises `UnsupportedMediaType` unless it is plain `application/json` in UTF-8."""
    if encoding is not None and encoding.strip().lower() != "identity":
        raise UnsupportedMediaType("send the body uncompressed, without Content-Encoding")
    if content_type == "application/json":
        return
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise UnsupportedMediaType("send the body as Content-Type: application/json")


def parse_object(raw: bytes) -> dict[str, Any]:
    """One JSON object and nothing else. Raises `MalformedJson` and says why.

    Stricter than Python's own reader, which takes NaN, duplicate keys, UTF-16 and lone surrogates.
    """
    try:
        text = raw.decode("utf-8")
        parsed = _DECODER.decode(text)
    except UnicodeDecodeError as cause:
        raise MalformedJson(f"the body is not UTF-8: byte {cause.start} is wrong") from cause
    except json.JSONDecodeError as cause:
        raise MalformedJson(
            f"the body is not JSON: {cause.msg} at character {cause.pos}"
        ) from cause
    except RecursionError as cause:
        raise MalformedJson(_TOO_DEEP) from cause
    if not isinstance(parsed, dict):
        raise MalformedJson("the body is JSON, but not an object")
    found = cast("dict[str, Any]", parsed)
    if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX:
        _refuse_depth(found, DEPTH_MAX)
    if b"\\u" in raw:
        _refuse_bad_text(found)
    return found


def canonical(parsed: dict[str, Any]) -> bytes:
    """The same object for the same meaning: sorted keys, no spaces."""
    return _ENCODER.encode(parsed).encode()


_TOO_DEEP = f"the body is nested deeper than {DEPTH_MAX} levels"
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise MalformedJson(f"the name {_shown(twice)} appears twice in one object")
    return found


def _constant(name: str) -> object:
    raise MalformedJson(f"{name} is not JSON")


def _float(_: str) -> object:
    return _INEXACT


def _int(digits: str) -> object:
    if len(digits) < DIGITS_MAX and digits != "-0":
        return int(digits)
    if digits == "-0":
        return _INEXACT
    if len(digits) > DIGITS_MAX + 1:
        return _OVERSIZED
    number = int(digits)
    return number if -INT_MAX <= number <= INT_MAX else _OVERSIZED


_INEXACT = Inexact()
_OVERSIZED = Oversized()
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def _refuse_depth(value: object, left: int) -> None:
    inside = _inside(value)
    if inside is None:
        return
    if left == 0:
        raise MalformedJson(_TOO_DEEP)
    for one in inside:
        _refuse_depth(one, left - 1)


def _refuse_bad_text(value: object) -> None:
    """PostgreSQL holds no NUL in text, and a lone surrogate has no form in UTF-8."""
    if isinstance(value, str):
        if "\0" in value:
            raise MalformedJson("text may not hold the character NUL")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise MalformedJson("text holds half of a surrogate pair")
        return
    for one in _inside(value) or ():
        _refuse_bad_text(one)


def _inside(value: object) -> list[Any] | None:
    """The parts of an object (names and values) or of a list; None for anything else."""
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return [*named, *named.values()]
    if isinstance(value, list):
        return cast("list[Any]", value)
    return None


def _shown(name: str) -> str:
    return json.dumps(name[:60])
