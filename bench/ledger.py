"""Entries per second in process, beside COPY of the same rows into the same tables."""

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

from bench.report import Report
from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money
from guilder.ledger import store
from guilder.ledger.actions.post_entries import post_entries
from guilder.ledger.actions.prove_book import prove_book
from guilder.ledger.model import AccountRef, Entry, credit, debit
from guilder.ledger.rules.chain import first_place
from guilder.plumbing import migrate
from guilder.plumbing.db import Database
from guilder.plumbing.postgres.supervisor import EmbeddedPostgres

ACCOUNTS = 100_000
SIZES = (1, 100, 1_000, 8_000)
LIMITS = (1_000, 8_000)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
AMOUNT = Money(100, Currency.of("EUR"))
FLOOR = -(10**12)

REFS = [AccountRef(AccountId(UUID(int=(7 << 76) + (8 << 60) + n))) for n in range(1, ACCOUNTS + 1)]


async def run(report: Report, *, seconds: int) -> None:
    """Measure each size on spread accounts and on one hot account, then COPY, then the proof."""
    with tempfile.TemporaryDirectory(prefix="guilder-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        url = postgres.start().url()
        try:
            db = await Database.open(url, connections_max=2, name="bench")
            await migrate.apply(db, migrate.read(migrate.folder()))
            await _open_accounts(db)
            await _measure(report, db, seconds)
            await db.close()
        finally:
            postgres.stop()
            postgres.remove()


async def _measure(report: Report, db: Database, seconds: int) -> None:
    report.heading(
        f"ledger: two postings an entry, {ACCOUNTS:,} accounts; floors, dedupe, chain, all durable"
    )
    dice, numbers = random.Random(1), count()
    rates: dict[int, float] = {}
    for size in SIZES:
        rates[size] = await _post(db, dice, numbers, size, seconds, hot=False)
        hot = await _post(db, dice, numbers, size, seconds, hot=True)
        report.add(
            f"batches of {size:,}",
            spread_per_second=round(rates[size]),
            hot_per_second=round(hot),
            hot_to_spread=round(hot / rates[size], 2),
        )
    started = time.perf_counter()
    async with db.reading() as tx:
        replay = await prove_book(tx)
    assert not replay.findings, replay.findings[:3]
    report.add(
        "proof of all of them", entries=replay.entries, seconds=time.perf_counter() - started
    )
    for size in LIMITS:
        limit = await _copy(db, dice, numbers, size, seconds)
        report.add(
            f"COPY of the same rows, {size:,} a commit",
            per_second=round(limit),
            ratio=round(rates[size] / limit, 2),
        )


async def _open_accounts(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.copy_rows(
            "ledger",
            "account",
            ("id", "is_test", "owner_id", "purpose", "currency", "exponent", "normal_side",
             "metadata", "created_at"),
            [(ref.id.value, True, ref.id.value, "wallet", "EUR", 2, "credit", "{}", AT)
             for ref in REFS],
        )  # fmt: skip
        rows = [(ref.id.value, -1, FLOOR) for ref in REFS]
        await tx.copy_rows("ledger", "balance", ("account_id", "sign", "floor_minor"), rows)


async def _post(
    db: Database,
    dice: random.Random,
    numbers: "Iterator[int]",
    size: int,
    seconds: float,
    *,
    hot: bool,
) -> float:
    """Entries a second; making the entries is not counted, posting and committing is."""
    posted, spent = 0, 0.0
    while spent < seconds:
        entries = [_entry(dice, next(numbers), hot=hot) for _ in range(size)]
        started = time.perf_counter()
        async with db.transaction() as tx:
            outcomes = await post_entries(tx, entries, AT)
        spent += time.perf_counter() - started
        assert all(isinstance(outcome, EntryId) for outcome in outcomes), "all are posted"
        posted += size
    return posted / spent


async def _copy(
    db: Database, dice: random.Random, numbers: "Iterator[int]", size: int, seconds: float
) -> float:
    """The limit: COPY into sources, entries and postings, with no decision and no balance."""
    copied, spent = 0, 0.0
    base = first_place(datetime.now(UTC)) + 10**11  # noqa: TID251 - the partition of this month.
    while spent < seconds:
        places = [base + next(numbers) for _ in range(size)]
        names = [f"copy {place}" for place in places]
        sources = [("bench", name, place) for name, place in zip(names, places, strict=True)]
        entries = [
            (place, REFS[0].id.value, True, "bench", name, "bench", None, AT, AT, None, b"x" * 32)
            for name, place in zip(names, places, strict=True)
        ]
        postings = [
            (place, line, dice.choice(REFS).id.value, line == 0, 100, "EUR", 1, 1, 1)
            for place in places
            for line in (0, 1)
        ]
        started = time.perf_counter()
        async with db.transaction() as tx:
            await tx.copy_rows("ledger", "source", store.SOURCE_COLUMNS, sources)
            await tx.copy_rows("ledger", "entry", store.ENTRY_COLUMNS, entries)
            await tx.copy_rows("ledger", "posting", store.POSTING_COLUMNS, postings)
        spent += time.perf_counter() - started
        copied += size
    return copied / spent


def _entry(dice: random.Random, number: int, *, hot: bool) -> Entry:
    source = REFS[0] if hot else dice.choice(REFS)
    target = dice.choice(REFS)
    if source is target:
        source, target = REFS[0], REFS[1]
    lines = (debit(source, AMOUNT), credit(target, AMOUNT))
    return Entry(EntryId.new(), True, "bench", f"{number:012d}", "bench", AT, lines)  # noqa: FBT003
