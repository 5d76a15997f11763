"""Verify: check the invariants over everything, and name each violation."""

from collections.abc import AsyncGenerator

from guilder.kernel.finding import Finding
from guilder.kernel.ids import AttemptId
from guilder.ledger import public as ledger
from guilder.payments import public as payments
from guilder.plumbing import outbox
from guilder.plumbing.db import Database, ReadTx

BATCH = 1000


async def verify(db: Database) -> list[Finding]:
    """Check I1, I3, I5, I6, I7, I9 and I11 on one snapshot; an empty list is a clean book."""
    async with db.reading() as tx:
        return [
            *(await ledger.prove_book(tx)).findings,
            *await payments.verify_payments(tx),
            *[finding async for finding in _moved_against_booked(tx)],
            *await outbox.verify_outbox(tx),
        ]


async def _moved_against_booked(tx: ReadTx) -> AsyncGenerator[Finding]:
    """I3: every attempt that moved money has one entry of its amount, and no entry is alone."""
    after: AttemptId | None = None
    seen = 0
    while moved := await payments.list_moved(tx, after, limit=BATCH):
        booked = await ledger.amounts_by_source(
            tx, payments.SYSTEM, [str(attempt_id) for attempt_id, _ in moved]
        )
        for attempt_id, amount in moved:
            told = booked.get(str(attempt_id))
            if told != amount:
                yield Finding(
                    "I3", str(attempt_id), f"the attempt moved {amount}, the book says {told}"
                )
        seen += sum(str(attempt_id) in booked for attempt_id, _ in moved)
        after = moved[-1][0]
    entries = await ledger.count_entries(tx, payments.SYSTEM)
    if entries != seen:
        yield Finding("I3", payments.SYSTEM, f"{entries} entries, but {seen} attempts moved money")
