"""The provider's book, its settlement file, its clock and its page."""

from collections import defaultdict
from decimal import Decimal

import pytest

from guilder_sandbox.stripe.currencies import (
    CURRENCIES,
    decimals_iso,
    from_iso,
    in_major_units,
    tariff_fee,
    to_iso,
)
from tests.sandbox.outside import Caller, Outside, calling

DAY = "2031-05-04"


@pytest.mark.proves("I2")
async def test_the_settlement_file_adds_up_to_the_book(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.order("clock", {"now": f"{DAY}T10:00:00Z"})
        await _a_day_of_trade(caller)
        await caller.order("clock", {"now": "2031-05-05T00:00:01Z"})
        tomorrow = (await caller.sale(77, "eur")).body
        lines = await caller.settlement(DAY)
        [next_line] = await caller.settlement("2031-05-05")
        rows = [row for row in await caller.book() if row["at"].startswith(DAY)]
    assert next_line["payment_intent_id"] == tomorrow["id"]
    assert await _totals(lines) == _booked(rows)
    assert {line["reporting_category"] for line in lines} == {"charge", "refund"}
    for line in lines:
        net = Decimal(line["gross"]) - Decimal(line["fee"])
        assert Decimal(line["net"]) == net
        assert line["available_on_utc"] == "2031-05-06 00:00:00"
    assert {line["payment_metadata[guilder_attempt]"] for line in lines} == {"att-1", ""}


async def _a_day_of_trade(caller: Caller) -> None:
    for amount, currency in ((1050, "eur"), (1, "eur"), (500, "jpy"), (5120, "kwd"), (700, "isk")):
        paid = (
            await caller.sale(amount, currency, fields={"metadata[guilder_attempt]": "att-1"})
        ).body
        if amount > 500:
            fields = {"payment_intent": paid["id"], "amount": 500}
            assert (await caller.post("refunds", fields)).status == 200
    await caller.sale(fields={"payment_method": "pm_card_chargeDeclined"})
    held = await caller.hold(1000)
    await caller.post(f"payment_intents/{held['id']}/capture", {"amount_to_capture": 600})
    gone = await caller.hold(1000)
    await caller.post(f"payment_intents/{gone['id']}/cancel", {})
    pending = (await caller.sale(300, fields={"payment_method": "pm_card_pendingRefund"})).body
    await caller.post("refunds", {"payment_intent": pending["id"]})


async def _totals(lines: list[dict[str, str]]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        totals[line["currency"].upper()] += Decimal(line["gross"])
    return dict(totals)


def _booked(rows: list[dict[str, object]]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    signs = {"capture": 1, "refund": -1}
    for row in rows:
        if row["kind"] in signs and row["state"] == "succeeded":
            amount, currency = int(str(row["amount_minor"])), str(row["currency"])
            scale = {"JPY": 0, "ISK": 0, "KWD": 3}.get(currency, 2)
            totals[currency] += signs[str(row["kind"])] * Decimal(amount).scaleb(-scale)
    return dict(totals)


async def test_the_book_names_the_callers_own_references(caller: Caller) -> None:
    paid = (await caller.sale(fields={"metadata[guilder_attempt]": "sale-1"})).body
    fields = {"payment_intent": paid["id"], "metadata.guilder_attempt": "back-1"}
    back = (await caller.post("refunds", fields, key="key-of-back")).body
    rows = await caller.book(payment_ref=paid["id"])
    assert [(row["kind"], row["ref"], row["our_ref"]) for row in rows] == [
        ("authorization", paid["id"], "sale-1"),
        ("capture", paid["id"], "sale-1"),
        ("refund", back["id"], "back-1"),
    ]
    assert rows[2]["idempotency_key"] == "key-of-back"
    assert rows[2]["charge_ref"] == paid["latest_charge"]


async def test_the_book_can_be_read_from_a_moment_on(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.sale()
        await caller.order("clock", {"now": "2033-01-01T00:00:00Z"})
        paid = (await caller.sale()).body
        reply = await caller.plain("/book?since=2033-01-01T00:00:00Z")
        rows = reply.body["providers"]["stripe"]
        assert {row["payment_ref"] for row in rows} == {paid["id"]}
        assert (await caller.plain("/book?since=yesterday")).status == 400


async def test_a_long_book_is_whole(own: Outside) -> None:
    async with calling(own) as caller:
        for _ in range(620):
            await caller.sale(1)
        rows = await caller.book()
    assert len(rows) == 1240
    assert len({row["payment_ref"] for row in rows}) == 620


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/settlement.csv?date=05.04.2031", 400),
        ("/settlement.csv?provider=nobody", 404),
        ("/nowhere", 404),
        ("/control/nothing", 404),
    ],
)
async def test_what_is_not_there_is_said(caller: Caller, path: str, status: int) -> None:
    assert (await caller.plain(path)).status == status


async def test_a_person_sees_a_page(caller: Caller) -> None:
    reply = await caller.plain("/")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'href="/book"' in reply.raw


async def test_the_clock_moves_and_comes_back(caller: Caller) -> None:
    moved = await caller.order("clock", {"now": "2040-02-29T12:00:00+01:00"})
    assert moved["now"].startswith("2040-02-29T11:00:0")
    assert not moved["real_now"].startswith("2040")
    back = await caller.order("clock", {"now": None})
    assert back["now"] == back["real_now"]
    for wrong in ({"now": "noon"}, {"now": "2040-01-01T00:00:00"}, {}, {"now": 5}):
        await caller.order("clock", wrong, status=400)


async def test_the_clock_outlives_the_process(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.order("clock", {"now": "2040-01-01T00:00:00Z"})
    own.kill()
    own.start()
    async with calling(own) as caller:
        shown = await caller.plain("/control/clock")
    assert shown.body["now"].startswith("2040-01-01T00:0")


def test_amounts_go_to_iso_and_back() -> None:
    for currency in CURRENCIES:
        for amount in (100, 1000, 123_400):
            assert from_iso(to_iso(amount, currency), currency) == amount
    assert (to_iso(500, "isk"), to_iso(500, "mga"), to_iso(500, "eur")) == (5, 50_000, 500)
    assert from_iso(-199, "mga") == -1


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1050, "eur", "10.50"),
        (-5, "eur", "-0.05"),
        (500, "jpy", "500"),
        (-5120, "kwd", "-5.120"),
        (5, "isk", "5"),
    ],
)
def test_minor_units_are_written_as_whole_units(amount: int, currency: str, text: str) -> None:
    assert in_major_units(amount, currency) == text
    assert Decimal(text).scaleb(decimals_iso(currency)) == amount


def test_the_tariff_rounds_half_up() -> None:
    assert [tariff_fee(n) for n in (1, 17, 18, 1000, 500)] == [30, 30, 31, 59, 45]
