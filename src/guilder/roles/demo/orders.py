"""Orders as a CSV file has them: every wrong field is named by row and column, the rest is read."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from io import StringIO
from typing import Any, Literal

from guilder.kernel.money import AMOUNT_MAX, Currency, Money, UnknownCurrency
from guilder.roles.demo.cards import CARDS
from guilder.roles.demo.faults import FAULTS, MOMENTS, Fault, fault_named

REQUIRED = ("order", "merchant", "amount_minor", "currency", "card")
OPTIONAL = ("capture", "then", "fault", "note")
COLUMNS = REQUIRED + OPTIONAL
BYTES_MAX = 10_000_000
SHOWN_MAX = 60  # Of a wrong value: enough to find it by.

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)


class OrdersTrouble(Exception):  # noqa: N818 - named for the situation.
    """The file as a whole cannot be read; the sentence says why and what to do."""


class Verb(StrEnum):
    """What may follow a payment."""

    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do after the payment; the amount in minor units, None for all there is."""

    verb: Verb
    amount_minor: int | None = None

    def __str__(self) -> str:
        return self.verb if self.amount_minor is None else f"{self.verb}:{self.amount_minor}"


@dataclass(frozen=True, slots=True)
class Order:
    """One row of the file, understood. `row` counts as a spreadsheet does: the header is row 1."""

    row: int
    name: str
    merchant: str
    amount: Money
    card: str
    capture: Literal["automatic", "manual"]
    then: tuple[Step, ...]
    fault: Fault | None
    note: str


@dataclass(frozen=True, slots=True)
class BadField:
    """A field that cannot be used: where it is, what is wrong with it, and how to mend it."""

    row: int
    column: str
    trouble: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.trouble}"


@dataclass(frozen=True, slots=True)
class OrderFile:
    """What a file holds: the orders that can be worked on, and every field that cannot."""

    orders: tuple[Order, ...]
    bad: tuple[BadField, ...]


class _Wrong(ValueError):  # noqa: N818 - named for the situation.
    """A field's value cannot be used; the message says why."""


