"""A real server on a loopback port, and a plain client for it."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn
from litestar import Litestar
from yarl import URL


@asynccontextmanager
async def serving(app: Litestar) -> AsyncGenerator[str]:
    """Serve the app for as long as the block lasts; yields its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, loop="none", log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:
                assert not running.done(), "the server did not start"
                await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem's code; None where it is not a problem."""
        return self.json.get("error_code") if self.status >= 400 else None

    @property
    def outcome(self) -> tuple[int, str | None]:
        """Status and code, the two things a client decides by."""
        return self.status, self.code


class Api:
    """A client with a key of its own, sending exactly what it is told."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, key: str | None) -> None:
        self._session = session
        self._base_url = base_url
        self._key = key

    def holding(self, key: str | None) -> "Api":
        """The same API, seen by the holder of another key."""
        return Api(self._session, self._base_url, key)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, headers=headers)

    async def delete(self, path: str) -> Answer:
        return await self.send("DELETE", path)

    async def post(self, path: str, body: object, *, key: str | None = None) -> Answer:
        """Post JSON under this idempotency key, or a new one."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key or secrets.token_hex(8),
        }
        return await self.send("POST", path, body=json.dumps(body).encode(), headers=headers)

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send bytes, or what an async generator gives, with these headers and our key."""
        given = dict(headers or {})
        if self._key is not None:
            given.setdefault("Authorization", f"Bearer {self._key}")
        url = URL(self._base_url + path, encoded=True)
        async with self._session.request(
            method,
            url,
            data=body,
            headers=given,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
        ) as came:
            told = {name.lower(): value for name, value in came.headers.items()}
            return Answer(came.status, told, await came.read())


@asynccontextmanager
async def asking(app: Litestar, key: str | None) -> AsyncGenerator[Api]:
    """Serve the app and ask it as the holder of this key."""
    async with serving(app) as base_url, aiohttp.ClientSession() as session:
        yield Api(session, base_url, key)
