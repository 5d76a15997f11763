"""Pure decisions of intake: which headers are kept, and when a message is looked at again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

JOB_PATIENCE = timedelta(seconds=10)  # Until then a fresh message belongs to its own job.
LEASE = timedelta(seconds=60)  # Longer than any look lasts; afterwards the worker is dead.

TRY_WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""The waits between tries that ended in trouble: eight tries over some seventeen hours, time
enough for people to repair what is broken, after which the message is set aside."""
TRIES_MAX = len(TRY_WAITS) + 1

LOOK_WAITS = (
    (timedelta(hours=1), timedelta(seconds=15)),  # Its payment is most likely being written now.
    (timedelta(hours=24), timedelta(minutes=10)),  # A restored database may yet learn of it.
)
"""How often a parked message is looked at, by its age; past the last age it is set aside."""

_TELLTALE = ("authorization", "cookie", "secret", "token", "password", "credential", "api-key")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those that could carry a secret of the provider's or of a proxy's."""
    return {
        name: value
        for name, value in headers.items()
        if not any(word in name.lower() for word in _TELLTALE)
    }


def next_try(tries: int, now: datetime) -> datetime | None:
    """When to try again after this many tries, or None when that was the last."""
    return now + TRY_WAITS[tries - 1] if 0 < tries < TRIES_MAX else None


def next_look(received_at: datetime, now: datetime) -> datetime | None:
    """When to look again for the payment of a parked message, or None when none will come."""
    age = now - received_at
    for age_max, wait in LOOK_WAITS:
        if age < age_max:
            return now + wait
    return None
