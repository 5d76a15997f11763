"""What arrives and is answered over HTTP, and the connection beneath, which may be broken."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from guilder_sandbox.trouble import Trouble

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

BODY_BYTES_MAX = 1_048_576  # Stripe's largest form is far smaller; more is a mistake or an attack.


class Request(msgspec.Struct):
    """One request, whole: the path as sent, the query and the body as raw bytes."""

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The header's value, or None; `name` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Answer(msgspec.Struct):
    """What is sent back: status, body, and headers beyond the length."""

    status: int
    body: bytes
    headers: Headers = []
    content_type: bytes = b"application/json"


def json_answer(value: object, *, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))


class TooLarge(Trouble):
    """The body passed the limit."""


class HungUp(Trouble):
    """There is nobody left to answer: the caller went away, or was cut off on purpose."""


class Line:
    """One connection during one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport = scope["extensions"]["sandbox"]["transport"]
        self.scope = scope

    async def hear(self) -> Request:
        body = b""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise HungUp
            body += message["body"]
            if len(body) > BODY_BYTES_MAX:
                raise TooLarge
            if not message["more_body"]:
                break
        scope = self.scope
        return Request(
            scope["method"], scope["path"], scope["query_string"], dict(scope["headers"]), body
        )

    async def say(self, answer: Answer) -> None:
        headers: Headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.headers,
        ]
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": answer.body})

    async def begin(self, content_type: bytes, *headers: tuple[bytes, bytes]) -> None:
        """Start a long answer of unknown length; `go_on` adds to it and `finish` ends it."""
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", content_type), *headers],
            }
        )

    async def go_on(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def gone(self) -> None:
        """Return when the caller has hung up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def cut(self) -> None:
        """Close without a word; the caller sees the end of the stream."""
        self._transport.close()
        await self._silently_gone()

    async def reset(self) -> None:
        """Close hard, so that the caller's TCP sees a reset."""
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._silently_gone()

    async def write_raw(self, raw: bytes) -> None:
        """Put bytes on the wire that are no proper answer, and close."""
        self._transport.write(raw)
        await self.cut()

    async def _silently_gone(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone(), 2)
        raise HungUp
