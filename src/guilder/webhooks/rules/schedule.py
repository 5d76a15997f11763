"""When a delivery is tried again, and when it is given up."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from guilder.webhooks.model import Answer, Errand, TryRecord
from guilder.webhooks.states import DeliveryState, move_delivery

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits between tries, as Standard Webhooks recommends: long enough for a weekend's outage."""
TRIES_MAX = len(WAITS) + 1
JITTER_PERMILLE = 100  # Receivers that were down together are not all tried together.
RETRY_AFTER_MAX = timedelta(hours=24)

_TRIES_TOLD = frozenset({429, 503})  # The statuses with which a Retry-After means something.
_DIGITS_MAX = 9


def after_try(errand: Errand, answer: Answer, *, tried_at: datetime) -> TryRecord:
    """What follows from a try: delivered, to be tried again at an instant, or given up."""
    ended_at = tried_at + timedelta(milliseconds=answer.duration_ms)
    state, next_try_at = DeliveryState.PENDING, None
    if answer.status is not None and 200 <= answer.status < 300:
        state = move_delivery(state, DeliveryState.DELIVERED)
    elif answer.status == 410 or errand.tries_left <= 1:
        state = move_delivery(state, DeliveryState.FAILED)
    else:
        next_try_at = _next_try(errand, answer, ended_at)
    return TryRecord(errand, answer, tried_at, ended_at, state, next_try_at)


def _next_try(errand: Errand, answer: Answer, now: datetime) -> datetime:
    wait = WAITS[TRIES_MAX - min(errand.tries_left, TRIES_MAX)]
    at = now + wait * (1000 + _jitter(errand)) // 1000
    if answer.status in _TRIES_TOLD and answer.retry_after is not None:
        asked = retry_after(answer.retry_after, now)
        if asked is not None:
            return max(at, asked)
    return at


def _jitter(errand: Errand) -> int:
    """Thousandths to add or take off: even over deliveries, and always the same for one try."""
    name = errand.delivery_id.value.bytes + errand.number.to_bytes(4, "big")
    drawn = int.from_bytes(hashlib.sha256(name).digest()[:4], "big")
    return drawn % (2 * JITTER_PERMILLE + 1) - JITTER_PERMILLE


def retry_after(text: str, now: datetime) -> datetime | None:
    """The instant a `Retry-After` asks for (RFC 9110: seconds or a date), at most a day away.

    None when it is malformed or in the past.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        at = (
            now + timedelta(seconds=int(text))
            if len(text) <= _DIGITS_MAX
            else now + RETRY_AFTER_MAX
        )
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(at, now + RETRY_AFTER_MAX) if at > now else None
