"""A light HTTP/1.1 client for loads: it shares the cores with what it measures."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class Outcome:
    """What a load came to: seconds of each answered call, and answers by status."""

    elapsed_seconds: float = 0
    seconds: list[float] = field(default_factory=list[float])
    statuses: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def per_second(self) -> float:
        """Answered calls a second."""
        return len(self.seconds) / self.elapsed_seconds


async def load(
    address: str, make: Callable[[int], bytes], *, connections: int, seconds: float
) -> Outcome:
    """Send what `make(n)` gives, as fast as answers come, on so many connections, for so long."""
    parts = urlsplit(address)
    assert parts.hostname, "the address has a host"
    outcome = Outcome()
    counter = iter(range(1 << 62))
    started = time.perf_counter()
    until = started + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            writer.write(make(next(counter)))
            status, _ = await read_answer(reader)
            outcome.seconds.append(time.perf_counter() - begun)
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    outcome.elapsed_seconds = time.perf_counter() - started
    return outcome


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of one answer with a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    place = head.lower().index(b"content-length:") + 15
    length = int(head[place : head.index(b"\r\n", place)])
    return status, await reader.readexactly(length)


def request(path: str, key: str, idempotency_key: str, body: bytes) -> bytes:
    """A POST as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: guilder\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {idempotency_key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
