"""A file of orders: what can be read is read, and every wrong field is named where it stands."""

import pytest

from guilder.roles.demo.cards import CARDS
from guilder.roles.demo.faults import FAULTS, MOMENTS, Fault, fault_named, rule_for
from guilder.roles.demo.orders import (
    COLUMNS,
    REQUIRED,
    Order,
    OrdersTrouble,
    Step,
    Verb,
    read_orders,
    text_of,
)

HEADER = ",".join(COLUMNS)
GOOD = "o1,Shop,1000,EUR,pm_card_visa,,,,"


def read_one(row: str) -> Order:
    file = read_orders(f"{HEADER}\n{row}\n")
    assert not file.bad, file.bad
    return file.orders[0]


def blamed(row: str) -> list[tuple[int, str, str]]:
    """What is said of a second row, while the first is good."""
    file = read_orders(f"{HEADER}\n{GOOD}\n{row}\n")
    assert [order.name for order in file.orders] == ["o1"], "the good row is still read"
    return [(bad.row, bad.column, bad.trouble) for bad in file.bad]


def test_a_row_becomes_an_order() -> None:
    row = '7,"Tea, Ltd",1050,KWD,pm_card_jcb,manual,capture:500; refund:20 ;refund,late,a note'
    order = read_one(row)
    assert (order.row, order.name, order.merchant) == (2, "7", "Tea, Ltd")
    assert str(order.amount) == "KWD 1.050"
    assert (order.card, order.capture, order.note) == ("pm_card_jcb", "manual", "a note")
    steps = (Step(Verb.CAPTURE, 500), Step(Verb.REFUND, 20), Step(Verb.REFUND))
    assert order.then == steps
    assert order.fault == Fault("late")


def test_columns_may_come_in_any_order_and_the_last_four_may_be_left_out() -> None:
    file = read_orders("card,currency,order,merchant,amount_minor\npm_card_visa,JPY,a,Shop,5\n")
    order = file.orders[0]
    assert (str(order.amount), order.capture, order.then) == ("JPY 5", "automatic", ())


def test_every_kind_of_shipped_card_and_fault_can_be_ordered() -> None:
    for card in CARDS:
        assert read_one(f"o1,Shop,1000,EUR,{card},,,,").card == card
    for fault in FAULTS:
        assert read_one(f"o1,Shop,1000,EUR,pm_card_visa,,,{fault},").fault == Fault(fault)


@pytest.mark.proves("S08")
@pytest.mark.parametrize(
    "amount",
    [
        *("", " ", "10.50", "10,50", "1e2", "-5", "+5", "0", "0x10", "1_000", "NaN", "Infinity"),
        *(
            "true",
            "१०००",
            "１０００",
            "1000 EUR",
            "99999999999999999",
            "1000000000000001",
            "9" * 400,
        ),
    ],
)
def test_an_amount_is_a_whole_number_of_minor_units(amount: str) -> None:
    [(row, column, trouble)] = blamed(f'o2,Shop,"{amount}",EUR,pm_card_visa,,,,')
    assert (row, column) == (3, "amount_minor")
    assert repr(amount.strip()[:60]) in trouble


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E U", "XAU", "XXX", "978", "€"])
def test_a_currency_is_one_of_iso_4217_in_use(currency: str) -> None:
    [(row, column, trouble)] = blamed(f"o2,Shop,1000,{currency},pm_card_visa,,,,")
    assert (row, column) == (3, "currency")
    assert "such as EUR" in trouble


def test_an_unknown_card_is_told_its_nearest() -> None:
    [(row, column, trouble)] = blamed("o2,Shop,1000,EUR,pm_card_vissa,,,,")
    assert (row, column) == (3, "card")
    assert "did you mean pm_card_visa?" in trouble
    assert blamed("o2,Shop,1000,EUR,,,,,")[0][1] == "card"


@pytest.mark.parametrize(
    "then",
    [
        *("give back", "capture:", "capture:0", "capture:-1", "refund:1.5", "void:100", ";"),
        *("capture;;void", "CAPTURE", "refund 100", "capture:100;refnd"),
    ],
)
def test_what_follows_is_one_of_three_verbs(then: str) -> None:
    [(row, column, _)] = blamed(f"o2,Shop,1000,EUR,pm_card_visa,manual,{then},,")
    assert (row, column) == (3, "then")


