"""The wall between test and live, and the walls between tenants, seen with real keys."""

import secrets
from typing import Any

import pytest

from guilder.access.commands import create_key
from guilder.access.public import SCOPES, NewKey
from guilder.kernel.clock import Clock
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Database
from guilder.roles.parts import embedded_url
from tests.journeys.caller import Caller
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: a shopper pays")

LISTS = ("/v1/payments", "/v1/merchants", "/v1/resellers", "/v1/stores", "/v1/api-keys")
MERCHANT_SCOPES = ["payments:read", "payments:write", "refunds:write", "merchants:read"]


@pytest.fixture
async def live(caller: Caller, solo: Solo) -> Caller:
    """The platform's own caller on the live side; its key comes from the operator's console."""
    db = await Database.open(embedded_url(solo.home), connections_max=1, name="test")
    try:
        everywhere = Scope(is_test=False)
        new = NewKey(everywhere, "live operator", frozenset(SCOPES), created_by=None)
        _, secret = await create_key(db, new, now=Clock().now())
    finally:
        await db.close()
    assert secret.reveal().startswith("gk_live_")
    return caller.holding(secret.reveal())


@pytest.mark.proves("I8", "S4-28")
async def test_test_and_live_do_not_see_each_other(
    caller: Caller, platform: Caller, live: Caller, solo: Solo
) -> None:
    paid = (await caller.pay(10_00)).json
    theirs = await _make_merchant(live, name="Live Merchant")
    assert theirs["livemode"] is True

    for path in (f"/v1/payments/{paid['id']}", f"/v1/payments/{paid['id']}/trail"):
        assert (await live.get(path)).status == 404
    for verb in ("capture", "void", "refund"):
        crossing = await live.post(f"/v1/payments/{paid['id']}/{verb}", {})
        assert (crossing.status, crossing.code) == (404, "payment_not_found")
    assert (await live.get(f"/v1/merchants/{solo.ready.merchant_id}")).status == 404
    assert (await platform.get(f"/v1/merchants/{theirs['id']}")).status == 404
    for path in LISTS:
        assert all([row["livemode"] async for row in live.walk(path)]), path
        assert not any([row["livemode"] async for row in platform.walk(path)]), path
    assert (await live.get("/v1/ledger/trial-balance")).json["lines"] == []

    for crosser, merchant_id in ((platform, theirs["id"]), (live, solo.ready.merchant_id)):
        crossing = await crosser.pay(10_00, merchant_id=merchant_id)
        assert (crossing.status, crossing.code) == (404, "merchant_not_found")


@pytest.mark.proves("I8")
async def test_the_same_key_on_both_sides_of_the_wall_is_two_keys(
    platform: Caller, live: Caller
) -> None:
    body = {"name": "Both Sides", "country": "NL"}
    key = platform.new_key()
    here = await platform.post("/v1/resellers", body, key=key)
    there = await live.post("/v1/resellers", body, key=key)
    assert (here.status, there.status) == (201, 201)
    assert not there.is_replay
    assert here.json["id"] != there.json["id"]


@pytest.mark.proves("I8", "S0-02")
async def test_a_reseller_sees_its_own_merchants_and_no_others(
    caller: Caller, platform: Caller
) -> None:
    ours, theirs = await _make_reseller(platform), await _make_reseller(platform)
    mine = await _make_merchant(platform, reseller_id=ours["id"])
    other = await _make_merchant(platform, reseller_id=theirs["id"])
    reseller = caller.holding(await _make_key(platform, reseller_id=ours["id"]))
    paid = (await reseller.pay(10_00, merchant_id=mine["id"])).json
    foreign = (await platform.pay(10_00, merchant_id=other["id"])).json
    assert (paid["state"], foreign["state"]) == ("captured", "captured")

    assert [row["id"] async for row in reseller.walk("/v1/merchants")] == [mine["id"]]
    assert [row["id"] async for row in reseller.walk("/v1/payments")] == [paid["id"]]
    assert [row["id"] async for row in reseller.walk("/v1/resellers")] == [ours["id"]]
    assert (await reseller.get(f"/v1/payments/{paid['id']}")).status == 200
    nowhere = f"/v1/payments/pay_{paid['id'][4:-4]}zzzz"
    for verb in ("", "/trail", "/refunds"):
        hidden = await reseller.get(f"/v1/payments/{foreign['id']}{verb}")
        missing = await reseller.get(nowhere + verb)
        assert (hidden.status, hidden.code) == (missing.status, missing.code)
        assert hidden.status == 404
    for verb in ("capture", "void", "refund"):
        refused = await reseller.post(f"/v1/payments/{foreign['id']}/{verb}", {})
        assert (refused.status, refused.code) == (404, "payment_not_found")
    crossing = await reseller.pay(10_00, merchant_id=other["id"])
    assert (crossing.status, crossing.code) == (404, "merchant_not_found")
    assert [
        row["id"] async for row in caller.walk(f"/v1/payments?reference={paid['reference']}")
    ] == []


@pytest.mark.proves("I8")
async def test_a_key_of_another_tenant_is_another_key(caller: Caller, platform: Caller) -> None:
    other = await _make_merchant(platform)
    neighbour = caller.holding(await _make_key(platform, merchant_id=other["id"]))
    key = caller.new_key()
    first, second = await caller.pay(10_00, key=key), await neighbour.pay(20_00, key=key)
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] != second.json["id"]
    assert not second.is_replay
    assert second.json["merchant_id"] == other["id"]


async def _make_reseller(platform: Caller) -> dict[str, Any]:
    made = await platform.post("/v1/resellers", {"name": _name(), "country": "NL"})
    assert made.status == 201, made.body
    return made.json


async def _make_merchant(who: Caller, **more: str) -> dict[str, Any]:
    body = {"name": _name(), "country": "NL", "default_currency": "EUR", **more}
    made = await who.post("/v1/merchants", body)
    assert made.status == 201, made.body
    return made.json


async def _make_key(platform: Caller, **owner: str) -> str:
    made = await platform.post(
        "/v1/api-keys", {"name": _name(), "scopes": MERCHANT_SCOPES, **owner}
    )
    assert made.status == 201, made.body
    return made.json["secret"]


def _name() -> str:
    return f"Tulip {secrets.token_hex(3)}"
