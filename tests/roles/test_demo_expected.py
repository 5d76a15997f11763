"""The wanted end of an order, from its row alone."""

import importlib.resources
import itertools

import pytest

from guilder.connectors.psp.contract import Reason
from guilder.roles.demo.cards import CARDS
from guilder.roles.demo.expected import Ending, expected_end
from guilder.roles.demo.orders import Order, read_orders
from guilder.roles.demo.till import Worked, differences
from guilder.roles.demo.views import DeclineSeen, PaymentSeen

HEADER = "order,merchant,amount_minor,currency,card,capture,then\n"


def order(
    then: str = "", *, amount: int = 1000, currency: str = "EUR", card: str = "visa", manual: bool
) -> Order:
    capture = "manual" if manual else "automatic"
    file = read_orders(f"{HEADER}o,Shop,{amount},{currency},pm_card_{card},{capture},{then}\n")
    assert not file.bad
    return file.orders[0]


def end(then: str = "", **row: object) -> Ending:
    manual = bool(row.pop("manual", False))
    return expected_end(order(then, manual=manual, **row))  # pyright: ignore[reportArgumentType]


def amounts(ending: Ending) -> tuple[str, int, int, int]:
    return ending.state, ending.authorized_minor, ending.captured_minor, ending.refunded_minor


@pytest.mark.parametrize(
    ("then", "manual", "stands", "steps"),
    [
        ("", False, ("captured", 1000, 1000, 0), ""),
        ("", True, ("authorized", 1000, 0, 0), ""),
        ("capture", True, ("captured", 1000, 1000, 0), "done"),
        ("capture:1000", True, ("captured", 1000, 1000, 0), "done"),
        ("capture:999", True, ("partially_captured", 1000, 999, 0), "done"),
        ("void", True, ("reversed", 1000, 0, 0), "done"),
        ("refund", False, ("refunded", 1000, 1000, 1000), "done"),
        ("refund:1", False, ("partially_refunded", 1000, 1000, 1), "done"),
        ("refund:400;refund:600", False, ("refunded", 1000, 1000, 1000), "done done"),
        ("refund:400;refund", False, ("refunded", 1000, 1000, 1000), "done done"),
        ("capture:600;refund", True, ("refunded", 1000, 600, 600), "done done"),
        (
            "refund:400;refund:601;refund:600",
            False,
            ("refunded", 1000, 1000, 1000),
            "done refund_exceeds_captured done",
        ),
        (
            "capture:1001;capture:10",
            True,
            ("partially_captured", 1000, 10, 0),
            "capture_exceeds_authorized done",
        ),
        (
            "capture:10;capture:990",
            True,
            ("partially_captured", 1000, 10, 0),
            "done payment_not_capturable",
        ),
        ("capture", False, ("captured", 1000, 1000, 0), "payment_not_capturable"),
        ("void", False, ("captured", 1000, 1000, 0), "payment_not_voidable"),
        ("capture;void", True, ("captured", 1000, 1000, 0), "done payment_not_voidable"),
        ("void;void", True, ("reversed", 1000, 0, 0), "done payment_not_voidable"),
        ("void;capture", True, ("reversed", 1000, 0, 0), "done payment_not_capturable"),
        ("refund", True, ("authorized", 1000, 0, 0), "payment_not_refundable"),
        ("void;refund", True, ("reversed", 1000, 0, 0), "done payment_not_refundable"),
        ("refund;refund", False, ("refunded", 1000, 1000, 1000), "done payment_not_refundable"),
        ("refund;refund:1", False, ("refunded", 1000, 1000, 1000), "done payment_not_refundable"),
        ("refund:1001", False, ("captured", 1000, 1000, 0), "refund_exceeds_captured"),
    ],
)
def test_an_order_ends_as_its_steps_lead(
    then: str,
    manual: bool,  # noqa: FBT001
    stands: tuple[str, int, int, int],
    steps: str,
) -> None:
    ending = end(then, manual=manual)
    assert amounts(ending) == stands
    assert " ".join(ending.steps) == steps
    assert ending.decline is None


def test_every_bad_card_is_declined_for_its_reason_and_nothing_can_follow() -> None:
    reasons: set[Reason] = set()
    for name, card in CARDS.items():
        row = f"{HEADER}o,Shop,1000,EUR,{name},manual,capture;void;refund\n"
        ending = expected_end(read_orders(row).orders[0])
        if card.decline is None:
            assert amounts(ending) == ("refunded", 1000, 1000, 1000) or ending.steps[0] == "done"
            continue
        reasons.add(card.decline)
        assert amounts(ending) == ("declined", 0, 0, 0)
        assert ending.decline is card.decline
        assert all(step.startswith("payment_not_") for step in ending.steps)
    assert len(reasons) == 8


