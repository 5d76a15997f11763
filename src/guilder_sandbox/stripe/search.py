"""Stripe's search query language, as far as equality joined by AND goes."""

import re

import msgspec

from guilder_sandbox.stripe.refusals import invalid

CLAUSES_MAX = 10
QUERY_CHARS_MAX = 2_000

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CLAUSE = re.compile(
    rf"\s*(?:metadata\[\s*(?P<key>{_TEXT})\s*\]|(?P<field>status|currency|amount))"
    rf"\s*:\s*(?P<value>{_TEXT}|\d{{1,18}})"
)
_AND = re.compile(r"\s+AND(?=\s)|\s+and(?=\s)")
_ESCAPED = re.compile(r"\\(.)")


class Clause(msgspec.Struct):
    """One condition: a metadata key or a field, and the value it must have."""

    key: str | None
    field: str | None
    value: str


def parse_query(query: str) -> list[Clause]:
    """metadata['order']:'77' AND status:'succeeded' as two clauses.

    Source: Stripe's page on search. Substrings, ranges, negation and OR exist there and not here.
    """
    if len(query) > QUERY_CHARS_MAX:
        raise _bad("the query is too long")
    clauses: list[Clause] = []
    place = 0
    while True:
        found = _CLAUSE.match(query, place)
        if found is None:
            raise _bad(f"there is no clause of the form field:'value' at character {place + 1}")
        key, field, value = found.group("key", "field", "value")
        clauses.append(Clause(None if key is None else _unquoted(key), field, _unquoted(value)))
        place = found.end()
        if not query[place:].strip():
            break
        joined = _AND.match(query, place)
        if joined is None or len(clauses) == CLAUSES_MAX:
            raise _bad(f"up to {CLAUSES_MAX} clauses are joined by AND")
        place = joined.end()
    return clauses


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text[0] in "'\"" else text


def _bad(why: str) -> Exception:
    return invalid(f"The search query is not understood: {why}", param="query")
