"""The app: desks become routes, refusals become problems, and the tables become documents."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from guilder.edge import correlation, problems
from guilder.edge.documents import document_endpoints
from guilder.edge.endpoint import Reply, all_endpoints
from guilder.edge.errors import MalformedRequest
from guilder.edge.exchange import Authenticate, Exchange, Gate, head_fields
from guilder.edge.problems import Circumstance
from guilder.kernel.clock import Clock

BODY_BYTES_MAX = 256 * 1024  # Fifty metadata entries at their longest are a tenth of this.
BODY_SECONDS_MAX = 20  # A slow phone needs two; a socket that drips is holding a place.

Hook = Callable[[], Awaitable[None]]


def build_app(  # noqa: PLR0913 - the parts of the whole, each by its name.
    desks: Sequence[object],
    *,
    authenticate: Authenticate,
    clock: Clock,
    events: Mapping[str, type] | None = None,
    body_bytes_max: int = BODY_BYTES_MAX,
    body_seconds_max: int = BODY_SECONDS_MAX,
    on_startup: Sequence[Hook] = (),
    on_shutdown: Sequence[Hook] = (),
) -> Litestar:
    """The API of these desks, with its documents at `/openapi.json` and `/docs`.

    `events` are the webhooks it sends, by topic: each the class that `data` is made from.
    """
    gate = Gate(authenticate, clock, body_bytes_max, body_seconds_max)
    endpoints = all_endpoints(desks)
    documents = document_endpoints(endpoints, version=version("guilder"), events=events or {})
    return Litestar(
        route_handlers=[_mounted(Exchange([*endpoints, *documents], gate))],
        openapi_config=None,
        logging_config=None,
        exception_handlers={HTTPException: _framework_refusal, Exception: _framework_fault},
        on_startup=list(on_startup),
        on_shutdown=list(on_shutdown),
    )


def _mounted(exchange: Exchange) -> ASGIRouteHandler:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await exchange(scope, receive, send)

    return asgi("/", is_mount=True, copy_scope=False)(run)


def _framework_refusal(request: Request[Any, Any, Any], _: HTTPException) -> Response[bytes]:
    """What Litestar refuses before we see it, such as a `Host` that is none."""
    at = _circumstance(request)
    return _response(
        problems.refused(MalformedRequest("the request breaks a rule of HTTP"), at), at
    )


def _framework_fault(request: Request[Any, Any, Any], cause: Exception) -> Response[bytes]:
    at = _circumstance(request)
    return _response(problems.fault(cause, at), at)


def _circumstance(request: Request[Any, Any, Any]) -> Circumstance:
    return Circumstance(
        request.scope["path"], correlation.begin(request.headers.get("traceparent"))
    )


def _response(reply: Reply, at: Circumstance) -> Response[bytes]:
    headers = {
        name.decode(): value.decode() for name, value in head_fields(reply, at.correlation_id)
    }
    return Response(
        reply.body,
        status_code=reply.status,
        headers=headers,
        media_type=headers.pop("content-type"),
    )
