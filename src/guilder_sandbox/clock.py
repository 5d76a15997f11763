"""The sandbox's wall clock, which a test may move, and the real one, which nothing moves."""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """The wall time that providers write into their objects, files and signatures."""

    def __init__(self, *, ahead_us: int) -> None:
        self.ahead_us = ahead_us

    def micros(self) -> int:
        """Microseconds since 1970 in UTC, as far ahead of the real clock as it was moved."""
        return real_micros() + self.ahead_us

    def seconds(self) -> int:
        return self.micros() // 1_000_000

    def move(self, to: datetime | None) -> None:
        """Show `to` from now on, and run on from there; None goes back to the real time."""
        self.ahead_us = 0 if to is None else micros_of(to) - real_micros()


def real_micros() -> int:
    return time.time_ns() // 1000


def real_millis() -> int:
    return time.time_ns() // 1_000_000


def micros_of(instant: datetime) -> int:
    """Whole microseconds since 1970, without passing through a float."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def rfc3339(micros: int) -> str:
    text = (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime | None:
    """An RFC 3339 instant with its zone, or None when the text is not one."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
