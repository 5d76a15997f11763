"""Stripe's form encoding: names with brackets become nested values."""

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
            if "%" in pair or "+" in pair:
                name = unquote_plus(name, errors="strict")
                value = unquote_plus(value, errors="strict")
            if "[" not in name:
                form[name] = value
            else:
                _put(form, name, value)
    except UnicodeDecodeError as cause:
        raise BadForm("the form is not percent-encoded UTF-8") from cause
    if len(pairs) > FIELDS_MAX:
        raise BadForm("there are too many fields")
    form.pop("", None)
    return form


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set of names."""
    return frozenset(text.split())


def _put(form: Form, name: str, value: str) -> None:
    head, _, rest = name.partition("[")
    if not rest.endswith("]") or not head:
        raise BadForm(f"the name {name} is malformed")
    keys = [head, *rest[:-1].split("][")]
    if len(keys) > DEPTH_MAX:
        raise BadForm(f"the name {name} is nested too deeply")
    place = form
    for key in keys[:-2]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise BadForm(f"the name {name} is used in two ways")
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
