"""Stripe's form encoding: names with brackets become nested values."""

from functools import lru_cache
from typing import TypeAlias
from urllib.parse import unquote_plus

from guilder_sandbox.trouble import Trouble

Value: TypeAlias = "str | list[str] | dict[str, Value]"
Form: TypeAlias = dict[str, Value]

FIELDS_MAX = 1000
DEPTH_MAX = 5


class BadForm(Trouble):
    """The text is not a form, or says two things about one name; the message says which."""


def parse_form(raw: bytes) -> Form:
    """a=1&b[c]=2&d[]=3 becomes {"a": "1", "b": {"c": "2"}, "d": ["3"]}."""
    form: Form = {}
    if not raw:
        return form
    try:
        text = raw.decode("ascii")
        pairs = text.split("&", FIELDS_MAX)
        for pair in pairs:
            name, _, value = pair.partition("=")
            if "%" in value or "+" in value:
                value = unquote_plus(value, errors="strict")
            keys = _keys_of(name)
            if len(keys) == 1:
                form[keys[0]] = value
            else:
                _put(form, keys, value)
    except UnicodeDecodeError as cause:
        raise BadForm("the form is not percent-encoded UTF-8") from cause
    if len(pairs) > FIELDS_MAX:
        raise BadForm("there are too many fields")
    form.pop("", None)
    return form


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set of names."""
    return frozenset(text.split())


@lru_cache(maxsize=512)
def _keys_of(name: str) -> tuple[str, ...]:
    """a[b][] becomes a, b and nothing. Names repeat from request to request."""
    plain = unquote_plus(name, errors="strict")
    if "[" not in plain:
        return (plain,)
    head, _, rest = plain.partition("[")
    if not rest.endswith("]") or not head:
        raise BadForm(f"the name {plain} is malformed")
    keys = (head, *rest[:-1].split("]["))
    if len(keys) > DEPTH_MAX:
        raise BadForm(f"the name {plain} is nested too deeply")
    return keys


def _put(form: Form, keys: tuple[str, ...], value: str) -> None:
    place = form
    for key in keys[:-2]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise BadForm(f"the name {key} is used in two ways")
        place = inner
    _put_last(place, keys[-2], keys[-1], value)


def _put_last(place: Form, key: str, last: str, value: str) -> None:
    if last == "":
        listed = place.setdefault(key, [])
        if not isinstance(listed, list):
            raise BadForm(f"the name {key} is used in two ways")
        listed.append(value)
        return
    inner = place.setdefault(key, {})
    if not isinstance(inner, dict):
        raise BadForm(f"the name {key} is used in two ways")
    inner[last] = value
