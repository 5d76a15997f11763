"""Lists: the cursors walk over everything once, in both directions, while more is coming in."""

import pytest

from tests.journeys.caller import Caller
from tests.journeys.outside import DECLINED

pytestmark = pytest.mark.xdist_group("journeys: a shopper pays")

COUNT = 23
STATES = {"captured", "authorized", "declined"}


@pytest.mark.proves("S4-28")
@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_the_cursors_walk_all_pages_once(caller: Caller, limit: int) -> None:
    made = [(await caller.pay(1_00 + n)).json["id"] for n in range(COUNT)]
    seen: list[str] = []
    async for row in caller.walk("/v1/payments", limit=limit):
        seen.append(row["id"])
        if len(seen) == 5:
            await caller.pay(9_99)  # What comes in later is newer, and is not on this walk.
        if len(seen) == COUNT:
            break
    assert seen == made[::-1]


@pytest.mark.proves("S4-28")
async def test_the_way_back_shows_the_same_pages(caller: Caller) -> None:
    made = [(await caller.pay(1_00 + n)).json["id"] for n in range(COUNT)]
    oldest, back = made[0], [made[0]]
    while True:
        page = (await caller.get(f"/v1/payments?limit=5&ending_before={oldest}")).json
        ids = [row["id"] for row in page["data"]]
        assert ids == sorted(ids, reverse=True), "every page is newest first"
        back += ids[::-1]
        if not page["has_more"]:
            break
        oldest = ids[0]
    assert back == made


@pytest.mark.proves("S4-28")
async def test_filters_find_what_they_name_and_nothing_else(caller: Caller) -> None:
    shop = caller.new_key()
    mine = {"shop": shop}
    captured = (await caller.pay(1_00, metadata=mine)).json
    held = (await caller.pay(2_00, capture_method="manual", metadata=mine)).json
    declined = (await caller.pay(3_00, token=DECLINED, metadata=mine)).json
    for payment in (captured, held, declined):
        state, reference = payment["state"], payment["reference"]
        assert await _found(caller, f"metadata[shop]={shop}&state={state}") == [payment["id"]]
        assert await _found(caller, f"reference={reference}") == [payment["id"]]
    everything = await _found(caller, f"metadata[shop]={shop}")
    assert everything == [declined["id"], held["id"], captured["id"]]
    since = f"metadata[shop]={shop}&created_from={held['created_at']}"
    assert await _found(caller, since) == [declined["id"], held["id"]]
    assert {captured["state"], held["state"], declined["state"]} == STATES


async def _found(caller: Caller, query: str) -> list[str]:
    return [row["id"] async for row in caller.walk(f"/v1/payments?{query}")]
