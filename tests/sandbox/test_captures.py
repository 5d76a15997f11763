"""Capture later, capture less, or let go: what happens to money that is held."""

import asyncio
from collections import Counter

import pytest

from tests.sandbox.outside import Caller
from tests.sandbox.receiver import receiving


async def test_a_hold_is_captured_whole(caller: Caller) -> None:
    held = await caller.hold(1000)
    assert (held["amount_capturable"], held["amount_received"]) == (1000, 0)
    taken = (await caller.post(f"payment_intents/{held['id']}/capture", {})).body
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 1000)
    assert taken["amount_capturable"] == 0
    assert await caller.movements(held["id"]) == [
        ("authorization", 1000, "succeeded"),
        ("capture", 1000, "succeeded"),
    ]


async def test_a_part_is_captured_and_the_rest_is_released(caller: Caller) -> None:
    held = await caller.hold(1000)
    path = f"payment_intents/{held['id']}/capture"
    fields = {"amount_to_capture": 700, "expand[]": "latest_charge"}
    taken = (await caller.post(path, fields)).body
    assert (taken["status"], taken["amount"], taken["amount_received"]) == ("succeeded", 1000, 700)
    charge = taken["latest_charge"]
    assert (charge["amount_captured"], charge["amount_refunded"]) == (700, 300)
    assert charge["refunded"] is False
    assert [row[:2] for row in await caller.movements(held["id"])][1:] == [("capture", 700)]
    again = await caller.post(path, {"amount_to_capture": 300})
    assert (again.status, again.error["code"]) == (400, "payment_intent_unexpected_state")


async def test_no_more_is_captured_than_is_held(caller: Caller) -> None:
    held = await caller.hold(1000)
    path = f"payment_intents/{held['id']}/capture"
    refused = await caller.post(path, {"amount_to_capture": 1001})
    assert (refused.status, refused.error["code"]) == (400, "amount_too_large")
    assert refused.error["param"] == "amount_to_capture"
    assert (await caller.post(path, {"final_capture": "false"})).status == 400
    assert len(await caller.movements(held["id"])) == 1


async def test_a_cancelled_hold_is_let_go_and_stays_so(caller: Caller) -> None:
    held = await caller.hold(1000)
    path = f"payment_intents/{held['id']}"
    reason = {"cancellation_reason": "requested_by_customer"}
    gone = (await caller.post(f"{path}/cancel", reason)).body
    assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "requested_by_customer")
    assert (gone["amount_capturable"], gone["canceled_at"] > 0) == (0, True)
    charge = (await caller.get(f"charges/{gone['latest_charge']}")).body
    assert (charge["captured"], charge["refunded"], charge["amount_refunded"]) == (
        False,
        True,
        1000,
    )
    assert [row[0] for row in await caller.movements(held["id"])] == ["authorization", "void"]
    for verb in ("capture", "cancel", "confirm"):
        refused = await caller.post(f"{path}/{verb}", {})
        assert refused.error["code"] == "payment_intent_unexpected_state"


async def test_what_was_never_held_is_cancelled_without_a_movement(caller: Caller) -> None:
    fields = {"amount": 5, "currency": "eur", "payment_method_types[]": "card"}
    made = (await caller.post("payment_intents", fields)).body
    gone = await caller.post(f"payment_intents/{made['id']}/cancel", {})
    assert gone.body["status"] == "canceled"
    assert await caller.movements(made["id"]) == []


async def test_a_captured_payment_is_not_cancelled(caller: Caller) -> None:
    paid = (await caller.sale()).body
    for verb in ("cancel", "capture", "confirm"):
        refused = await caller.post(f"payment_intents/{paid['id']}/{verb}", {})
        assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")


async def test_a_cancellation_takes_no_metadata(caller: Caller) -> None:
    held = await caller.hold()
    refused = await caller.post(f"payment_intents/{held['id']}/cancel", {"metadata.a": "b"})
    assert refused.error["code"] == "parameter_unknown"


async def test_metadata_of_a_capture_becomes_the_intents_but_not_the_charges(
    caller: Caller,
) -> None:
    held = await caller.hold(
        1000, fields={"metadata[guilder_attempt]": "first", "metadata[b]": "c"}
    )
    fields = {"metadata.guilder_attempt": "second", "metadata.b": ""}
    taken = (await caller.post(f"payment_intents/{held['id']}/capture", fields)).body
    assert taken["metadata"] == {"guilder_attempt": "second"}
    charge = (await caller.get(f"charges/{taken['latest_charge']}")).body
    assert charge["metadata"] == {"guilder_attempt": "first", "b": "c"}
    rows = await caller.book(payment_ref=held["id"])
    assert [row["our_ref"] for row in rows] == ["first", "second"]


@pytest.mark.proves("S06", "I6")
async def test_of_captures_and_voids_at_once_one_wins(caller: Caller) -> None:
    for _ in range(5):
        held = await caller.hold(1000)
        path = f"payment_intents/{held['id']}"
        verbs = ["capture", "cancel"] * 10
        replies = await asyncio.gather(*(caller.post(f"{path}/{verb}", {}) for verb in verbs))
        assert Counter(reply.status for reply in replies) == {200: 1, 400: 19}
        assert len(await caller.movements(held["id"])) == 2


async def test_everything_that_happens_is_told(caller: Caller) -> None:
    async with receiving(caller, "*") as receiver:
        held = await caller.hold(1000)
        await caller.post(f"payment_intents/{held['id']}/capture", {"amount_to_capture": 600})
        other = await caller.hold(50)
        await caller.post(f"payment_intents/{other['id']}/cancel", {})
        await receiver.count(10)
    assert Counter(receiver.types()) == {
        "payment_intent.created": 2,
        "charge.succeeded": 2,
        "payment_intent.amount_capturable_updated": 2,
        "charge.captured": 1,
        "payment_intent.succeeded": 1,
        "charge.refunded": 1,
        "payment_intent.canceled": 1,
    }
    [created, _] = receiver.about("payment_intent.created")
    assert (created["status"], created["latest_charge"]) == ("requires_confirmation", None)
    assert [charge["captured"] for charge in receiver.about("charge.succeeded")] == [False, False]
    assert receiver.about("charge.captured")[0]["amount_captured"] == 600
    assert receiver.about("payment_intent.succeeded")[0]["amount_received"] == 600
