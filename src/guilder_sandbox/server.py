"""The server around the application: one loop, one socket, a clean end."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from guilder_sandbox.app import Sandbox
from guilder_sandbox.store import Store

GRACE_SECONDS = 4  # What is under way at the end has this long to finish.
KEEP_ALIVE_SECONDS = 75  # Longer than clients keep idle connections, so that they close first.


class Protocol(HttpToolsProtocol):
    """Hands the transport to the application, which may have to break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox": {"transport": self.transport}}


class Server(uvicorn.Server):
    """Says when it is ready, lets held callers go at the end, and exits with status 0."""

    def __init__(
        self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def serve(home: Path, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. Port 0 takes a free one; `on_ready` is told the address."""
    home.mkdir(parents=True, exist_ok=True)
    with _listening(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}"
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(home / "sandbox.sqlite", listener, lambda: on_ready(address)))


async def _run(path: Path, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    sandbox = Sandbox(Store(path))
    config = uvicorn.Config(
        sandbox,  # pyright: ignore[reportArgumentType]
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, on_ready=on_ready, on_end=sandbox.let_go)
    async with sandbox.at_work():
        await server.serve([listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(2048)
    listener.setblocking(False)  # noqa: FBT003 - The library's own signature.
    return listener
