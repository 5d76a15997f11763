"""Pages of lists: newest first, by cursor, never by offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

LIMIT_DEFAULT = 10
LIMIT_MAX = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: at most `limit` rows (1-100) older than `after`, or newer than `before`."""

    limit: int = LIMIT_DEFAULT
    after: UUID | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows newest first, and whether more follow in the direction that was asked for."""

    rows: Sequence[T]
    has_more: bool


def page_of(rows: Sequence[T], request: PageRequest) -> Page[T]:
    """Make a page of at most `limit + 1` rows, read in the order of the asking.

    A page asked with `before` is read oldest first, so it is turned round here.
    """
    kept = rows[: request.limit]
    if request.before is not None:
        kept = kept[::-1]
    return Page(kept, has_more=len(rows) > request.limit)