def test_three_decimals_end_in_zero_for_the_card_networks() -> None:
    assert end(amount=1234, currency="KWD").decline is Reason.INVALID_REQUEST
    assert amounts(end(amount=1230, currency="KWD")) == ("captured", 1230, 1230, 0)
    refund = end("refund:5;refund:10", amount=1230, currency="KWD")
    assert refund.steps == ("refund_failed", "done")
    assert amounts(refund) == ("partially_refunded", 1230, 1230, 10)
    capture = end("capture:5;capture:10", amount=1230, currency="KWD", manual=True)
    assert capture.steps == ("operation_declined", "done")
    assert amounts(capture) == ("partially_captured", 1230, 10, 0)


def test_more_than_the_provider_takes_is_declined() -> None:
    assert end(amount=99_999_999).decline is None
    assert end(amount=100_000_000).decline is Reason.LIMIT_EXCEEDED
    assert end(amount=100_000_000, currency="IDR").decline is None
    assert end(amount=10**12, currency="IDR").decline is Reason.LIMIT_EXCEEDED


@pytest.mark.proves("I6")
def test_no_chain_of_steps_takes_or_gives_back_too_much() -> None:
    words = ["capture", "capture:600", "capture:1001", "void", "refund", "refund:300", "refund:601"]
    for manual in (False, True):
        for chain in itertools.product(words, repeat=4):
            ending = end(";".join(chain), manual=manual)
            _, authorized, captured, refunded = amounts(ending)
            assert 0 <= refunded <= captured <= authorized == 1000
            assert (ending.state == "refunded") == (refunded == captured > 0)
            assert (ending.state == "reversed") <= (captured == 0)


def test_the_shipped_orders_cover_what_they_promise() -> None:
    file = importlib.resources.files("guilder.roles.demo").joinpath("orders.csv")
    shipped = read_orders(file.read_text("utf-8"))
    assert not shipped.bad
    orders = shipped.orders
    assert 55 <= len(orders) <= 65
    assert len({one.merchant for one in orders}) >= 3
    assert {one.amount.currency.exponent for one in orders} == {0, 2, 3}
    currencies = {one.amount.currency.code for one in orders}
    assert currencies == {"JPY", "KRW", "EUR", "USD", "GBP", "KWD", "BHD"}
    assert {one.card for one in orders} >= {name for name, card in CARDS.items() if card.decline}
    ends = [expected_end(one) for one in orders]
    assert {one.state for one in ends} == {
        *("authorized", "captured", "partially_captured", "partially_refunded", "refunded"),
        *("reversed", "declined"),
    }
    refusals = {step for one in ends for step in one.steps} - {"done"}
    assert refusals == {
        *("payment_not_capturable", "payment_not_voidable", "payment_not_refundable"),
        *("capture_exceeds_authorized", "refund_exceeds_captured"),
    }
    faults = [one.fault.name for one in orders if one.fault]
    assert faults.count("silent_after_booking") >= 2
    assert {"duplicate", "other_body", "error_after_booking", "garbage_after_booking"} <= {*faults}


def test_a_fault_finds_only_its_own_order_among_the_shipped() -> None:
    file = importlib.resources.files("guilder.roles.demo").joinpath("orders.csv")
    orders = read_orders(file.read_text("utf-8")).orders
    for one in orders:
        if one.fault and one.fault.is_providers:
            twins = [o for o in orders if (o.card, o.amount) == (one.card, one.amount)]
            assert twins == [one], f"{one.name} shares its card and amount"


def seen(**changes: object) -> PaymentSeen:
    facts: dict[str, object] = {
        "id": "pay_1",
        "merchant_id": "mer_1",
        "state": "partially_refunded",
        "amount_minor": 1000,
        "authorized_minor": 1000,
        "captured_minor": 1000,
        "refunded_minor": 300,
        "currency": "EUR",
        "display_amount": "EUR 10.00",
        "reference": None,
        "decline": None,
    }
    return PaymentSeen(**{**facts, **changes})  # pyright: ignore[reportArgumentType]


def worked(payment: PaymentSeen | None, steps: list[str]) -> Worked:
    one = order("refund:300", manual=False)
    return Worked(one, expected_end(one), payment, steps)


def test_a_payment_that_stands_as_wanted_is_not_blamed() -> None:
    assert differences(worked(seen(), ["done"])) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"state": "captured"}, "state is captured, wanted partially_refunded"),
        ({"amount_minor": 999}, "amount is 999, wanted 1000"),
        ({"currency": "USD"}, "currency is USD, wanted EUR"),
        ({"authorized_minor": 1}, "authorized is 1, wanted 1000"),
        ({"captured_minor": 2}, "captured is 2, wanted 1000"),
        ({"refunded_minor": 3}, "refunded is 3, wanted 300"),
        ({"decline": DeclineSeen("expired_card", "x")}, "decline is expired_card, wanted None"),
    ],
)
def test_every_way_to_stand_otherwise_is_named(changes: dict[str, object], named: str) -> None:
    assert differences(worked(seen(**changes), ["done"])) == [named]


def test_a_step_that_came_to_something_else_is_named() -> None:
    told = differences(worked(seen(), ["refund_exceeds_captured"]))
    assert told == ["refund:300 came to refund_exceeds_captured, wanted done"]
    assert differences(worked(None, [])) == ["there is no payment"]
