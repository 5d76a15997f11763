"""The app: desks become routes, refusals become problems, and the tables become documents."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from guilder.edge import correlation, problems
from guilder.edge.endpoint import Endpoint, Reply, all_endpoints
from guilder.edge.errors import MalformedRequest, RouteNotFound
from guilder.edge.exchange import Authenticate, Exchange, Gate, head_fields
from guilder.edge.problems import Circumstance
from guilder.kernel.clock import Clock
from guilder.kernel.errors import Refusal

BODY_BYTES_MAX = 256 * 1024  # Fifty metadata entries at their longest are a tenth of this.
BODY_SECONDS_MAX = 20  # A slow phone needs two; a socket that drips is holding a place.

Hook = Callable[[], Awaitable[None]]


def build_app(  # noqa: PLR0913 - the parts of the whole, each by its name.
    desks: Sequence[object],
    *,
    authenticate: Authenticate,
    clock: Clock,
    body_bytes_max: int = BODY_BYTES_MAX,
    body_seconds_max: int = BODY_SECONDS_MAX,
    on_startup: Sequence[Hook] = (),
    on_shutdown: Sequence[Hook] = (),
) -> Litestar:
    """The API of these desks."""
    gate = Gate(authenticate, clock, body_bytes_max, body_seconds_max)
    endpoints = all_endpoints(desks)
    return Litestar(
        route_handlers=[*_routes(endpoints, gate)],
        openapi_config=None,
        logging_config=None,
        exception_handlers={HTTPException: _framework_refusal, Exception: _framework_fault},
        on_startup=list(on_startup),
        on_shutdown=list(on_shutdown),
    )


def _routes(endpoints: Sequence[Endpoint], gate: Gate) -> list[ASGIRouteHandler]:
    by_path: defaultdict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        by_path[endpoint.contract.path].append(endpoint)
    return [_route(path, Exchange(found, gate)) for path, found in by_path.items()]


def _route(path: str, exchange: Exchange) -> ASGIRouteHandler:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await exchange(scope, receive, send)

    return asgi(path.replace("}", ":str}"), copy_scope=False)(run)


def _framework_refusal(request: Request[Any, Any, Any], trouble: HTTPException) -> Response[bytes]:
    refusal: Refusal
    if trouble.status_code == 404:
        refusal = RouteNotFound("there is nothing at this path; /docs lists what there is")
    else:
        refusal = MalformedRequest("the request breaks a rule of HTTP")
    at = _circumstance(request)
    return _response(problems.refused(refusal, at), at)


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
