"""The simulated outside world as its own process, and what its book says."""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aiohttp
import msgspec

READY_SECONDS = 20
STOP_SECONDS = 10


class Ready(msgspec.Struct):
    """What it prints when it is ready."""

    sandbox: str


@dataclass(frozen=True, slots=True)
class Row:
    """One movement of money in the provider's own book."""

    ref: str
    our_ref: str | None
    kind: str
    amount_minor: int
    currency: str
    state: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where it listens."""

    url: str

    async def book(self) -> list[Row]:
        """Every movement of money as Stripe's side sees it."""
        async with aiohttp.ClientSession() as session, session.get(self.url + "/book") as answer:
            books = msgspec.json.decode(await answer.read(), type=dict[str, dict[str, list[Row]]])
        return books["providers"]["stripe"]

    async def order(self, path: str, body: object) -> None:
        """Say something to its control API."""
        raw = msgspec.json.encode(body)
        url = f"{self.url}/control/{path}"
        async with aiohttp.ClientSession() as session, session.post(url, data=raw) as answer:
            assert answer.status < 300, await answer.text()

    async def listen(self, url: str, key: str) -> str:
        """Have webhooks sent to this URL; the secret that they are signed with."""
        fields = {"url": url, "enabled_events[]": "*"}
        headers = {"Authorization": f"Bearer {key}"}
        endpoints = f"{self.url}/v1/webhook_endpoints"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(endpoints, data=fields) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return cast("str", (await answer.json())["secret"])


@contextmanager
def running_sandbox(home: Path) -> Generator[Sandbox]:
    """Start it on a free port, and end it with the block."""
    command = [sys.executable, "-m", "guilder_sandbox", "--home", str(home), "--port", "0"]
    with subprocess.Popen([*command, "--json", "--end-with-parent"], stdout=subprocess.PIPE) as it:
        try:
            yield Sandbox(asyncio.run(_address(it)))
        finally:
            it.terminate()
            it.wait(STOP_SECONDS)


async def _address(it: "subprocess.Popen[bytes]") -> str:
    assert it.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(it.stdout.readline), READY_SECONDS)
    return msgspec.json.decode(line, type=Ready).sandbox
