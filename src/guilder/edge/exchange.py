"""One request and its answer: every check in a fixed order, then the desk, then the reply."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from litestar.types import Receive, Scope, Send

from guilder.edge import correlation, problems, query
from guilder.edge.body import BodyReader
from guilder.edge.caller import Caller
from guilder.edge.endpoint import Call, Contract, Endpoint, Key, Reply
from guilder.edge.errors import (
    BodyTooLarge,
    MethodNotAllowed,
    ScopeMissing,
    Unauthenticated,
)
from guilder.edge.problems import Circumstance
from guilder.edge.query import QueryReader
from guilder.edge.reading import CallerGone, drain, read_body, read_headers, read_key
from guilder.edge.routes import Routes
from guilder.kernel.clock import Clock
from guilder.kernel.errors import Refusal
from guilder.plumbing import idempotency

Authenticate = Callable[[str], Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class Gate:
    """What every exchange shares: who knows the callers, the clock, and the limits."""

    authenticate: Authenticate
    clock: Clock
    body_bytes_max: int
    body_seconds_max: int


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a change that needs to be told nothing: empty, or an empty object."""


@dataclass(frozen=True, slots=True)
class _Readers:
    """What reads an endpoint's body and query, made once; None where there is nothing to read."""

    body: BodyReader[Any] | None
    query: QueryReader[Any] | None


class Exchange:
    """The API as an ASGI app: answers one request of any of its endpoints.

    The order of refusals is fixed: path 404, method 405, size 413, authentication 401, scope 403,
    key 400, media type 415, JSON 400, fields 422; then the desk decides.
    """

    def __init__(self, endpoints: Sequence[Endpoint], gate: Gate) -> None:
        self._gate = gate
        self._routes = Routes(endpoints)
        self._readers = {endpoint.name: _readers(endpoint.contract) for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = cast("Mapping[str, Any]", scope)
        path = asked["raw_path"].decode("latin-1")
        at = Circumstance(path, "")
        try:
            headers = read_headers(asked["headers"])
            at = Circumstance(path, correlation.begin(headers.get("traceparent")))
            reply = await self._answer(asked, headers, receive, at)
        except CallerGone:
            return
        except Refusal as refusal:
            if not at.correlation_id:
                at = Circumstance(at.instance, correlation.begin(None))
            reply = problems.refused(refusal, at)
            if isinstance(refusal, BodyTooLarge):
                await answer_early(receive, send, reply, at.correlation_id)
                return
        except Exception as cause:  # noqa: BLE001 - the last line: a fault is answered as one.
            reply = problems.fault(cause, at)
        await answer(send, reply, at.correlation_id)

    async def _answer(
        self, asked: Mapping[str, Any], headers: dict[str, str], receive: Receive, at: Circumstance
    ) -> Reply:
        endpoint, parameters = self._find(asked)
        contract = endpoint.contract
        readers = self._readers[endpoint.name]
        gate = self._gate
        raw = await read_body(
            receive, headers, bytes_max=gate.body_bytes_max, seconds_max=gate.body_seconds_max
        )
        caller = None if contract.scope is None else await self._caller(contract.scope, headers)
        key_text = read_key(headers) if contract.key is Key.REQUIRED else None
        arguments: list[object] = []
        canonical = raw
        if readers.body is not None:
            body, canonical = readers.body.read(
                raw, headers.get("content-type"), headers.get("content-encoding")
            )
            if contract.takes is not None:
                arguments.append(body)
        if readers.query is not None:
            arguments.append(readers.query.read(asked["query_string"]))
        elif contract.scope is not None:
            query.refuse_all(asked["query_string"])
        call = Call(
            known_caller=caller,
            now=gate.clock.now(),
            correlation_id=at.correlation_id,
            key=_key(contract.method, at.instance, caller, key_text, canonical),
            path=parameters,
            headers=headers,
            raw=raw,
        )
        return await endpoint.run(call, *arguments)

    def _find(self, asked: Mapping[str, Any]) -> tuple[Endpoint, dict[str, str]]:
        endpoints, parameters = self._routes.find(asked["raw_path"])
        endpoint = endpoints.get(asked["method"])
        if endpoint is None:
            raise MethodNotAllowed(
                f"{asked['method'][:20]} is not possible here; see the Allow header",
                allow=endpoints,
            )
        return endpoint, parameters

    async def _caller(self, scope: str, headers: Mapping[str, str]) -> Caller:
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            raise Unauthenticated("send your API key as Authorization: Bearer gk_…")
        caller = await self._gate.authenticate(presented.strip())
        if scope not in caller.scopes:
            raise ScopeMissing(f"this key does not have the scope {scope}")
        return caller


async def answer(send: Send, reply: Reply, correlation_id: str) -> None:
    """Send a reply with the headers every answer has."""
    await send(_head(reply, correlation_id))
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


async def answer_early(receive: Receive, send: Send, reply: Reply, correlation_id: str) -> None:
    """Send a reply to a caller who is still sending, then part."""
    reply = Reply(reply.status, reply.body, (*reply.headers, ("connection", "close")))
    await send(_head(reply, correlation_id))
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    await drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


_UNLESS_GIVEN = (
    ("cache-control", (b"cache-control", b"no-store")),
    ("content-type", (b"content-type", b"application/json")),
)


def head_fields(reply: Reply, correlation_id: str) -> list[tuple[bytes, bytes]]:
    """The header fields of a reply, those that every answer has among them."""
    fields = [
        (b"content-length", str(len(reply.body)).encode()),
        (b"request-id", correlation_id.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    fields += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    given = {name for name, _ in reply.headers}
    fields += [field for name, field in _UNLESS_GIVEN if name not in given]
    return fields


def _head(reply: Reply, correlation_id: str) -> Any:
    return {
        "type": "http.response.start",
        "status": reply.status,
        "headers": head_fields(reply, correlation_id),
    }


def _readers(contract: Contract) -> _Readers:
    body: BodyReader[Any] | None = None
    if contract.takes is not None:
        body = BodyReader(contract.takes)
    elif contract.method in {"POST", "PATCH"} and contract.scope is not None:
        body = BodyReader(Nothing)
    return _Readers(body, QueryReader(contract.query) if contract.query else None)


def _key(
    method: str, path: str, caller: Caller | None, key: str | None, canonical: bytes
) -> idempotency.Key | None:
    if key is None or caller is None:
        return None
    return idempotency.Key(
        tenant_id=caller.tenant_id,
        is_test=caller.scope.is_test,
        key=key,
        fingerprint=idempotency.fingerprint(method, path, canonical),
    )
