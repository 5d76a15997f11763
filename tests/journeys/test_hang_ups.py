"""S09: clients hang up at any moment; the work finishes or never starts, and nothing is stuck."""

import asyncio
import json
import random
from typing import Any

import asyncpg
import pytest

from guilder.plumbing.postgres.cluster import find_running
from tests.journeys.books import differences
from tests.journeys.caller import Caller, order
from tests.journeys.outside import Outside
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: a shopper pays")

AT_ONCE = 20
LONGEST_MS = 300
ANSWER_MS = 120  # The provider takes this long, so that hanging up falls into every beat.
STUCK_SECONDS = 5
RUNS = [
    pytest.param(200, id="200 hang-ups"),
    pytest.param(5000, id="5000 hang-ups", marks=pytest.mark.full),
]

Request = tuple[str, dict[str, Any], str]


@pytest.mark.proves("S09", "I3", "I4", "I2")
@pytest.mark.parametrize("clients", RUNS)
async def test_clients_that_hang_up_leave_nothing_stuck_and_nothing_doubled(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, clients: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    asked = [await _prepare(caller, number) for number in range(clients)]
    await outside.spoil("answer_late", delay_ms=ANSWER_MS)
    for first in range(0, clients, AT_ONCE):
        wave = asked[first : first + AT_ONCE]
        await asyncio.gather(*(_hang_up(caller, request, chance) for request in wave))
    await asyncio.sleep(STUCK_SECONDS + 1)
    assert await _stuck(solo) == 0
    await outside.heal()

    for path, body, key in asked:
        ended = await caller.insist(path, body, key=key)
        assert ended.status in {200, 201}, ended.body
    assert await differences(platform, outside, solo) == []


async def _prepare(caller: Caller, number: int) -> Request:
    key = caller.new_key()
    verb = ("pay", "pay", "capture", "refund")[number % 4]
    if verb == "pay":
        return "/v1/payments", order(10_00, "EUR", key), key
    method = "manual" if verb == "capture" else "automatic"
    payment = (await caller.pay(10_00, capture_method=method)).json
    return f"/v1/payments/{payment['id']}/{verb}", {"amount_minor": 4_00}, key


async def _hang_up(caller: Caller, request: Request, chance: random.Random) -> None:
    """Send it, or a part of it, and hang up in the middle of whatever the platform does."""
    path, body, key = request
    raw = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {caller.key}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    whole = head.encode() + raw
    part = whole if chance.randrange(5) else whole[: chance.randrange(len(whole))]
    caller.journal.intend(key, path, raw)
    host, _, port = caller.where().removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(part)
    await asyncio.sleep(chance.randrange(LONGEST_MS) / 1000)
    writer.transport.abort()


async def _stuck(solo: Solo) -> int:
    """How many of the server's sessions have sat in an open transaction for too long."""
    cluster = find_running(solo.home)
    assert cluster is not None
    connection = await asyncpg.connect(**cluster.arguments())
    try:
        return await connection.fetchval(
            """
            select count(*)
              from pg_stat_activity
             where state like 'idle in transaction%'
               and state_change < now() - make_interval(secs => $1)
            """,
            STUCK_SECONDS,
        )
    finally:
        await connection.close()
