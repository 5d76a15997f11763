"""Refusals: what went wrong in the business' own words, without HTTP."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What kind of wrong a refusal is; the edge maps each kind to one status."""

    INVALID = "invalid"  # The request is malformed; sending it again cannot help.
    UNPROCESSABLE = "unprocessable"  # Well-formed, but a field says something impossible.
    UNAUTHENTICATED = "unauthenticated"  # We do not know who is calling.
    FORBIDDEN = "forbidden"  # We know, and they may not.
    NOT_FOUND = "not_found"  # Nothing of theirs has this id.
    CONFLICT = "conflict"  # It clashes with what is already there or going on.
    REFUSED = "refused"  # The money side says no.
    BUSY = "busy"  # Too much at once; wait and try again.
    UPSTREAM = "upstream"  # Someone we depend on is not answering.


class Refusal(Exception):  # noqa: N818 - a refusal is named for the situation, without a suffix.
    """A business "no": `code` is published, `kind` decides the status, `param` names the field."""

    code: ClassVar[str]
    kind: ClassVar[Kind]
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, param: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds
