"""Post one message to one receiver: guarded, bounded in time and bytes, and never surprised."""

import asyncio
import socket
import time
from collections.abc import Collection, Mapping
from typing import Any, Self

import aiohttp
from aiohttp.typedefs import LooseHeaders

from guilder.webhooks.model import Answer
from guilder.webhooks.rules.receiver import is_allowed_address, is_allowed_port

SECONDS_MAX = 20  # For everything: name, connection, request, and the answer's head.
CONNECT_SECONDS_MAX = 5
BODY_SECONDS_MAX = 2  # The status has been said; the rest is only read to keep the connection.
BODY_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 256
DNS_CACHE_SECONDS = 60  # Harmless: the address is judged at every connection.

_ALWAYS: Mapping[str, str] = {
    "content-type": "application/json",
    "user-agent": "Guilder-Webhooks/1",
    "accept-encoding": "identity",
}


class ForbiddenAddress(OSError):  # noqa: N818 - named for the situation.
    """A connection was to be made to an address or port we do not send to."""


class Sender:
    """Posts messages; one per process. Made by `open`, within a running loop."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    async def open(
        cls, *, allow_private_receivers: bool, ports_refused: Collection[int] = ()
    ) -> Self:
        """A sender that connects to public addresses, and to private ones only if allowed.

        `ports_refused` are those of our own parts, such as the database. The guard sits where
        sockets are made, after names are resolved: what is judged is what is connected to.
        """
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS_MAX,
            ttl_dns_cache=DNS_CACHE_SECONDS,
            socket_factory=_guarded(allow_private_receivers, frozenset(ports_refused)),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX),
            trust_env=False,
        )
        return cls(session)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post these bytes. Whatever the receiver does becomes an `Answer`; redirects included."""
        started = time.monotonic()
        status: int | None = None
        retry_after: str | None = None
        trouble: str | None = None
        try:
            given: LooseHeaders = {**_ALWAYS, **headers}
            async with self._session.post(
                url, data=body, headers=given, allow_redirects=False
            ) as response:
                status = response.status
                retry_after = response.headers.get("retry-after")
                trouble = _trouble_of_status(status)
                await _read_away(response)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as cause:
            trouble = trouble if status is not None else _trouble_of_failure(cause)
        return Answer(status, trouble, int((time.monotonic() - started) * 1000), retry_after)


def _guarded(allow_private: bool, ports_refused: frozenset[int]) -> Any:  # noqa: FBT001
    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, place = address
        host, port = str(place[0]), int(place[1])
        if not is_allowed_address(host, allow_private=allow_private):
            raise ForbiddenAddress("the receiver's address is not one we send to")
        if not is_allowed_port(port, ports_refused):
            raise ForbiddenAddress("the receiver's port is not one we send to")
        return socket.socket(family, kind, proto)

    return make


async def _read_away(response: aiohttp.ClientResponse) -> None:
    """Read a short body, so that the connection can be used again; a long one costs it that.

    Nothing of the body is kept: a receiver's answer is not ours to show.
    """
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while size <= BODY_BYTES_MAX:
                part = await response.content.read(BODY_BYTES_MAX)
                if not part:
                    return
                size += len(part)
    except (aiohttp.ClientError, OSError, TimeoutError):
        pass
    response.close()


def _trouble_of_status(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"


_TROUBLES: tuple[tuple[type[Exception], str], ...] = (  # The first that fits is the word.
    (aiohttp.ConnectionTimeoutError, f"no connection within {CONNECT_SECONDS_MAX} seconds"),
    (TimeoutError, f"no answer within {SECONDS_MAX} seconds"),
    (aiohttp.ClientConnectorCertificateError, "the TLS connection could not be made"),
    (aiohttp.ClientConnectorSSLError, "the TLS connection could not be made"),
    (aiohttp.ClientConnectorDNSError, "the host's name could not be resolved"),
    (aiohttp.ClientConnectorError, "the connection was refused"),
    (aiohttp.InvalidURL, "the URL cannot be sent to"),
    (aiohttp.ClientResponseError, "the answer was not HTTP as we know it"),
    (Exception, "the connection was lost before an answer"),
)


def _trouble_of_failure(cause: Exception) -> str:
    refused = cause.os_error if isinstance(cause, aiohttp.ClientConnectorError) else None
    if isinstance(refused, ForbiddenAddress):
        return str(refused)
    return next(words for kind, words in _TROUBLES if isinstance(cause, kind))
