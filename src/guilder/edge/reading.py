"""Reading a request's head and body: bounded in bytes and in time."""

import asyncio
from collections.abc import Iterable, Mapping

from litestar.types import Receive

from guilder.edge.errors import (
    BodyTooLarge,
    BodyTooSlow,
    KeyMalformed,
    KeyMissing,
    MalformedRequest,
)

KEY_LENGTH_MAX = 255
DRAIN_SECONDS = 3
_ONCE = frozenset({"authorization", "content-type", "idempotency-key", "traceparent"})


class CallerGone(Exception):  # noqa: N818 - named for the situation.
    """The caller hung up before the request was whole; there is nobody to answer."""


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; repeated ones joined with commas (RFC 9110 section 5.3).

    Raises `MalformedRequest` when one that has a single value is repeated.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        if name in found:
            if name in _ONCE:
                raise MalformedRequest(f"the header {name} may be given once")
            value = f"{found[name]}, {value}"
        found[name] = value
    return found


async def read_body(
    receive: Receive, headers: Mapping[str, str], *, bytes_max: int, seconds_max: int
) -> bytes:
    """The whole body. Raises `BodyTooLarge`, `BodyTooSlow`, or `CallerGone`."""
    declared = headers.get("content-length")
    if declared is None and "transfer-encoding" not in headers:
        return b""
    if declared is not None and declared.isdecimal() and int(declared[:19]) > bytes_max:
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout(seconds_max):
            return await _gather(receive, bytes_max)
    except TimeoutError as cause:
        raise BodyTooSlow(f"the body did not arrive within {seconds_max} seconds") from cause


async def drain(receive: Receive) -> None:
    """Let a caller who is still sending finish, for a while, so that it can read our answer."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


def read_key(headers: Mapping[str, str]) -> str:
    """The caller's `Idempotency-Key`. Raises `KeyMissing` or `KeyMalformed`."""
    given = headers.get("idempotency-key")
    if not given:
        raise KeyMissing(
            "send an Idempotency-Key header: a text of your own, new for each new request",
            param="Idempotency-Key",
        )
    try:
        key = given.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as cause:
        raise KeyMalformed("the Idempotency-Key is not UTF-8", param="Idempotency-Key") from cause
    if len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise KeyMalformed(
            f"the Idempotency-Key has at most {KEY_LENGTH_MAX} printable characters",
            param="Idempotency-Key",
        )
    return key


async def _gather(receive: Receive, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerGone
        part = message.get("body", b"")
        size += len(part)
        if size > bytes_max:
            raise _too_large(bytes_max)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if len(parts) > 1 else part


def _too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body may have at most {bytes_max} bytes")
