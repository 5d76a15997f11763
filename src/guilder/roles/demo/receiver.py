"""The merchants' own systems: they listen for webhooks and believe only signed ones."""

import contextlib
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from guilder.kernel.clock import Clock
from guilder.webhooks.public import verify

HOST = "127.0.0.1"
BODY_BYTES_MAX = 1_000_000

Listener = Callable[[str, str], None]


class Message(msgspec.Struct, frozen=True):
    """What every webhook says: its topic; the rest is for those whom it concerns."""

    type: str


@dataclass(slots=True)
class Receiver:
    """Receives for all merchants of a run, at one port, each merchant under its own path.

    `secrets` are the signing secrets by path name. A message is verified over its raw bytes
    before anything of it is read, and a repeat of one, by its id, is only counted.
    """

    clock: Clock
    on_verified: Listener
    port: int = 0
    secrets: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    verified: Counter[str] = field(default_factory=Counter[str])
    refused: int = 0

    def url(self, name: str) -> str:
        """Where this merchant is told."""
        return f"http://{HOST}:{self.port}/webhooks/{name}"

    @property
    def repeats(self) -> int:
        """How many messages came once more than needed."""
        return self.verified.total() - len(self.verified)

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncGenerator[None]:
        """Listen while the block lasts: at this port, or at any when it is 0 or taken."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_post("/webhooks/{name}", self._receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        listener = _bound(port)
        self.port = listener.getsockname()[1]
        try:
            await web.SockSite(runner, listener).start()
            yield
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        secrets = self.secrets.get(request.match_info["name"])
        if secrets is None:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if not verify(secrets, request.headers, raw, self.clock.now()):
            self.refused += 1
            return web.Response(status=401)
        event = request.headers["webhook-id"]
        self.verified[event] += 1
        self.on_verified(event, msgspec.json.decode(raw, type=Message).type)
        return web.Response(status=204)


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.bind((HOST, 0))
    return listener
