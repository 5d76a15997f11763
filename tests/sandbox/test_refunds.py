"""Money goes back: in parts, to the last cent, and never more than was taken."""

import asyncio
from collections import Counter

import pytest

from tests.sandbox.outside import Caller
from tests.sandbox.receiver import receiving


async def test_a_payment_goes_back_in_parts_to_the_last_cent(caller: Caller) -> None:
    paid = (await caller.sale(1050)).body
    fields = {"payment_intent": paid["id"], "metadata.guilder_attempt": "back-1"}
    first = (await caller.post("refunds", {**fields, "amount": 50, "reason": "duplicate"})).body
    assert (first["object"], first["status"], first["amount"]) == ("refund", "succeeded", 50)
    assert (first["charge"], first["reason"]) == (paid["latest_charge"], "duplicate")
    too_much = await caller.post("refunds", {"payment_intent": paid["id"], "amount": 1001})
    assert (too_much.status, too_much.error["param"]) == (400, "amount")
    assert "code" not in too_much.error
    rest = await caller.post("refunds", {"charge": paid["latest_charge"]})
    assert rest.body["amount"] == 1000
    over = await caller.post("refunds", {"payment_intent": paid["id"]})
    assert (over.status, over.error["code"]) == (400, "charge_already_refunded")
    charge = (await caller.get(f"charges/{paid['latest_charge']}")).body
    assert (charge["amount_refunded"], charge["refunded"]) == (1050, True)
    rows = await caller.book(payment_ref=paid["id"], kind="refund")
    assert [(row["ref"], row["amount_minor"]) for row in rows] == [
        (first["id"], 50),
        (rest.body["id"], 1000),
    ]
    assert [row["our_ref"] for row in rows] == ["back-1", None]


async def test_of_a_partial_capture_only_that_part_goes_back(caller: Caller) -> None:
    held = await caller.hold(1000)
    await caller.post(f"payment_intents/{held['id']}/capture", {"amount_to_capture": 400})
    refused = await caller.post("refunds", {"payment_intent": held["id"], "amount": 401})
    assert refused.status == 400
    back = await caller.post("refunds", {"payment_intent": held["id"]})
    assert back.body["amount"] == 400


async def test_what_was_not_taken_does_not_go_back(caller: Caller) -> None:
    held = await caller.hold(1000)
    refused = await caller.post("refunds", {"payment_intent": held["id"]})
    assert (refused.status, refused.error.get("code")) == (400, None)
    declined = (await caller.sale(fields={"payment_method": "pm_card_chargeDeclined"})).error
    none = await caller.post("refunds", {"payment_intent": declined["payment_intent"]["id"]})
    failed = await caller.post("refunds", {"charge": declined["charge"]})
    assert (none.status, failed.status) == (400, 400)


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({}, 400, "charge"),
        ({"payment_intent": "pi_nobody"}, 404, "payment_intent"),
        ({"charge": "ch_nobody"}, 404, "charge"),
        ({"charge": "ch_nobody", "reason": "boredom"}, 400, "reason"),
        ({"charge": "ch_nobody", "colour": "red"}, 400, "colour"),
    ],
)
async def test_a_wrong_refund_is_named(
    caller: Caller, fields: dict[str, str], status: int, param: str
) -> None:
    reply = await caller.post("refunds", fields)
    assert (reply.status, reply.error["param"]) == (status, param)


@pytest.mark.proves("S06", "I6")
async def test_many_refunds_at_once_give_back_no_more_than_was_taken(caller: Caller) -> None:
    for amount, winners in ((1000, 1), (300, 3)):
        paid = (await caller.sale(1000)).body
        fields = {"payment_intent": paid["id"], "amount": amount}
        replies = await asyncio.gather(*(caller.post("refunds", fields) for _ in range(20)))
        assert Counter(reply.status for reply in replies) == {200: winners, 400: 20 - winners}
        rows = await caller.book(payment_ref=paid["id"], kind="refund")
        assert sum(row["amount_minor"] for row in rows) == amount * winners


async def test_refunds_are_found_by_their_payment(caller: Caller) -> None:
    paid = (await caller.sale(1000)).body
    ids = [
        (await caller.post("refunds", {"payment_intent": paid["id"], "amount": n})).body["id"]
        for n in (1, 2, 3)
    ]
    found = (await caller.get("refunds", {"payment_intent": paid["id"], "limit": 2})).body
    assert ([one["id"] for one in found["data"]], found["has_more"]) == (ids[:0:-1], True)
    after = {"payment_intent": paid["id"], "starting_after": ids[1]}
    assert [one["id"] for one in (await caller.get("refunds", after)).body["data"]] == ids[:1]
    assert (await caller.get("refunds", {"payment_intent": "pi_nobody"})).body["data"] == []
    by_charge = (await caller.get("refunds", {"charge": paid["latest_charge"]})).body
    assert len(by_charge["data"]) == 3
    expanded = await caller.get(f"refunds/{ids[0]}", {"expand[]": "payment_intent"})
    assert expanded.body["payment_intent"]["id"] == paid["id"]
    charge = await caller.get(f"charges/{paid['latest_charge']}", {"expand[]": "refunds"})
    assert len(charge.body["refunds"]["data"]) == 3


@pytest.mark.parametrize(
    ("card", "first", "last", "refunded"),
    [
        ("pm_card_pendingRefund", "pending", "succeeded", 1050),
        ("pm_card_refundFail", "succeeded", "failed", 0),
    ],
)
async def test_a_slow_refund_ends_as_its_card_says(
    caller: Caller, card: str, first: str, last: str, refunded: int
) -> None:
    async with receiving(caller, "refund.updated", "refund.failed") as receiver:
        paid = (await caller.sale(fields={"payment_method": card})).body
        back = (await caller.post("refunds", {"payment_intent": paid["id"]})).body
        assert back["status"] == first
        assert (await caller.book(ref=back["id"]))[0]["state"] == first
        await receiver.count(1)
    [told] = [message.event["data"]["object"] for message in receiver.heard]
    assert (told["id"], told["status"]) == (back["id"], last)
    assert (await caller.book(ref=back["id"]))[0]["state"] == last
    charge = (await caller.get(f"charges/{paid['latest_charge']}")).body
    assert charge["amount_refunded"] == refunded


async def test_a_refund_is_told_as_created_refunded_and_updated(caller: Caller) -> None:
    async with receiving(caller, "refund.created", "charge.refunded", "refund.updated") as receiver:
        paid = (await caller.sale(1000)).body
        back = (await caller.post("refunds", {"payment_intent": paid["id"], "amount": 300})).body
        await receiver.count(3)
    assert set(receiver.types()) == {"refund.created", "charge.refunded", "refund.updated"}
    assert receiver.about("charge.refunded")[0]["amount_refunded"] == 300
    [updated] = receiver.about("refund.updated")
    assert updated["destination_details"]["card"]["reference_status"] == "available"
    [created] = receiver.about("refund.created")
    assert created["id"] == back["id"]
    assert created["destination_details"]["card"]["reference_status"] == "pending"
