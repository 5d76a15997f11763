"""The outside world as its own process, and somebody who speaks Stripe's dialect to it."""

import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

STOP_SECONDS = 15
SALE = {"confirm": "true", "payment_method_types[]": "card", "payment_method": "pm_card_visa"}
HOLD = {**SALE, "capture_method": "manual"}

Fields = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes

    @property
    def error(self) -> Any:
        return self.body["error"]


class Outside:
    """The process: start, stop, kill, start again on the same folder and port."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = ""
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def child(self) -> "subprocess.Popen[bytes]":
        assert self._child is not None, "it was not started"
        return self._child

    def start(self) -> "Outside":
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "guilder_sandbox", "--home", str(self.home)]
        command += ["--port", port, "--json", "--end-with-parent"]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        ready = msgspec.json.decode(self._child.stdout.readline())
        assert ready["pid"] == self._child.pid
        self.url = ready["sandbox"]
        return self

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        assert self._end(signal.SIGKILL) == -signal.SIGKILL

    def _end(self, number: signal.Signals) -> int:
        os.kill(self.child.pid, number)
        status = self.child.wait(STOP_SECONDS)
        if self.child.stdout is not None:
            self.child.stdout.close()
        self._child = None
        return status

    def end(self) -> None:
        if self._child is not None:
            self.stop()


class Caller:
    """Speaks to the outside world."""

    def __init__(self, outside: Outside, session: aiohttp.ClientSession) -> None:
        self.outside = outside
        self.session = session

    async def post(
        self, path: str, fields: Fields, *, key: str | None = None, limit: float = 30
    ) -> Reply:
        """A form to the dialect; the name `metadata.x` is short for `metadata[x]`."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = urlencode({_bracketed(name): value for name, value in fields.items()})
        return await self._send("POST", f"/v1/{path}", headers=headers, body=body, limit=limit)

    async def get(self, path: str, fields: Fields | None = None) -> Reply:
        query = urlencode({_bracketed(name): value for name, value in (fields or {}).items()})
        return await self._send("GET", f"/v1/{path}{'?' + query if query else ''}")

    async def delete(self, path: str) -> Reply:
        return await self._send("DELETE", f"/v1/{path}")

    async def order(self, path: str, body: object, *, status: int = 0) -> Any:
        """Something said to the control API, which must take it, or refuse with `status`."""
        raw = msgspec.json.encode(body).decode()
        reply = await self._send("POST", f"/control/{path}", body=raw)
        assert reply.status == status or (status == 0 and reply.status < 300), reply.body
        return reply.body

    async def fault(self, fault: str, **rule: object) -> Any:
        return await self.order("faults", {"fault": fault, "times": 1} | rule)

    async def plain(self, path: str) -> Reply:
        return await self._send("GET", path)

    async def sale(
        self, amount: int = 1050, currency: str = "eur", *, fields: Fields | None = None
    ) -> Reply:
        made = {**SALE, "amount": amount, "currency": currency, **(fields or {})}
        return await self.post("payment_intents", made)

    async def hold(self, amount: int = 1000, *, fields: Fields | None = None) -> Any:
        """A payment whose money is held and not yet captured."""
        made = {**HOLD, "amount": amount, "currency": "eur", **(fields or {})}
        reply = await self.post("payment_intents", made)
        assert reply.body["status"] == "requires_capture"
        return reply.body

    async def book(self, **match: object) -> list[dict[str, Any]]:
        """The rows of the book with these values."""
        reply = await self._send("GET", "/book")
        rows = reply.body["providers"]["stripe"]
        return [row for row in rows if all(row[name] == match[name] for name in match)]

    async def movements(self, payment_ref: str) -> list[tuple[str, int, str]]:
        rows = await self.book(payment_ref=payment_ref)
        return [(row["kind"], row["amount_minor"], row["state"]) for row in rows]

    async def settlement(self, day: str) -> list[dict[str, str]]:
        async with self.session.get(f"{self.outside.url}/settlement.csv?date={day}") as answer:
            assert answer.status == 200
            return list(csv.DictReader(io.StringIO(await answer.text())))

    async def _send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: str | None = None,
        limit: float = 30,
    ) -> Reply:
        url = self.outside.url + path
        patience = aiohttp.ClientTimeout(total=limit)
        async with self.session.request(
            method, url, headers=headers, data=body, timeout=patience
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            told = msgspec.json.decode(raw) if is_json and raw[:1] in b"{[" else None
            return Reply(answer.status, told, answer.headers, raw)


@asynccontextmanager
async def calling(outside: Outside, *, key: str = "sk_test_caller") -> AsyncGenerator[Caller]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        yield Caller(outside, session)


def _bracketed(name: str) -> str:
    head, dot, rest = name.partition(".")
    return f"{head}[{rest}]" if dot else name
