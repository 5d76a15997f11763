"""A shopper pays and the merchant sees it: payment, book, webhook, trail."""

import asyncio

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller
from tests.journeys.outside import DECLINED, Outside
from tests.journeys.receiver import listening
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: a shopper pays")

CURRENCIES = (("JPY", 1050, "JPY 1050"), ("EUR", 1050, "EUR 10.50"), ("KWD", 1050, "KWD 1.050"))


@pytest.mark.proves("S4-28", "S0-04", "I2")
async def test_a_shopper_pays_and_the_merchant_hears_of_it(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    async with listening() as receiver:
        made = await caller.post(
            "/v1/webhook-endpoints", {"url": receiver.url, "topics": ["payment.captured"]}
        )
        assert made.status == 201, made.body
        paid = await caller.pay(10_50, metadata={"cart": "77"})
        assert (paid.status, paid.json["state"]) == (201, "captured")
        message = await receiver.next()

    payment_id = paid.json["id"]
    assert message.is_signed_with(made.json["secret"])
    told = message.json
    assert told["type"] == "payment.captured"
    assert told["data"]["payment_id"] == payment_id
    kinds = [step["kind"] for step in (await _trail(caller, payment_id))["steps"]]
    for kind in ("request", "attempt", "posting", "event", "delivery"):
        assert kind in kinds, kinds
    rows = [row for row in await outside.book() if row.payment_ref == paid.json["provider_ref"]]
    assert [(row.kind, row.amount_minor, row.currency) for row in rows] == [
        ("authorization", 10_50, "EUR"),
        ("capture", 10_50, "EUR"),
    ]
    assert await differences(platform, outside, solo) == []


async def _trail(caller: Caller, payment_id: str) -> dict[str, list[dict[str, str]]]:
    """The trail, once the provider's own message and the delivery have reached it."""
    async with asyncio.timeout(15):
        while True:
            trail = (await caller.get(f"/v1/payments/{payment_id}/trail")).json
            steps = {step["kind"]: step for step in trail["steps"]}
            delivery = steps.get("delivery")
            if delivery and delivery["facts"]["state"] == "delivered" and "message" in steps:
                return trail
            await asyncio.sleep(0.05)


@pytest.mark.proves("S4-28")
@pytest.mark.parametrize(("currency", "amount_minor", "shown"), CURRENCIES)
async def test_a_currency_has_the_decimals_it_has(
    caller: Caller, outside: Outside, currency: str, amount_minor: int, shown: str
) -> None:
    paid = (await caller.pay(amount_minor, currency)).json
    assert (paid["state"], paid["display_amount"]) == ("captured", shown)
    rows = [row for row in await outside.book() if row.payment_ref == paid["provider_ref"]]
    assert {(row.amount_minor, row.currency) for row in rows} == {(amount_minor, currency)}


@pytest.mark.proves("S4-28", "I6")
async def test_a_part_is_captured_and_given_back_to_the_last_cent(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    held = (await caller.pay(100_00, capture_method="manual")).json
    assert (held["state"], held["captured_minor"]) == ("authorized", 0)
    path = f"/v1/payments/{held['id']}"

    captured = await caller.post(f"{path}/capture", {"amount_minor": 70_01})
    assert (captured.status, captured.json["state"]) == (200, "partially_captured")
    again = await caller.post(f"{path}/capture", {"amount_minor": 1})
    assert (again.status, again.code) == (409, "payment_not_capturable")

    first = await caller.post(f"{path}/refund", {"amount_minor": 70_00, "reason": "too small"})
    assert (first.status, first.json["state"]) == (201, "succeeded")
    beyond = await caller.post(f"{path}/refund", {"amount_minor": 2})
    assert (beyond.status, beyond.code) == (422, "refund_exceeds_captured")
    assert beyond.json["param"] == "amount_minor"
    last = await caller.post(f"{path}/refund", {})
    assert (last.status, last.json["amount_minor"]) == (201, 1)
    nothing_left = await caller.post(f"{path}/refund", {"amount_minor": 1})
    assert (nothing_left.status, nothing_left.code) == (409, "payment_not_refundable")

    now = await caller.payment(held["id"])
    amounts = (now["authorized_minor"], now["captured_minor"], now["refunded_minor"])
    assert (now["state"], amounts) == ("refunded", (100_00, 70_01, 70_01))
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S4-28", "I2")
async def test_a_decline_is_an_answer_and_moves_nothing(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    before = (await platform.get("/v1/ledger/trial-balance")).body
    declined = await caller.pay(42_00, token=DECLINED)
    assert (declined.status, declined.json["state"]) == (201, "declined")
    decline = declined.json["decline"]
    assert (decline["reason"], decline["raw"]) == ("generic_decline", "generic_decline")
    refused = await caller.post(f"/v1/payments/{declined.json['id']}/refund", {})
    assert (refused.status, refused.code) == (409, "payment_not_refundable")
    assert (await platform.get("/v1/ledger/trial-balance")).body == before
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S4-28", "I2")
async def test_a_void_lets_the_money_go_and_moves_nothing(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    held = (await caller.pay(55_00, capture_method="manual")).json
    path = f"/v1/payments/{held['id']}"
    voided = await caller.post(f"{path}/void", {})
    assert (voided.status, voided.json["state"]) == (200, "reversed")
    for verb in ("capture", "void", "refund"):
        late = await caller.post(f"{path}/{verb}", {})
        assert late.status == 409, (verb, late.body)
    assert await differences(platform, outside, solo) == []
