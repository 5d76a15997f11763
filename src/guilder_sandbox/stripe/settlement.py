"""The settlement file: a day's captures and refunds in the style of Stripe's balance reports."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

from guilder_sandbox.book import Book, Movement
from guilder_sandbox.clock import EPOCH, micros_of
from guilder_sandbox.stripe.currencies import in_major_units, tariff_fee
from guilder_sandbox.stripe.desk import PROVIDER

COLUMNS = (
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "payment_intent_id",
    "payment_metadata[guilder_attempt]",
    "description",
)
AVAILABLE_AFTER = timedelta(days=2)


async def settlement_file(book: Book, day: date) -> AsyncIterator[bytes]:
    """The lines of one UTC day; amounts are decimal numbers of whole units, refunds negative."""
    start = datetime.combine(day, time(), UTC)
    yield _lines([COLUMNS])
    async for movements in book.stream(
        PROVIDER, from_us=micros_of(start), until_us=micros_of(start + timedelta(days=1))
    ):
        yield _lines(
            [
                _line(movement)
                for movement in movements
                if movement.kind in {"capture", "refund"} and movement.state == "succeeded"
            ]
        )


def _line(m: Movement) -> tuple[str, ...]:
    refunded = m.kind == "refund"
    currency = m.currency.lower()
    gross = -m.amount_minor if refunded else m.amount_minor
    fee = 0 if refunded else tariff_fee(m.amount_minor)
    source = m.ref if refunded else m.charge_ref
    created = EPOCH + timedelta(microseconds=m.at_us)
    available = (created + AVAILABLE_AFTER).date()
    return (
        f"txn_{source[3:]}",
        f"{created:%Y-%m-%d %H:%M:%S}",
        f"{available:%Y-%m-%d} 00:00:00",
        currency,
        in_major_units(gross, currency),
        in_major_units(fee, currency),
        in_major_units(gross - fee, currency),
        "refund" if refunded else "charge",
        source,
        m.payment_ref,
        m.payment_our_ref or "",
        m.description or "",
    )


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
