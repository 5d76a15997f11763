"""A provider on loopback that answers, byte for byte, as a test tells it to."""

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from guilder.connectors.psp.stripe.body import Body
from tests.connectors.psp.stripe.samples import sample

HEAD_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of its form."""
        return dict(parse_qsl(self.raw.decode("ascii"), keep_blank_values=True))


Act = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""One answer: it writes what it likes, or nothing."""


@dataclass(slots=True)
class Loopback:
    """Plays its acts in order, one to a request; when they are used up, the last one again."""

    url: str = ""
    acts: list[Act] = field(default_factory=list[Act])
    heard: list[Heard] = field(default_factory=list[Heard])
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it closes."""
        self.connections += 1
        try:
            while not writer.is_closing():
                self.heard.append(await _hear(reader))
                self.was_asked.set()
                act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
                await act(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def loopback(*acts: Act) -> AsyncGenerator[Loopback]:
    """A server on a free port, for as long as the block lasts."""
    server = Loopback(acts=list(acts))
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server.serve(reader, writer))
        tasks.add(task)
        await asyncio.wait([task])

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port_url() -> str:
    """A URL on loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def says(status: int, body: Body, **headers: str) -> Act:
    """A whole answer with this JSON."""
    return says_raw(status, json.dumps(body).encode(), **headers)


def says_sample(name: str) -> Act:
    """The recorded answer of this name."""
    recorded = sample(name)
    return says(recorded.status, recorded.body)


def says_raw(
    status: int, raw: bytes, *, content_type: str = "application/json", **headers: str
) -> Act:
    """A whole answer with these bytes; header names are written with underscores."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(status, len(raw), content_type, headers) + raw)
        await writer.drain()

    return act


def late(seconds: float, act: Act) -> Act:
    """The answer, but only after a while."""

    async def waiting(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await act(writer)

    return waiting


async def never(writer: asyncio.StreamWriter) -> None:
    """No answer at all; the other side gives up long before."""
    del writer
    await asyncio.sleep(60)


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """The connection is closed instead of an answer."""
    writer.close()


async def resets(writer: asyncio.StreamWriter) -> None:
    """Half an answer, and then the connection is reset."""
    writer.write(_head(200, 1000, "application/json", {}) + b'{"id": "pi_')
    await writer.drain()
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    """Half an answer, and then the connection is closed politely."""
    writer.write(_head(200, 1000, "application/json", {}) + b'{"id": "pi_')
    await writer.drain()
    writer.close()


async def breaks_off_gzip(writer: asyncio.StreamWriter) -> None:
    """A whole answer, of which only half was compressed."""
    raw = gzip.compress(json.dumps(sample("sale_succeeded").body).encode())[:200]
    writer.write(_head(200, len(raw), "application/json", {"content_encoding": "gzip"}) + raw)
    await writer.drain()


async def has_no_end(writer: asyncio.StreamWriter) -> None:
    """An answer that goes on and on, for as long as someone listens."""
    writer.write(_head(200, 10**12, "application/json", {}))
    for _ in range(1000):
        writer.write(b" " * 65536)
        await writer.drain()
    await asyncio.sleep(60)


async def speaks_no_http(writer: asyncio.StreamWriter) -> None:
    """Bytes that are not HTTP."""
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()
    writer.close()


def _head(status: int, length: int, content_type: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _hear(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n"))[:HEAD_BYTES_MAX].decode("ascii")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    method, path, _ = first.split(" ", 2)
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Heard(method, path, headers, raw)
