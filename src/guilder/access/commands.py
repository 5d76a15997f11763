"""What the operator's console does with keys."""

from datetime import datetime

from guilder.access import actions
from guilder.access.model import ApiKey, NewKey
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Database


async def create_key(db: Database, new: NewKey, *, now: datetime) -> tuple[ApiKey, Secret]:
    """Issue a key, the first one of an installation too. Raises `UnknownScope`."""
    async with db.transaction() as tx:
        return await actions.issue_key(tx, new, now=now)
