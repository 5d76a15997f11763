"""Receivers of webhooks on loopback, good and bad: real sockets, and a list of what came."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from guilder.kernel.clock import Clock
from guilder.webhooks.public import verify

Headers = dict[str, str]
Behave = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Request:
    """What a receiver was sent."""

    path: str
    headers: Headers
    body: bytes

    def is_signed_with(self, secret: str, clock: Clock) -> bool:
        """Whether a careful receiver would believe it."""
        return verify([secret], self.headers, self.body, clock.now())


@dataclass(slots=True)
class Receiver:
    """A server that keeps what it is sent and behaves as it is told; 200 unless told otherwise."""

    port: int = 0
    behave: Behave | None = None
    greeting: bytes = b""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """Its address."""
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as many requests as come."""
        self.connections += 1
        writer.write(self.greeting)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                self.arrived.set()
                if self.behave is None:
                    writer.write(OK)
                else:
                    await self.behave(request, writer)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def receiving(behave: Behave | None = None) -> AsyncGenerator[Receiver]:
    """One receiver for as long as the block lasts."""
    receiver = Receiver(behave=behave)
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.create_task(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def receiving_many(count: int) -> AsyncGenerator[list[Receiver]]:
    """So many good receivers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(receiving()) for _ in range(count)]


def saying(status: int, *headers: str, body: bytes = b"") -> Behave:
    """Always this status, with these header lines."""

    async def behave(_: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return behave


def sleeping(seconds: float) -> Behave:
    """200, after a while."""

    async def behave(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        writer.write(OK)

    return behave


async def resetting(_: Request, writer: asyncio.StreamWriter) -> None:
    """Hang up without a word."""
    writer.transport.abort()


async def babbling(_: Request, writer: asyncio.StreamWriter) -> None:
    """Something that is not HTTP."""
    writer.write(b"\x00\xff not http at all\r\n\r\n")
    await writer.drain()
    writer.close()


def flooding(sent: list[int], *headers: str) -> Behave:
    """200, and then a body without end; `sent` counts the bytes that were taken."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        lines = ["HTTP/1.1 200 OK", "transfer-encoding: chunked", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        part = b"\0" * 16_384
        chunk = f"{len(part):x}\r\n".encode() + part + b"\r\n"
        for _ in range(10_000):
            writer.write(chunk)
            await writer.drain()
            sent.append(len(part))

    return behave


async def dripping(_request: Request, writer: asyncio.StreamWriter) -> None:
    """200 at once, and then a body of a byte every so often."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.2)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines if ": " in line]
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)
