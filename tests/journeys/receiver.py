"""A merchant's web server that receives webhooks, and checks them in its own way."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived: headers by lower-case name, and the raw body."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As the Standard Webhooks specification has it (standardwebhooks.com), over raw bytes."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        sent_at = self.headers["webhook-timestamp"]
        signed = f"{self.headers['webhook-id']}.{sent_at}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in self.headers["webhook-signature"].split()]
        is_recent = abs(time.time_ns() // 10**9 - int(sent_at)) <= TOLERANCE_SECONDS
        return is_recent and any(
            version == "v1" and hmac.compare_digest(value, expected) for version, _, value in given
        )


@dataclass(slots=True)
class Receiver:
    """A server that keeps what it is sent, in the order of arrival."""

    url: str
    messages: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)

    async def next(self, *, within: float = 15) -> Message:
        """The next message; fails when none comes."""
        return await asyncio.wait_for(self.messages.get(), within)

    async def take(self, request: web.Request) -> web.Response:
        """Keep one message."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.messages.put_nowait(Message(headers, await request.read()))
        return web.Response(text="thanks")


@asynccontextmanager
async def listening() -> AsyncGenerator[Receiver]:
    """A receiver for as long as the block lasts."""
    receiver = Receiver("")
    app = web.Application()
    app.router.add_post("/webhooks", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}/webhooks"
        yield receiver
    finally:
        await runner.cleanup()