@pytest.mark.parametrize(
    "fault", ["lightning", "duplicate@capture", "late@void", "late@", "@capture", "late@create"]
)
def test_a_fault_is_one_that_can_be_played(fault: str) -> None:
    [(row, column, trouble)] = blamed(f"o2,Shop,1000,EUR,pm_card_visa,,refund:5,{fault},")
    assert (row, column) == (3, "fault")
    assert "silent_after_booking" in trouble


def test_a_later_fault_needs_the_amount_by_which_it_is_found() -> None:
    assert blamed("o2,Shop,1000,EUR,pm_card_visa,,refund,late@refund,") == [
        (3, "fault", "late@refund needs a refund:AMOUNT in the column then")
    ]
    assert read_one("o2,Shop,1000,EUR,pm_card_visa,,refund:5,late@refund,").fault


def test_other_wrong_fields_are_named_too() -> None:
    assert [column for _, column, _ in blamed(",Shop,1,EUR,pm_card_visa,,,,")] == ["order"]
    assert [column for _, column, _ in blamed("o 2,Shop,1,EUR,pm_card_visa,,,,")] == ["order"]
    assert [column for _, column, _ in blamed("o2,,1,EUR,pm_card_visa,,,,")] == ["merchant"]
    assert [column for _, column, _ in blamed("o2,Shop,1,EUR,pm_card_visa,soon,,,")] == ["capture"]


def test_every_wrong_field_of_a_row_is_named() -> None:
    columns = [column for _, column, _ in blamed("o2,Shop,1e2,eur,visa,soon,refund:-1,lightning,")]
    assert columns == ["amount_minor", "currency", "card", "capture", "then", "fault"]


def test_a_row_that_is_too_short_is_told_its_first_missing_column() -> None:
    assert blamed("o2,Shop,1000,EUR") == [
        (
            3,
            "card",
            "missing: the row has 4 columns, the header 9; an empty value needs its comma",
        )
    ]


def test_a_row_that_is_too_long_is_told_where_it_runs_over() -> None:
    assert blamed("o2,Shop,1000,EUR,pm_card_visa,,,,a note, with a comma") == [
        (3, "10", "the row has 10 columns, the header 9; quote a value that holds a comma")
    ]


def test_a_name_taken_before_is_named_with_the_row_that_took_it() -> None:
    assert blamed("o1,Shop,1000,EUR,pm_card_visa,,,,") == [
        (3, "order", "o1 is also in row 2; give each its own")
    ]


def test_empty_rows_are_passed_over_and_counted() -> None:
    file = read_orders(f"{HEADER}\n\n,,,,,,,,\n{GOOD}\n")
    assert [(order.row, order.name) for order in file.orders] == [(4, "o1")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (HEADER, "a header and no orders"),
        (GOOD, "does not name the column order"),
        (HEADER.replace(",", ";") + "\n" + GOOD, "does not name the column order"),
        (f"{HEADER},colour\n{GOOD},red\n", "there is no column 'colour'"),
        (f"{HEADER},note\n{GOOD},twice\n", "names a column twice"),
        (f'{HEADER}\no1,"Shop,1000\n', "is not CSV"),
    ],
)
def test_a_file_without_a_header_or_orders_is_refused_as_a_whole(text: str, why: str) -> None:
    with pytest.raises(OrdersTrouble, match=why):
        read_orders(text)


@pytest.mark.parametrize("column", REQUIRED)
def test_a_header_must_name_every_needed_column(column: str) -> None:
    names = [name for name in COLUMNS if name != column]
    with pytest.raises(OrdersTrouble, match=f"does not name the column {column}"):
        read_orders(",".join(names) + "\n" + GOOD)


def test_a_file_is_utf_8_with_or_without_a_mark() -> None:
    assert text_of("\ufefforder".encode()) == "order"
    with pytest.raises(OrdersTrouble, match="not UTF-8"):
        text_of("Café".encode("latin-1"))
    with pytest.raises(OrdersTrouble, match="larger than"):
        text_of(b"x" * 10_000_001)


def test_a_fault_names_its_moment_and_its_rule() -> None:
    for name in FAULTS:
        for moment in MOMENTS:
            found = fault_named(f"{name}@{moment}")
            assert (found is None) == (FAULTS[name] is None)
    silent = fault_named("silent_after_booking@capture")
    assert silent is not None
    assert rule_for(silent, card="pm_card_visa", amount_theirs=7) == {
        "fault": "never_answer",
        "times": 3,
        "when": "after_booking",
        "match": {"operation": "capture", "payment_method": "pm_card_visa", "amount": 7},
    }
