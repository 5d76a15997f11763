"""What the API says of itself: its OpenAPI document, readable pages, and a place to try it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files

import msgspec

from guilder.edge import openapi
from guilder.edge.endpoint import Call, Contract, Endpoint, Key, Reply
from guilder.edge.pages import endpoints as endpoints_page
from guilder.edge.pages import errors as errors_page
from guilder.edge.pages import swagger as swagger_page
from guilder.edge.refusals import all_refusals

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML = "text/html; charset=utf-8"
_CSS = "text/css; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"
_KEPT = "public, max-age=3600"


def document_endpoints(
    endpoints: Sequence[Endpoint], *, version: str, events: Mapping[str, type]
) -> list[Endpoint]:
    """Endpoints that answer with documents made once; they are not in the document themselves."""
    document = openapi.document(endpoints, version=version, events=events)
    folder = files("guilder.edge")
    vendored = folder / "vendored" / "swagger-ui"
    return [
        _fixed("/openapi.json", msgspec.json.encode(document), "application/json"),
        _fixed("/docs", endpoints_page.render(document), _HTML),
        _fixed("/docs/errors", errors_page.render(all_refusals(endpoints)), _HTML),
        _fixed("/docs/docs.css", (folder / "pages" / "docs.css").read_bytes(), _CSS),
        _fixed("/docs/swagger", swagger_page.render(), _HTML),
        _fixed("/docs/swagger.js", (folder / "pages" / "swagger.js").read_bytes(), _SCRIPT),
        _fixed("/docs/swagger-ui.css", (vendored / "swagger-ui.css").read_bytes(), _CSS),
        _fixed("/docs/swagger-ui.js", (vendored / "swagger-ui-bundle.js").read_bytes(), _SCRIPT),
    ]


def _fixed(path: str, body: bytes, media_type: str) -> Endpoint:
    headers = (
        ("content-type", media_type),
        ("cache-control", _KEPT),
        ("content-security-policy", _CSP),
        ("referrer-policy", "no-referrer"),
    )
    contract = Contract("GET", path, None, path, {}, None, None, (), Key.UNUSED, None)
    return Endpoint(contract, path, "documents", _answering(Reply(200, body, headers)))


def _answering(reply: Reply) -> Callable[[Call], Awaitable[Reply]]:
    async def run(_: Call) -> Reply:
        return reply

    return run
