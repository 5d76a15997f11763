"""Somebody who is told of events: a real web server that checks signatures by itself."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from tests.sandbox.outside import Caller

TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery, as it arrived."""

    signature: str
    raw: bytes

    @property
    def event(self) -> Any:
        return msgspec.json.decode(self.raw)


@dataclass
class Receiver:
    """Everything that arrived, and the statuses to answer with; 200 when they run out."""

    url: str = ""
    secret: str = ""
    endpoint: str = ""
    heard: list[Message] = field(default_factory=list[Message])
    statuses: list[int] = field(default_factory=list[int])
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def types(self) -> list[str]:
        return [message.event["type"] for message in self.heard]

    def about(self, type_name: str) -> list[Any]:
        """The subjects of the events of one type."""
        events = [message.event for message in self.heard]
        return [event["data"]["object"] for event in events if event["type"] == type_name]

    async def until(self, enough: Callable[[list[Message]], bool], *, seconds: float = 10) -> None:
        """Wait until enough has arrived; fail when it does not in time."""
        async with asyncio.timeout(seconds):
            while not enough(self.heard):
                self._arrived.clear()
                await self._arrived.wait()

    async def count(self, wanted: int, *, seconds: float = 10) -> None:
        await self.until(lambda heard: len(heard) >= wanted, seconds=seconds)

    async def _take(self, request: web.Request) -> web.Response:
        signature = request.headers.get("Stripe-Signature", "")
        self.heard.append(Message(signature, await request.read()))
        self._arrived.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/hook", self._take)
        return application


def signature_holds(message: Message, secret: str, *, now: int) -> bool:
    """Stripe's documented check, written from its description and sharing no code with ours."""
    parts = [part.split("=", 1) for part in message.signature.split(",")]
    times = [value for name, value in parts if name == "t"]
    given = [value for name, value in parts if name == "v1"]
    if len(times) != 1 or abs(now - int(times[0])) > TOLERANCE_SECONDS:
        return False
    text = times[0].encode() + b"." + message.raw
    wanted = hmac.new(secret.encode("utf-8"), text, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(wanted, one) for one in given)


@asynccontextmanager
async def receiving(caller: Caller, *types: str) -> AsyncGenerator[Receiver]:
    """A receiver that is registered for these types of events, and no longer afterwards."""
    receiver = Receiver()
    runner = web.AppRunner(receiver.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook"
    fields = {f"enabled_events[{n}]": name for n, name in enumerate(types)}
    made = await caller.post("webhook_endpoints", {"url": receiver.url, **fields})
    assert made.status == 200, made.body
    receiver.secret, receiver.endpoint = made.body["secret"], made.body["id"]
    try:
        yield receiver
    finally:
        await runner.cleanup()
