"""One request and its answer: every check in a fixed order, then the desk, then the reply."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from litestar.types import Receive, Scope, Send

from guilder.edge import correlation, problems, query
from guilder.edge.body import BodyReader
from guilder.edge.caller import Caller
from guilder.edge.endpoint import Call, Endpoint, Key, Reply
from guilder.edge.errors import (
    BodyTooLarge,
    MethodNotAllowed,
    RouteNotFound,
    ScopeMissing,
    Unauthenticated,
)
from guilder.edge.problems import Circumstance
from guilder.edge.query import QueryReader
from guilder.edge.reading import CallerGone, drain, read_body, read_headers, read_key
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
class _Row:
    """An endpoint with its readers, made once."""

    endpoint: Endpoint
    body: BodyReader[Any] | None
    query: QueryReader[Any] | None


class Exchange:
    """All endpoints of one path: `await exchange(scope, receive, send)` answers one request.

    The order of refusals is fixed: method 405, size 413, authentication 401, scope 403, key 400,
    media type 415, JSON 400, fields 422; then the desk decides.
    """

    def __init__(self, endpoints: Sequence[Endpoint], gate: Gate) -> None:
        self._gate = gate
        self._rows = {endpoint.contract.method: _row(endpoint) for endpoint in endpoints}
        if "GET" in self._rows:
            self._rows["HEAD"] = self._rows["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = cast("Mapping[str, Any]", scope)
        at = Circumstance(asked["path"], "")
        try:
            headers = read_headers(asked["headers"])
            at = Circumstance(asked["path"], correlation.begin(headers.get("traceparent")))
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
        row = self._row(asked)
        contract = row.endpoint.contract
        gate = self._gate
        raw = await read_body(
            receive, headers, bytes_max=gate.body_bytes_max, seconds_max=gate.body_seconds_max
        )
        caller = None if contract.scope is None else await self._caller(contract.scope, headers)
        key_text = read_key(headers) if contract.key is Key.REQUIRED else None
        arguments: list[object] = []
        canonical = raw
        if row.body is not None:
            body, canonical = row.body.read(
                raw, headers.get("content-type"), headers.get("content-encoding")
            )
            if contract.takes is not None:
                arguments.append(body)
        if row.query is not None:
            arguments.append(row.query.read(asked["query_string"]))
        elif contract.scope is not None:
            query.refuse_all(asked["query_string"])
        call = Call(
            known_caller=caller,
            now=gate.clock.now(),
            correlation_id=at.correlation_id,
            key=_key(contract.method, at.instance, caller, key_text, canonical),
            path=asked["path_params"],
            headers=headers,
            raw=raw,
        )
        return await row.endpoint.run(call, *arguments)

    def _row(self, asked: Mapping[str, Any]) -> _Row:
        if asked["raw_path"] != asked["path"].encode():
            raise RouteNotFound("there is nothing at this path; write it as documented")
        row = self._rows.get(asked["method"])
        if row is None:
            raise MethodNotAllowed(
                f"{asked['method'][:20]} is not possible here; see the Allow header",
                allow=self._rows,
            )
        return row

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


_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_JSON = (b"content-type", b"application/json")


def head_fields(reply: Reply, correlation_id: str) -> list[tuple[bytes, bytes]]:
    """The header fields of a reply, those that every answer has among them."""
    fields = [
        (b"content-length", str(len(reply.body)).encode()),
        (b"request-id", correlation_id.encode()),
        *_ALWAYS,
    ]
    typed = False
    for name, value in reply.headers:
        typed = typed or name == "content-type"
        fields.append((name.encode("latin-1"), value.encode("latin-1")))
    if not typed:
        fields.append(_JSON)
    return fields


def _head(reply: Reply, correlation_id: str) -> Any:
    return {
        "type": "http.response.start",
        "status": reply.status,
        "headers": head_fields(reply, correlation_id),
    }


def _row(endpoint: Endpoint) -> _Row:
    contract = endpoint.contract
    body: BodyReader[Any] | None = None
    if contract.takes is not None:
        body = BodyReader(contract.takes)
    elif contract.method in {"POST", "PATCH"} and contract.scope is not None:
        body = BodyReader(Nothing)
    return _Row(endpoint, body, QueryReader(contract.query) if contract.query else None)


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
