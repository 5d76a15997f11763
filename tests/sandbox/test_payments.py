"""Payment intents: cards, states, amounts and refusals, as Stripe documents them."""

import asyncio
import io

import pytest

from tests.sandbox.outside import HOLD, SALE, Caller, calling

GOOD = {
    "pm_card_visa": ("visa", "4242"),
    "pm_card_visa_debit": ("visa", "5556"),
    "pm_card_mastercard": ("mastercard", "4444"),
    "pm_card_amex": ("amex", "0005"),
    "pm_card_discover": ("discover", "1117"),
    "pm_card_jcb": ("jcb", "0505"),
}
# card: code, decline_code, param
BAD = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline", None),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline", None),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds", None),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds", None),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card", None),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card", None),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card", "exp_month"),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc", "cvc"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error", None),
    "pm_card_chargeDeclinedFraudulent": ("card_declined", "fraudulent", None),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": (
        "card_declined",
        "card_velocity_exceeded",
        None,
    ),
}
NUMBERS = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
}


def numbered(number: str) -> dict[str, str | int]:
    fields: dict[str, str | int] = {"amount": 700, "currency": "usd", "confirm": "true"}
    fields |= {"payment_method_types[]": "card", "payment_method_data[type]": "card"}
    return fields | {"payment_method_data[card][number]": number}


@pytest.mark.parametrize("card", GOOD)
async def test_a_good_card_pays_at_once(caller: Caller, card: str) -> None:
    reply = await caller.sale(fields={"payment_method": card, "expand[]": "latest_charge"})
    paid = reply.body
    assert (reply.status, paid["status"], paid["amount_received"]) == (200, "succeeded", 1050)
    charge = paid["latest_charge"]
    shown = charge["payment_method_details"]["card"]
    assert (shown["brand"], shown["last4"], shown["country"]) == (*GOOD[card], "US")
    assert shown["fingerprint"]
    assert (charge["paid"], charge["captured"], charge["amount_captured"]) == (True, True, 1050)
    assert paid["payment_method"].startswith("pm_1")
    assert await caller.movements(paid["id"]) == [
        ("authorization", 1050, "succeeded"),
        ("capture", 1050, "succeeded"),
    ]


@pytest.mark.parametrize("card", BAD)
async def test_a_bad_card_is_declined_and_a_good_one_then_pays(caller: Caller, card: str) -> None:
    reply = await caller.sale(fields={"payment_method": card})
    error = reply.error
    assert (reply.status, error["type"]) == (402, "card_error")
    assert (error["code"], error["decline_code"], error.get("param")) == BAD[card]
    intent = error["payment_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["decline_code"] == error["decline_code"]
    assert error["charge"] == intent["latest_charge"]
    charge = (await caller.get(f"charges/{error['charge']}")).body
    assert (charge["status"], charge["paid"]) == ("failed", False)
    assert await caller.movements(intent["id"]) == [("authorization", 1050, "declined")]

    better = {"payment_method": "pm_card_visa"}
    paid = await caller.post(f"payment_intents/{intent['id']}/confirm", better)
    assert (paid.body["status"], paid.body["last_payment_error"]) == ("succeeded", None)
    assert [row[2] for row in await caller.movements(intent["id"])][1:] == ["succeeded"] * 2


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_number_declines_like_its_card(caller: Caller, number: str) -> None:
    reply = await caller.post("payment_intents", numbered(number))
    assert (reply.status, reply.error["decline_code"]) == (402, NUMBERS[number])
    assert number.encode() not in reply.raw


async def test_a_good_number_pays_and_is_kept_nowhere(caller: Caller) -> None:
    reply = await caller.post("payment_intents", numbered("4242 4242 4242 4242"), key="by-number")
    assert reply.body["status"] == "succeeded"
    files = list(caller.outside.home.glob("sandbox.sqlite*"))
    assert files
    assert not any(b"4242424242424242" in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4242424242424241", "incorrect_number", "incorrect_number"),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
    ],
)
async def test_what_is_no_test_card_makes_no_payment(
    caller: Caller, number: str, code: str, decline_code: str
) -> None:
    before = len(await caller.book())
    reply = await caller.post("payment_intents", numbered(number))
    assert (reply.status, reply.error["type"]) == (402, "card_error")
    assert (reply.error["code"], reply.error["decline_code"]) == (code, decline_code)
    assert len(await caller.book()) == before


