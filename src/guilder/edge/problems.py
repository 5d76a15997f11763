"""Refusals as answers: RFC 9457 problem documents, and the one table from kind to status."""

from dataclasses import dataclass

import msgspec
import structlog

from guilder.edge.endpoint import Reply
from guilder.edge.errors import FieldRefused, HttpRefusal, MethodNotAllowed
from guilder.kernel.errors import Kind, Refusal

STATUS: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNPROCESSABLE: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.REFUSED: 402,
    Kind.BUSY: 429,
    Kind.UPSTREAM: 503,
}
assert set(STATUS) == set(Kind), "every kind of refusal has its status"

MEDIA_TYPE = "application/problem+json"
_TYPE = ("content-type", MEDIA_TYPE)


class FieldProblem(msgspec.Struct, frozen=True):
    """One wrong field: where it is, which rule it breaks, and how."""

    param: str
    error_code: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is answered instead of what was asked for (RFC 9457, with our members)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error_code: str
    retryable: bool
    correlation_id: str
    param: str | None = None
    errors: list[FieldProblem] | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Where a refusal met us: the path that was asked, and the id that ties the logs to it."""

    instance: str
    correlation_id: str


def status_of(refusal: type[Refusal]) -> int:
    """The status of a class of refusals: HTTP's own, or that of its kind."""
    return refusal.status if issubclass(refusal, HttpRefusal) else STATUS[refusal.kind]


def title_of(code: str) -> str:
    """A code as a heading: the same for every occurrence, as RFC 9457 asks."""
    return code.replace("_", " ").capitalize()


def refused(refusal: Refusal, at: Circumstance) -> Reply:
    """A refusal as a problem document with its headers."""
    kind = type(refusal)
    errors: list[FieldProblem] | msgspec.UnsetType = msgspec.UNSET
    if isinstance(refusal, FieldRefused) or (
        refusal.kind is Kind.UNPROCESSABLE and refusal.param is not None
    ):
        errors = [FieldProblem(refusal.param or "", kind.code, refusal.message)]
    problem = Problem(
        type=f"/docs/errors#{kind.code}",
        title=title_of(kind.code),
        status=status_of(kind),
        detail=refusal.message,
        instance=at.instance,
        error_code=kind.code,
        retryable=kind.retryable,
        correlation_id=at.correlation_id,
        param=refusal.param,
        errors=errors,
    )
    return Reply(problem.status, msgspec.json.encode(problem), _headers(refusal))


FAULT_CODE = "internal_fault"


def fault(cause: BaseException, at: Circumstance) -> Reply:
    """A bug as a plain 500: the log has the traceback, the answer has only the id to find it."""
    structlog.get_logger("guilder.edge").error(
        "fault", instance=at.instance, correlation_id=at.correlation_id, exc_info=cause
    )
    problem = Problem(
        type=f"/docs/errors#{FAULT_CODE}",
        title=title_of(FAULT_CODE),
        status=500,
        detail="something is wrong on our side; quote the correlation id when you report it",
        instance=at.instance,
        error_code=FAULT_CODE,
        retryable=False,
        correlation_id=at.correlation_id,
    )
    return Reply(500, msgspec.json.encode(problem), (_TYPE,))


def _headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = [_TYPE]
    if isinstance(refusal, MethodNotAllowed):
        headers.append(("allow", refusal.allow))
    if refusal.kind is Kind.UNAUTHENTICATED:
        headers.append(("www-authenticate", "Bearer"))
    if refusal.retry_after_seconds is not None:
        headers.append(("retry-after", str(refusal.retry_after_seconds)))
    return tuple(headers)