def text_of(raw: bytes) -> str:
    """The file's text: UTF-8, with or without a byte order mark. Raises `OrdersTrouble`."""
    if len(raw) > BYTES_MAX:
        raise OrdersTrouble(f"the file is larger than {BYTES_MAX} bytes; split it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise OrdersTrouble("the file is not UTF-8 text; save it as CSV in UTF-8") from cause


def read_orders(text: str) -> OrderFile:
    """Read orders from comma-separated text with a header row.

    A row with a wrong field is left out and each of its wrong fields named. Raises `OrdersTrouble`
    when there is no header that names the columns, or nothing below it.
    """
    rows = _rows(text)
    header = _header(next(rows, None))
    orders: list[Order] = []
    bad: list[BadField] = []
    taken: dict[str, int] = {}
    count = 0
    for row, cells in rows:
        count += 1
        fields = _Fields(row, header, cells)
        order = fields.order(taken)
        bad += fields.bad
        if order is not None:
            orders.append(order)
    if count == 0:
        raise OrdersTrouble("the file has a header and no orders below it")
    return OrderFile(tuple(orders), tuple(bad))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, numbered as a spreadsheet numbers them."""
    row = 0
    try:
        for row, cells in enumerate(csv.reader(StringIO(text, newline=""), strict=True), start=1):
            if any(cell.strip() for cell in cells):
                yield row, [cell.strip() for cell in cells]
    except csv.Error as cause:
        raise OrdersTrouble(
            f"row {row + 1} is not CSV ({cause}); a quote is opened and not closed, for one"
        ) from cause


def _header(first: tuple[int, list[str]] | None) -> list[str]:
    if first is None:
        raise OrdersTrouble(f"the file is empty; its first row names the columns: {_listed()}")
    names = first[1]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise OrdersTrouble(
            f"the first row does not name the column {missing[0]}; it must be a header like: "
            f"{_listed()}"
        )
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise OrdersTrouble(f"there is no column {_shown(unknown[0])}; columns are: {_listed()}")
    if len(set(names)) < len(names):
        raise OrdersTrouble("the first row names a column twice")
    return names


def _listed() -> str:
    return ",".join(COLUMNS)


class _Fields:
    """One row on its way to an order; it gathers what is wrong."""

    def __init__(self, row: int, header: list[str], cells: list[str]) -> None:
        self._row = row
        self._cells: Mapping[str, str] = dict(zip(header, cells, strict=False))
        self.bad: list[BadField] = []
        lengths = f"the row has {len(cells)} columns, the header {len(header)}"
        if len(cells) > len(header):
            self._blame(str(len(header) + 1), f"{lengths}; quote a value that holds a comma")
        elif len(cells) < len(header):
            self._blame(header[len(cells)], f"missing: {lengths}; an empty value needs its comma")

    def order(self, taken: dict[str, int]) -> Order | None:
        """The order, or None when a field is wrong; `taken` are the names that came before."""
        name = self._read("order", _name)
        merchant = self._read("merchant", _merchant)
        amount_minor = self._read("amount_minor", _amount)
        currency = self._read("currency", _currency)
        card = self._read("card", _card)
        capture = self._read("capture", _capture)
        then = self._read("then", _then)
        fault = self._read("fault", _fault)
        if name in taken:
            self._blame("order", f"{name} is also in row {taken[name]}; give each its own")
        elif name is not None:
            taken[name] = self._row
        if fault and then is not None and not _has_moment(fault, then):
            self._blame("fault", f"{fault} needs a {fault.moment}:AMOUNT in the column then")
        if self.bad or name is None or then is None:
            return None
        return Order(
            row=self._row,
            name=name,
            merchant=merchant,
            amount=Money(amount_minor, currency),
            card=card,
            capture=capture,
            then=then,
            fault=fault,
            note=self._cells.get("note", ""),
        )

    def _read(self, column: str, read: Callable[[str], Any]) -> Any:
        if column in REQUIRED and column not in self._cells:
            return None  # The row is too short, and that has been said.
        value = self._cells.get(column, "")
        try:
            return read(value)
        except _Wrong as wrong:
            self._blame(column, str(wrong))
            return None

    def _blame(self, column: str, trouble: str) -> None:
        self.bad.append(BadField(self._row, column, trouble))


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise _Wrong(f"{_shown(value)} is no order name; use up to 40 letters, digits and . _ -")
    return value


def _merchant(value: str) -> str:
    if not 0 < len(value) <= 100 or not value.isprintable():
        raise _Wrong(f"{_shown(value)} is no merchant's name; use 1 to 100 printable characters")
    return value


def _amount(value: str) -> int:
    """A positive whole number in plain ASCII digits; nothing else is a number of minor units."""
    if not _DIGITS.fullmatch(value):
        raise _Wrong(
            f"{_shown(value)} is not a whole number of minor units; EUR 10.50 is 1050, JPY 1050 "
            "is 1050, KWD 1.050 is 1050"
        )
    if not 0 < int(value) <= AMOUNT_MAX:
        raise _Wrong(f"{_shown(value)} is not from 1 to {AMOUNT_MAX}")
    return int(value)


def _currency(value: str) -> Currency:
    try:
        return Currency.of(value)
    except UnknownCurrency as cause:
        raise _Wrong(
            f"{_shown(value)} is not an ISO 4217 code of three upper-case letters, such as EUR"
        ) from cause


def _card(value: str) -> str:
    if value not in CARDS:
        near = get_close_matches(value, CARDS, n=1, cutoff=0)[0]
        raise _Wrong(
            f"{_shown(value)} is no card of the simulated world; did you mean {near}? "
            "docs/guides/the-demo.md lists all"
        )
    return value


def _capture(value: str) -> str:
    if value not in {"", "automatic", "manual"}:
        raise _Wrong(f"{_shown(value)} is neither automatic nor manual; empty means automatic")
    return value or "automatic"


def _then(value: str) -> tuple[Step, ...]:
    return tuple(_step(part.strip()) for part in value.split(";")) if value else ()


def _step(text: str) -> Step:
    verb, colon, amount = text.partition(":")
    if verb not in set(Verb) or (colon and verb == Verb.VOID):
        raise _Wrong(
            f"{_shown(text)} cannot follow a payment; use capture, capture:AMOUNT, void, refund "
            "or refund:AMOUNT, several separated by ;"
        )
    return Step(Verb(verb), _amount(amount) if colon else None)


def _fault(value: str) -> Fault | None:
    if not value:
        return None
    found = fault_named(value)
    if found is None:
        raise _Wrong(
            f"{_shown(value)} is no fault; use {', '.join(FAULTS)}, and behind it "
            f"{' or '.join(f'@{moment}' for moment in MOMENTS)} for a later moment than the payment"
        )
    return found


def _has_moment(fault: Fault, then: tuple[Step, ...]) -> bool:
    """A later fault finds its request by the amount, so that must be said."""
    return fault.moment == "create" or any(
        step.verb == fault.moment and step.amount_minor is not None for step in then
    )


def _shown(value: str) -> str:
    return repr(value[:SHOWN_MAX])
