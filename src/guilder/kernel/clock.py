"""The one place that reads wall time; tests and the sandbox can move it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Wall time in UTC, shifted by an offset that only tests and test helpers change."""

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The present instant, aware, in UTC, to the microsecond."""
        return datetime.now(UTC) + self._offset  # noqa: TID251 - this is the place.

    def move(self, by: timedelta) -> None:
        """Shift time by `by`; shifts add up."""
        self._offset += by


def rfc3339(instant: datetime) -> str:
    """An instant as RFC 3339 text in UTC with microseconds, e.g. 2026-11-20T19:00:00.000000Z."""
    utc = instant.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