async def test_the_states_are_passed_one_by_one(caller: Caller) -> None:
    fields: dict[str, str | int] = {"amount": 500, "currency": "usd"}
    fields["payment_method_types[0]"] = "card"
    bare = (await caller.post("payment_intents", fields)).body
    assert (bare["status"], bare["capture_method"]) == (
        "requires_payment_method",
        "automatic_async",
    )
    refused = await caller.post(f"payment_intents/{bare['id']}/confirm", {})
    assert refused.error["code"] == "payment_intent_unexpected_state"

    ready = await caller.post("payment_intents", fields | {"payment_method": "pm_card_visa"})
    assert ready.body["status"] == "requires_confirmation"
    assert await caller.book(payment_ref=ready.body["id"]) == []
    path = f"payment_intents/{ready.body['id']}/confirm"
    held = await caller.post(path, {"capture_method": "manual"})
    assert (held.body["status"], held.body["amount_capturable"]) == ("requires_capture", 500)
    again = await caller.post(path, {})
    assert again.error["code"] == "payment_intent_unexpected_state"
    assert again.error["payment_intent"]["id"] == ready.body["id"]


@pytest.mark.parametrize(
    ("card", "end", "states"),
    [
        ("pm_sandbox_processing", "succeeded", ["succeeded", "succeeded"]),
        ("pm_sandbox_processingThenFails", "requires_payment_method", ["declined"]),
    ],
)
async def test_a_slow_card_is_processing_until_it_is_decided(
    caller: Caller, card: str, end: str, states: list[str]
) -> None:
    intent = (await caller.sale(fields={"payment_method": card})).body
    assert (intent["status"], intent["amount_received"]) == ("processing", 0)
    assert await caller.movements(intent["id"]) == []
    refused = await caller.post(f"payment_intents/{intent['id']}/cancel", {})
    assert refused.error["code"] == "payment_intent_unexpected_state"
    assert await _ended(caller, intent["id"]) == end
    assert [row[2] for row in await caller.movements(intent["id"])] == states


async def _ended(caller: Caller, intent: str) -> str:
    """The status when it is no longer processing."""
    for _ in range(100):
        status = (await caller.get(f"payment_intents/{intent}")).body["status"]
        if status != "processing":
            return status
        await asyncio.sleep(0.1)
    return "processing"


AMOUNTS = [
    ("0", "usd", "parameter_invalid_integer"),
    ("-5", "usd", "parameter_invalid_integer"),
    ("1e2", "usd", "parameter_invalid_integer"),
    ("100.0", "usd", "parameter_invalid_integer"),
    ("true", "usd", "parameter_invalid_integer"),
    ("NaN", "usd", "parameter_invalid_integer"),
    ("١٠٠", "usd", "parameter_invalid_integer"),
    ("１００", "usd", "parameter_invalid_integer"),
    (" 100", "usd", "parameter_invalid_integer"),
    ("9" * 400, "usd", "parameter_invalid_integer"),
    ("", "usd", "parameter_missing"),
    ("100000000", "usd", "amount_too_large"),
    ("100000000", "jpy", "amount_too_large"),
    ("1000000000000", "idr", "amount_too_large"),
    ("5124", "kwd", "invalid_charge_amount"),
    ("550", "isk", "invalid_charge_amount"),
    ("1", "ugx", "invalid_charge_amount"),
]


@pytest.mark.proves("S08")
@pytest.mark.parametrize(("amount", "currency", "code"), AMOUNTS)
async def test_an_amount_that_is_none_is_refused(
    caller: Caller, amount: str, currency: str, code: str
) -> None:
    fields = {**SALE, "amount": amount, "currency": currency}
    reply = await caller.post("payment_intents", fields)
    assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
    assert (reply.error["code"], reply.error["param"]) == (code, "amount")


@pytest.mark.parametrize(
    ("amount", "currency", "booked"),
    [
        (1, "usd", 1),
        (99_999_999, "eur", 99_999_999),
        (999_999_999_999, "idr", 999_999_999_999),
        (500, "jpy", 500),
        (5120, "kwd", 5120),
        (500, "isk", 5),
        (700, "ugx", 7),
        (500, "mga", 50_000),
    ],
)
async def test_the_book_is_in_minor_units_of_iso_4217(
    caller: Caller, amount: int, currency: str, booked: int
) -> None:
    paid = (await caller.sale(amount, currency)).body
    assert (paid["amount_received"], paid["currency"]) == (amount, currency)
    rows = await caller.book(payment_ref=paid["id"], kind="capture")
    assert [(row["amount_minor"], row["currency"]) for row in rows] == [(booked, currency.upper())]


