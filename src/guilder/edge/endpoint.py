"""Endpoints as tables: what each one needs, takes, gives and may refuse, in its decorator."""

# ruff: noqa: PLR0913, PLR0917 - a decorator is a row of the table, with an argument per column.

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Self, TypeVar

import msgspec

from guilder.edge.caller import Caller
from guilder.kernel import codec
from guilder.kernel.errors import Refusal
from guilder.plumbing import idempotency

Handler = TypeVar("Handler", bound=Callable[..., Awaitable["Reply"]])


class Key(Enum):
    """Whether an endpoint needs an `Idempotency-Key`."""

    REQUIRED = "required"  # The usual for POST and PATCH by a known caller (S4-29).
    UNUSED = "unused"  # Reads, deletes, and messages that carry their own identity.


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked as far as the table says, before the desk sees it.

    `headers` are by lower-case name; `path` holds the path's parameters as text; `raw` is the
    body as it came; `key` is the caller's idempotency key with the request's fingerprint.
    """

    known_caller: Caller | None
    now: datetime
    correlation_id: str
    key: idempotency.Key | None
    path: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    @property
    def caller(self) -> Caller:
        """Who is calling; asking an anonymous endpoint for this is a bug."""
        assert self.known_caller is not None, "an endpoint without a scope has no caller"
        return self.known_caller

    @property
    def reserved(self) -> idempotency.Key:
        """The idempotency key, where the table requires one; elsewhere asking is a bug."""
        assert self.key is not None, "an endpoint that uses no key has none"
        return self.key


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a status, the body byte for byte, and headers beyond the usual ones.

    `kept` is what a replay answers instead, for a body that shows a secret once.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    kept: bytes | None = None

    @classmethod
    def of(cls, status: int, view: object) -> Self:
        """A view as JSON: ids as text, instants in RFC 3339."""
        return cls(status, codec.to_json(view))

    def keeping(self, view: object) -> Self:
        """The same answer, with this view to be kept for replays."""
        return replace(self, kept=codec.to_json(view))


@dataclass(frozen=True, slots=True)
class Contract:
    """One row of the endpoint table."""

    method: str
    path: str
    scope: str | None
    summary: str
    gives: Mapping[int, Any]
    takes: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    refuses: tuple[type[Refusal], ...]
    key: Key
    tag: str | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row of the table with the desk's method that answers it; `name` is `tag.method`, unique."""

    contract: Contract
    name: str
    tag: str
    run: Callable[..., Awaitable[Reply]]


_MARK = "__contract__"


def get(
    path: str,
    *,
    scope: str | None,
    gives: Mapping[int, Any],
    summary: str,
    refuses: tuple[type[Refusal], ...] = (),
    query: type[msgspec.Struct] | None = None,
    tag: str | None = None,
) -> Callable[[Handler], Handler]:
    """A read. With `query`, the handler is given the parsed query as its second argument."""
    return _mark(
        Contract("GET", path, scope, summary, gives, None, query, refuses, Key.UNUSED, tag)
    )


def post(
    path: str,
    *,
    scope: str | None,
    takes: type[msgspec.Struct] | None,
    gives: Mapping[int, Any],
    summary: str,
    refuses: tuple[type[Refusal], ...] = (),
    key: Key | None = None,
    tag: str | None = None,
) -> Callable[[Handler], Handler]:
    """A change. The handler is given the parsed body second; without `takes`, only the call.

    Without a scope the body is not looked at: it is in `call.raw`, whatever its type.
    """
    return _mark(_change("POST", path, scope, summary, gives, takes, refuses, key, tag))


def patch(
    path: str,
    *,
    scope: str | None,
    takes: type[msgspec.Struct] | None,
    gives: Mapping[int, Any],
    summary: str,
    refuses: tuple[type[Refusal], ...] = (),
    key: Key | None = None,
    tag: str | None = None,
) -> Callable[[Handler], Handler]:
    """A change of some fields; in all else like `post`."""
    return _mark(_change("PATCH", path, scope, summary, gives, takes, refuses, key, tag))


def delete(
    path: str,
    *,
    scope: str | None,
    gives: Mapping[int, Any],
    summary: str,
    refuses: tuple[type[Refusal], ...] = (),
    tag: str | None = None,
) -> Callable[[Handler], Handler]:
    """An end that can be asked for twice with the same result, so it needs no key."""
    return _mark(
        Contract("DELETE", path, scope, summary, gives, None, None, refuses, Key.UNUSED, tag)
    )


def endpoints_of(desk: object) -> list[Endpoint]:
    """The endpoints of a desk, bound to it, in the order they are written."""
    found: list[Endpoint] = []
    for name, function in vars(type(desk)).items():
        contract: Contract | None = getattr(function, _MARK, None)
        if contract is not None:
            place = type(desk).__module__.split(".")
            tag = contract.tag or place[-2 if len(place) > 1 else 0]
            found.append(Endpoint(contract, f"{tag}.{name}", tag, getattr(desk, name)))
    return found


def all_endpoints(desks: Sequence[object]) -> list[Endpoint]:
    """The endpoints of all desks; two with one name, or one method at one path, are a bug."""
    found = [endpoint for desk in desks for endpoint in endpoints_of(desk)]
    names = [endpoint.name for endpoint in found]
    names += [f"{endpoint.contract.method} {endpoint.contract.path}" for endpoint in found]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated, f"endpoints clash: {sorted(repeated)}"
    return found


def _change(
    method: str,
    path: str,
    scope: str | None,
    summary: str,
    gives: Mapping[int, Any],
    takes: type[msgspec.Struct] | None,
    refuses: tuple[type[Refusal], ...],
    key: Key | None,
    tag: str | None,
) -> Contract:
    key = key or (Key.UNUSED if scope is None else Key.REQUIRED)
    assert not (scope is None and key is Key.REQUIRED), "a key belongs to a tenant"
    return Contract(method, path, scope, summary, gives, takes, None, refuses, key, tag)


def _mark(contract: Contract) -> Callable[[Handler], Handler]:
    def mark(handler: Handler) -> Handler:
        assert inspect.iscoroutinefunction(handler), "a handler is an async method"
        setattr(handler, _MARK, contract)
        return handler

    return mark
