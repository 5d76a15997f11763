"""The outside world from a test's side: its control API, and its own book."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import msgspec

SILENT = "pm_sandbox_bookedThenSilent"
DECLINED = "pm_card_chargeDeclined"


class Movement(msgspec.Struct, frozen=True):
    """One movement of money as the provider sees it."""

    ref: str
    our_ref: str | None
    kind: str
    amount_minor: int
    currency: str
    state: str
    at: str
    payment_ref: str
    charge_ref: str
    idempotency_key: str | None


class _Books(msgspec.Struct, frozen=True):
    providers: dict[str, list[Movement]]


@dataclass(frozen=True, slots=True)
class Outside:
    """The sandbox of one platform."""

    session: aiohttp.ClientSession
    where: Callable[[], str]

    async def book(self) -> list[Movement]:
        """Every movement in the provider's own book."""
        async with self.session.get(f"{self.where()}/book") as answer:
            assert answer.status == 200
            return msgspec.json.decode(await answer.read(), type=_Books).providers["stripe"]

    async def spoil(self, fault: str, **rule: Any) -> int:
        """Have requests go wrong from now on; returns the rule's number."""
        made = await self._order("POST", "faults", {"fault": fault, **rule})
        return cast("int", made["id"])

    async def fired(self, rule: int) -> int:
        """How often a rule was played."""
        rules = (await self._order("GET", "faults"))["faults"]
        return sum(one.get("fired", 0) for one in rules if one["id"] == rule)

    async def held(self) -> int:
        """How many callers are held in silence at this moment."""
        return cast("int", (await self._order("GET", "health"))["held"])

    async def weather(self, **weather: Any) -> None:
        """How badly the provider's own messages travel from now on."""
        await self._order("POST", "webhooks", weather)

    async def heal(self) -> None:
        """No more faults."""
        await self._order("POST", "heal")

    async def until_held(self, count: int) -> None:
        """Wait until so many callers are held."""
        async with asyncio.timeout(10):
            while await self.held() < count:  # noqa: ASYNC110 - it is another process.
                await asyncio.sleep(0.02)

    async def _order(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        raw = None if body is None else msgspec.json.encode(body)
        url = f"{self.where()}/control/{path}"
        async with self.session.request(method, url, data=raw) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()


@asynccontextmanager
async def watching(where: Callable[[], str]) -> AsyncGenerator[Outside]:
    """The sandbox for as long as the block lasts."""
    async with aiohttp.ClientSession() as session:
        yield Outside(session, where)