WRONG: list[tuple[dict[str, str], str, str | None]] = [
    ({"currency": "zzz"}, "currency", None),
    ({"currency": ""}, "currency", "parameter_missing"),
    ({"colour": "red"}, "colour", "parameter_unknown"),
    ({"capture_method": "never"}, "capture_method", None),
    ({"confirm": "yes"}, "confirm", None),
    ({"payment_method": "pm_card_nobody"}, "payment_method", "resource_missing"),
    ({"metadata[" + "k" * 41 + "]": "v"}, "metadata[" + "k" * 41 + "]", None),
    ({"metadata[k]": "v" * 501}, "metadata[k]", None),
    ({"payment_method_types[]": "sepa_debit"}, "payment_method_types", None),
    ({"confirm": "false", "return_url": "https://a.example"}, "return_url", None),
]


@pytest.mark.parametrize(("fields", "param", "code"), WRONG)
async def test_a_wrong_parameter_is_named(
    caller: Caller, fields: dict[str, str], param: str, code: str | None
) -> None:
    before = len(await caller.book())
    reply = await caller.post("payment_intents", {**SALE, "amount": 5, "currency": "eur"} | fields)
    assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
    assert (reply.error["param"], reply.error.get("code")) == (param, code)
    assert len(await caller.book()) == before


async def test_a_property_that_cannot_be_expanded_is_named(caller: Caller) -> None:
    paid = (await caller.sale()).body
    reply = await caller.get(f"payment_intents/{paid['id']}", {"expand[]": "review.reason"})
    assert (reply.status, reply.error["param"]) == (400, "expand")


async def test_methods_that_may_redirect_need_a_way_back(caller: Caller) -> None:
    fields = {"amount": 5, "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa"}
    refused = await caller.post("payment_intents", fields)
    assert (refused.status, refused.error["param"]) == (400, "return_url")
    forbidden = {"automatic_payment_methods[enabled]": "true"}
    forbidden["automatic_payment_methods[allow_redirects]"] = "never"
    for way in ({"return_url": "https://shop.example/back"}, forbidden):
        assert (await caller.post("payment_intents", fields | way)).body["status"] == "succeeded"


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer sk_live_x", "Bearer sk_test_", "Basic !"]
)
async def test_without_a_test_key_nothing_is_done(caller: Caller, header: str) -> None:
    url = f"{caller.outside.url}/v1/payment_intents"
    headers = {"Authorization": header}
    async with caller.session.post(url, data={**HOLD, "amount": "5"}, headers=headers) as reply:
        assert reply.status == 401
        assert (await reply.json())["error"]["type"] == "invalid_request_error"


async def test_a_key_may_be_the_user_of_basic_authentication(caller: Caller) -> None:
    async with calling(caller.outside, key="sk_test_other") as other:
        paid = (await other.sale()).body
    basic = "Basic c2tfdGVzdF94Og=="
    url = f"{caller.outside.url}/v1/payment_intents/{paid['id']}"
    async with caller.session.get(url, headers={"Authorization": basic}) as reply:
        assert reply.status == 200


async def test_what_does_not_exist_is_not_found(caller: Caller) -> None:
    for path in ("payment_intents/pi_3S00", "refunds/re_x", "charges/ch_1", "events/evt_9"):
        reply = await caller.get(path)
        assert (reply.status, reply.error["code"]) == (404, "resource_missing")
    for path in ("payment_intents/pi_3S00/fly", "customers", "payment_intents//"):
        assert (await caller.get(path)).status == 404
    other = (await caller.sale()).body["id"]
    forged = other[:6] + ("0" if other[6] != "0" else "1") + other[7:]
    assert (await caller.get(f"payment_intents/{forged}")).status == 404


async def test_a_form_that_is_malformed_is_refused(caller: Caller) -> None:
    url = f"{caller.outside.url}/v1/payment_intents"
    for body in (
        b"a[=1",
        b"a=1&a[b]=2",
        b"a[b][c][d][e][f]=1",
        b"a=%ff",
        b"\xff=1",
        b"a=1&" * 1001,
    ):
        async with caller.session.post(url, data=body) as reply:
            assert reply.status == 400, body
    async with caller.session.post(url, data=io.BytesIO(b"a" * 2_000_000)) as reply:
        assert reply.status == 413
