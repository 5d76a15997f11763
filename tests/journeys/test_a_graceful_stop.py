"""A stop that was asked for: what was accepted is answered, and all of it is there afterwards."""

import asyncio
import signal
import time

import aiohttp
import pytest

from tests.journeys.books import differences
from tests.journeys.caller import LOST, Caller, Came
from tests.journeys.outside import Outside
from tests.journeys.solo import STOP_SECONDS, Solo

pytestmark = pytest.mark.xdist_group("journeys: a shopper pays")

IN_FLIGHT = 50
ANSWER_MS = 1_000
LATE = 30  # Callers who come while it is stopping,
LATE_MS = 2_000  # spread over this time.
NEVER_ACCEPTED = (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError)


@pytest.mark.proves("S34", "I4", "I2", "S4-28")
async def test_a_stop_answers_everyone_who_was_let_in(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    match = {"operation": "create"}
    rule = await outside.spoil("answer_late", delay_ms=ANSWER_MS, match=match)
    sending = [asyncio.create_task(_send(caller, caller.new_key())) for _ in range(IN_FLIGHT)]
    async with asyncio.timeout(10):
        while await outside.fired(rule) < IN_FLIGHT:  # noqa: ASYNC110 - it is another process.
            await asyncio.sleep(0.01)
    solo.process.send_signal(signal.SIGTERM)
    stopped_at = time.monotonic()
    late = {key: asyncio.create_task(_come_late(caller, key, n)) for n, key in _keys(caller)}
    answers = await asyncio.gather(*sending)
    came_late = dict(zip(late, await asyncio.gather(*late.values()), strict=True))
    status = await asyncio.to_thread(solo.wait)
    seconds = time.monotonic() - stopped_at
    let_in = [came for came in (*answers, *came_late.values()) if came is not None]
    print(f"{len(let_in)} let in, stopped {seconds:.1f} s after the signal")
    assert None not in answers, "all of them were in before the signal"
    assert {(came.status, came.json["state"]) for came in let_in} == {(201, "captured")}
    assert None in came_late.values(), "at last nobody is let in any more"
    assert (status, seconds < STOP_SECONDS) == (0, True)

    await asyncio.to_thread(solo.start)
    for came in let_in:
        assert await caller.payment(came.json["id"]) == came.json
    for key in (key for key, came in came_late.items() if came is None):
        assert (await caller.get(f"/v1/payments?reference={key}")).json["data"] == []
    assert await differences(platform, outside, solo) == []


def _keys(caller: Caller) -> list[tuple[int, str]]:
    return [(number, caller.new_key()) for number in range(LATE)]


async def _come_late(caller: Caller, key: str, number: int) -> Came | None:
    await asyncio.sleep(number * LATE_MS / LATE / 1000)
    return await _send(caller, key)


async def _send(caller: Caller, key: str) -> Came | None:
    """An answer, or None when we were not let in; anything between is a failure."""
    try:
        return await caller.pay(10_00, key=key)
    except NEVER_ACCEPTED:
        return None
    except LOST as trouble:
        raise AssertionError(f"{key} was cut off in the middle: {trouble!r}") from trouble
