"""What the edge itself refuses, before any context is asked; each becomes a problem."""

from collections.abc import Iterable
from typing import ClassVar

from guilder.kernel.errors import Kind, Refusal


class HttpRefusal(Refusal):
    """A refusal that HTTP itself has a status for, where the kind's own status would be coarse."""

    status: ClassVar[int]


class RouteNotFound(Refusal):
    """There is nothing at this path; paths are written exactly as documented."""

    code = "route_not_found"
    kind = Kind.NOT_FOUND


class MethodNotAllowed(HttpRefusal):
    """The path exists, but not with this method; the `Allow` header names those it has."""

    code = "method_not_allowed"
    kind = Kind.INVALID
    status = 405

    def __init__(self, message: str, *, allow: Iterable[str]) -> None:
        super().__init__(message)
        self.allow = ", ".join(sorted(allow))


class MalformedRequest(Refusal):
    """The request breaks a rule of HTTP, such as a header given twice or a bad query string."""

    code = "malformed_request"
    kind = Kind.INVALID


class BodyTooLarge(HttpRefusal):
    """The body is larger than this API reads."""

    code = "body_too_large"
    kind = Kind.INVALID
    status = 413


class BodyTooSlow(HttpRefusal):
    """The body did not arrive in time; nothing was done."""

    code = "body_too_slow"
    kind = Kind.INVALID
    status = 408
    retryable = True


class Unauthenticated(Refusal):
    """No key was presented, or it is unknown, mistyped or revoked."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class ScopeMissing(Refusal):
    """The key is good, but does not have the scope this endpoint needs."""

    code = "scope_missing"
    kind = Kind.FORBIDDEN


class KeyMissing(Refusal):
    """The request changes something and carries no `Idempotency-Key`."""

    code = "idempotency_key_missing"
    kind = Kind.INVALID


class KeyMalformed(Refusal):
    """The `Idempotency-Key` is longer than 255 characters or has characters that do not print."""

    code = "idempotency_key_malformed"
    kind = Kind.INVALID


class UnsupportedMediaType(HttpRefusal):
    """The body is not declared as `application/json`, or is compressed."""

    code = "unsupported_media_type"
    kind = Kind.INVALID
    status = 415


class MalformedJson(Refusal):
    """The body is not one JSON object in UTF-8 as RFC 8259 has it."""

    code = "malformed_json"
    kind = Kind.INVALID


class FieldRefused(Refusal):
    """A field is wrong; `param` is its path, and `errors` lists every wrong field that was seen."""

    kind = Kind.UNPROCESSABLE


class FieldMissing(FieldRefused):
    """A field that must be there is not."""

    code = "field_missing"


class FieldUnknown(FieldRefused):
    """A field or query parameter that this endpoint does not know."""

    code = "field_unknown"


class FieldInvalid(FieldRefused):
    """A field or query parameter has a value of the wrong type or out of its range."""

    code = "field_invalid"


class NotReady(Refusal):
    """A part that requests need is not answering; `detail` names it."""

    code = "not_ready"
    kind = Kind.UPSTREAM
    retryable = True
