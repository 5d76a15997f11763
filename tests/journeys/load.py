"""Shoppers at many tills at once, who go on whatever happens to the platform."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.caller import Caller, order
from tests.journeys.outside import DECLINED

FINAL_PERCENT = 20  # One payment in five is left as it is.


@dataclass(slots=True)
class Load:
    """What the shoppers have brought about so far: how many requests came to an end."""

    ended: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, more: int) -> None:
        """Wait until so many more requests have ended."""
        goal = self.ended + more
        async with asyncio.timeout(90):
            while True:
                if self.ended >= goal:
                    return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def shopping(caller: Caller, *, tills: int, seed: int) -> AsyncGenerator[Load]:
    """Shoppers for as long as the block lasts; at its end each finishes what it began."""
    load = Load()
    chances = [random.Random(f"{seed}-{till}") for till in range(tills)]
    async with asyncio.TaskGroup() as group:
        for chance in chances:
            group.create_task(_shop(caller, load, chance))
        try:
            yield load
        finally:
            load.stopping.set()


async def _shop(caller: Caller, load: Load, chance: random.Random) -> None:
    while not load.stopping.is_set():
        payment = await _buy(caller, load, chance)
        if payment["state"] == "authorized":
            verb = chance.choice(("capture", "void", "capture"))
            amount = {"amount_minor": chance.randint(1, payment["amount_minor"])}
            await _change(caller, load, payment, verb, {} if verb == "void" else amount)
        elif payment["state"] == "captured" and chance.randrange(100) >= FINAL_PERCENT:
            for _ in range(chance.randint(1, 2)):
                amount = {"amount_minor": chance.randint(1, payment["amount_minor"] // 2 + 1)}
                await _change(caller, load, payment, "refund", amount)


async def _buy(caller: Caller, load: Load, chance: random.Random) -> dict[str, Any]:
    key = caller.new_key()
    method = chance.choice(("automatic", "automatic", "manual"))
    token = DECLINED if chance.randrange(10) == 0 else "pm_card_visa"
    amount, currency = chance.randint(2, 100_00), chance.choice(("EUR", "JPY", "KWD"))
    body = order(amount, currency, key, capture_method=method, token=token)
    came = await caller.insist("/v1/payments", body, key=key)
    assert came.status in {201, 202}, came.body
    load.ended += 1
    return came.json


async def _change(
    caller: Caller, load: Load, payment: dict[str, Any], verb: str, body: dict[str, int]
) -> None:
    """Whatever it comes to is an answer: a provider that was down is a refusal or an unknown."""
    path = f"/v1/payments/{payment['id']}/{verb}"
    came = await caller.insist(path, body, key=caller.new_key())
    assert came.status in {200, 201, 202, 402, 409, 422}, came.body
    load.ended += 1
