"""Lists over HTTP: how a page is asked for, and how it is shown."""

from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from guilder.edge.errors import FieldInvalid
from guilder.kernel.ids import Id
from guilder.kernel.page import LIMIT_DEFAULT, LIMIT_MAX, PageRequest

View = TypeVar("View")

Limit = Annotated[
    int, msgspec.Meta(ge=1, le=LIMIT_MAX, description="How many at most, newest first.")
]
After = Annotated[str, msgspec.Meta(description="Show what is older than the one with this id.")]
Before = Annotated[str, msgspec.Meta(description="Show what is newer than the one with this id.")]


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list; a list with filters has a query of its own that extends this one."""

    limit: Limit = LIMIT_DEFAULT
    starting_after: After | None = None
    ending_before: Before | None = None

    def page(self, kind: type[Id]) -> PageRequest:
        """The page asked for, by ids of this kind.

        Raises `MalformedId`, or `FieldInvalid` when both directions are asked for.
        """
        if self.starting_after is not None and self.ending_before is not None:
            raise FieldInvalid(
                "ending_before: give either starting_after or ending_before, not both",
                param="ending_before",
            )
        return PageRequest(
            limit=self.limit,
            after=_cursor(kind, self.starting_after, "starting_after"),
            before=_cursor(kind, self.ending_before, "ending_before"),
        )


class ListView(msgspec.Struct, Generic[View], frozen=True):
    """A page of a list, newest first; `has_more` is about the direction that was asked for."""

    object: Literal["list"]
    data: list[View]
    has_more: bool
    url: str


def listed(url: str, data: list[View], *, has_more: bool) -> ListView[View]:
    """A page as it is answered; `url` is the list's own path."""
    return ListView("list", data, has_more, url)


def _cursor(kind: type[Id], text: str | None, param: str) -> UUID | None:
    return None if text is None else kind.parse(text, param=param).value
