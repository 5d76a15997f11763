"""A merchant's own program: it keeps a journal, and repeats what was not answered under its key."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from tests.journeys.journal import Journal

AGAIN = frozenset({409, 429, 503})
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 60  # How long a caller goes on repeating before it calls for a person.
LOST = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Came:
    """An answer: status, headers by lower-case name, and the body byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem's code; None where it is not a problem."""
        return self.json.get("error_code") if self.status >= 400 else None

    @property
    def is_replay(self) -> bool:
        """Whether the platform says that it has answered this before."""
        return self.headers.get("idempotent-replayed") == "true"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of one key at one platform."""

    session: aiohttp.ClientSession
    where: Callable[[], str]
    key: str
    journal: Journal
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def holding(self, key: str) -> "Caller":
        """The same program with another key; it writes into the same journal."""
        return Caller(self.session, self.where, key, self.journal, f"{self.run}-{key[-4:]}")

    def new_key(self) -> str:
        """An idempotency key never used before."""
        return f"{self.run}-{next(self._numbers)}"

    async def pay(self, amount_minor: int = 10_00, currency: str = "EUR", **more: Any) -> Came:
        """Take a payment; `key` is the idempotency key, and if none is given, the reference too."""
        key = more.pop("key", None) or self.new_key()
        reference = more.pop("reference", key)
        body = order(amount_minor, currency, reference, **more)
        return await self.post("/v1/payments", body, key=key)

    async def post(self, path: str, body: object, *, key: str | None = None) -> Came:
        """Send JSON under this key, or a new one. Raises what the line raises when it is cut."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = key or self.new_key()
        number = self.journal.intend(key, path, raw)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        came = await self.send("POST", path, body=raw, headers=headers)
        self.journal.answered(number, came.status, came.body)
        return came

    async def insist(self, path: str, body: object, *, key: str) -> Came:
        """Send it again under its key until there is an answer that no repetition would change."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                came = await self.post(path, body, key=key)
                if came.status not in AGAIN or not came.json.get("retryable"):
                    return came
                why = came.code
            except LOST as trouble:
                why = repr(trouble)
            assert time.monotonic() < deadline, f"no answer to {key} at {path}: {why}"
            await asyncio.sleep(PAUSE_SECONDS)

    async def get(self, path: str) -> Came:
        """Read something."""
        return await self.send("GET", path)

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """How a payment stands."""
        came = await self.get(f"/v1/payments/{payment_id}")
        assert came.status == 200, came.body
        return came.json

    async def walk(self, path: str, *, limit: int = 100) -> AsyncIterator[dict[str, Any]]:
        """Everything in a list, page by page."""
        after = ""
        glue = "&" if "?" in path else "?"
        while True:
            came = await self.get(f"{path}{glue}limit={limit}{after}")
            assert came.status == 200, came.body
            for row in came.json["data"]:
                yield row
            if not came.json["has_more"]:
                return
            after = f"&starting_after={came.json['data'][-1]['id']}"

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | BytesIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Came:
        """Send exactly this, with our key; nothing is written into the journal."""
        given = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        url = URL(self.where() + path, encoded=True)
        async with self.session.request(method, url, data=body, headers=given) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Came(answer.status, told, await answer.read())


def order(amount_minor: int, currency: str, reference: str, **more: Any) -> dict[str, Any]:
    """The body of an order; `token` is the card, the rest goes in as it is."""
    token = more.pop("token", "pm_card_visa")
    return {
        "amount_minor": amount_minor,
        "currency": currency,
        "payment_method": {"type": "card", "token": token},
        "reference": reference,
        **more,
    }


@asynccontextmanager
async def calling(where: Callable[[], str], key: str, journal: Path) -> AsyncGenerator[Caller]:
    """A caller for as long as the block lasts, with as many connections as it wants.

    `where` tells the API's address, which a restart may change.
    """
    kept = Journal(journal)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60, sock_connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield Caller(session, where, key, kept)
    kept.close()
