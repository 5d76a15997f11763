"""Make the partitions of the months to come, well before the first entry of a month."""

from datetime import datetime, timedelta

from guilder.ledger import store
from guilder.plumbing.db import Database

AHEAD = (timedelta(0), timedelta(days=31), timedelta(days=62))
"""This month, the next, and the one after: two months to notice that the worker is away."""


async def reserve_months(db: Database, now: datetime) -> None:
    """Make sure of this month's partitions and of the next two's (UTC); repeating is harmless."""
    async with db.transaction() as tx:
        for step in AHEAD:
            await store.make_partitions(tx, (now.replace(day=1) + step).date())
