"""The chain: each entry carries a hash of itself and of all before it."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

NUMBERS = 10**12
"""How many places a month has: far more than can be written in one."""

GENESIS = hashlib.sha256(b"Guilder").digest()
"""The hash before the first entry."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode

Line = tuple[str, bool, int, str]
"""Account id in hex, whether it is a debit, amount in minor units, currency."""


def first_place(at: datetime) -> int:
    """The number below the first place of this instant's month, in UTC."""
    utc = at.astimezone(UTC)
    return (utc.year * 100 + utc.month) * NUMBERS


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970, without a float on the way."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def hash_of(
    before: bytes,
    seq: int,
    entry_id: UUID,
    facts: tuple[bool, str, str, str, str | None, str | None],
    times: tuple[int, int],
    lines: Sequence[Line],
) -> bytes:
    """SHA-256 over the hash before and this entry in one unambiguous form, compact JSON.

    `facts` are is_test, source system, source event, reason, the corrected entry's id in hex, and
    the metadata as the database returns it; `times` are effective and recorded, in microseconds.
    """
    told = _encode((seq, entry_id.hex, facts, times, lines))
    return hashlib.sha256(before + told).digest()
