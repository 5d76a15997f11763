"""OpenAPI 3.1 from the endpoint tables, which know every answer an endpoint may give."""

import inspect
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_type_hints

import msgspec

from guilder.edge import problems, schema
from guilder.edge.endpoint import Contract, Endpoint, Key
from guilder.edge.errors import Unauthenticated
from guilder.edge.exchange import Nothing
from guilder.edge.refusals import all_refusals, refusals_of
from guilder.kernel.errors import Refusal
from guilder.kernel.ids import Id

Node = dict[str, Any]

_CURSORS = {"starting_after", "ending_before"}
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_RETRY_STATUSES = {"408", "409", "429", "503"}


def document(endpoints: Sequence[Endpoint], *, version: str, events: Mapping[str, type]) -> Node:
    """The whole API; `events` are the webhooks we send, by topic."""
    named = schema.components(_types(endpoints, events))
    paths: defaultdict[str, Node] = defaultdict(dict)
    shared: Node = {}
    for endpoint in endpoints:
        contract = endpoint.contract
        paths[contract.path][contract.method.lower()] = _operation(endpoint, named, shared)
    tags = sorted({endpoint.tag for endpoint in endpoints})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Guilder",
            "version": version,
            "description": "Payments, merchants and their books. Amounts are whole numbers of the "
            "currency's smallest unit. Errors are problem documents (RFC 9457); `/docs/errors` "
            "lists their codes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": dict(paths),
        "webhooks": {topic: _webhook(topic, kind) for topic, kind in sorted(events.items())},
        "components": {
            "schemas": named,
            "headers": _HEADERS,
            "responses": shared,
            "parameters": {"IdempotencyKey": _IDEMPOTENCY_KEY, "Traceparent": _TRACEPARENT},
            "examples": {kind.code: _example(kind) for kind in all_refusals(endpoints)},
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `gk_test_…` or `gk_live_…`.",
                }
            },
        },
    }


def _types(endpoints: Sequence[Endpoint], events: Mapping[str, type]) -> list[Any]:
    found: list[Any] = [problems.Problem, Nothing, *events.values()]
    for endpoint in endpoints:
        contract = endpoint.contract
        found += contract.gives.values()
        found += [contract.takes] if contract.takes else []
    return list({repr(one): one for one in found if one is not bytes}.values())


def _operation(endpoint: Endpoint, named: Mapping[str, Node], shared: Node) -> Node:
    contract = endpoint.contract
    operation: Node = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": contract.summary,
        "description": _description(endpoint),
        "parameters": _parameters(contract),
        "responses": _gives(contract, named) | _refuses(contract, shared),
        "security": [{"apiKey": []}] if contract.scope else [],
    }
    body = _body(contract, named)
    return operation | ({"requestBody": body} if body else {})


def _description(endpoint: Endpoint) -> str:
    told = inspect.getdoc(endpoint.run) or ""
    scope = endpoint.contract.scope
    needs = f"Needs the scope `{scope}`." if scope else "Needs no API key."
    return f"{told}\n\n{needs}".strip()


def _parameters(contract: Contract) -> list[Node]:
    found: list[Node] = [
        {"name": name, "in": "path", "required": True, "schema": schema.parameter_schema(name)}
        for name in _PATH_PARAMETER.findall(contract.path)
    ]
    found += _query_parameters(contract)
    if contract.key is Key.REQUIRED:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    found.append({"$ref": "#/components/parameters/Traceparent"})
    return found


def _query_parameters(contract: Contract) -> list[Node]:
    if contract.query is None:
        return []
    whole = schema.components([contract.query])[contract.query.__name__]
    cursor = _cursor_schema(contract)
    found: list[Node] = []
    for name, field in whole.get("properties", {}).items():
        plain = _without_null(field)
        if name in _CURSORS and cursor:
            plain = {**cursor, "description": plain.get("description", "")}
        parameter: Node = {"name": name, "in": "query", "schema": plain}
        parameter["required"] = name in whole.get("required", [])
        if "description" in plain:
            parameter["description"] = plain.pop("description")
        if plain.get("type") == "object":
            parameter |= {"style": "deepObject", "explode": True}
        found.append(parameter)
    return found


def _without_null(field: Node) -> Node:
    """Nothing is written as `null` in a query: what may be absent is left out."""
    plain = {name: value for name, value in field.items() if name != "default"}
    if field.get("default") is not None:
        plain["default"] = field["default"]
    options = [one for one in plain.pop("anyOf", []) if one != {"type": "null"}]
    return {**plain, **options[0]} if len(options) == 1 else plain


def _cursor_schema(contract: Contract) -> Node | None:
    """A cursor is the id of what the list holds, where its view declares a kind of id."""
    views = get_args(contract.gives.get(200))
    kind = get_type_hints(views[0]).get("id") if views else None
    return schema.id_schema(kind) if isinstance(kind, type) and issubclass(kind, Id) else None


def _body(contract: Contract, named: Mapping[str, Node]) -> Node | None:
    takes = contract.takes
    if takes is None:
        if contract.method not in {"POST", "PATCH"}:
            return None
        if contract.scope is None:
            return {"content": {"*/*": {}}, "description": "As its sender has signed it."}
        takes = Nothing
    shape = schema.schema_of(takes)
    example = schema.example_of(shape, named, whole=False)
    required = any(field.required for field in msgspec.structs.fields(takes))
    return {
        "required": required,
        "content": {"application/json": {"schema": shape, "example": example}},
    }


def _gives(contract: Contract, named: Mapping[str, Node]) -> Node:
    found: Node = {}
    for status, view in contract.gives.items():
        headers = {"Request-Id": {"$ref": "#/components/headers/RequestId"}}
        if contract.key is Key.REQUIRED:
            headers["Idempotent-Replayed"] = {"$ref": "#/components/headers/IdempotentReplayed"}
        shape = schema.schema_of(view)
        example = schema.example_of(shape, named, whole=True)
        found[str(status)] = {
            "description": _MEANINGS[status],
            "headers": headers,
            "content": {"application/json": {"schema": shape, "example": example}},
        }
    return found


def _refuses(contract: Contract, shared: Node) -> Node:
    """By status; answers that many operations may give are written once, in `shared`."""
    by_status: defaultdict[str, list[type[Refusal]]] = defaultdict(list)
    for refusal in refusals_of(contract):
        by_status[str(problems.status_of(refusal))].append(refusal)
    found: Node = {}
    for status, kinds in sorted(by_status.items()):
        answer = _refused(status, kinds)
        alike = [name for name, known in shared.items() if known == answer]
        name = alike[0] if alike else f"Refused{status}_{len(shared)}"
        shared[name] = answer
        found[status] = {"$ref": f"#/components/responses/{name}"}
    return found


def _refused(status: str, kinds: Sequence[type[Refusal]]) -> Node:
    headers = {"Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if status in _RETRY_STATUSES:
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if Unauthenticated in kinds:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/Challenge"}
    codes = [kind.code for kind in kinds]
    narrowed = {"properties": {"error_code": {"enum": codes}, "status": {"const": int(status)}}}
    return {
        "description": "\n".join(f"- `{kind.code}`: {meaning_of(kind)}" for kind in kinds),
        "headers": headers,
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"allOf": [{"$ref": schema.REF.format(name="Problem")}, narrowed]},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def meaning_of(kind: type[Refusal]) -> str:
    """The first sentence of a refusal's own words."""
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _example(kind: type[Refusal]) -> Node:
    return {
        "summary": problems.title_of(kind.code),
        "value": {
            "type": f"/docs/errors#{kind.code}",
            "title": problems.title_of(kind.code),
            "status": problems.status_of(kind),
            "detail": meaning_of(kind),
            "instance": "/v1/payments",
            "error_code": kind.code,
            "retryable": kind.retryable,
            "correlation_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        },
    }


def _webhook(topic: str, kind: type) -> Node:
    shape: Node = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": topic},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": schema.schema_of(kind),
        },
    }
    return {
        "post": {
            "operationId": f"webhook.{topic}",
            "summary": (inspect.getdoc(kind) or topic).partition("\n")[0],
            "tags": ["events"],
            "requestBody": {"content": {"application/json": {"schema": shape}}},
            "responses": {"2XX": {"description": "Received; anything else is sent again."}},
        }
    }


_MEANINGS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; the end is not known yet.",
    204: "Done.",
}
_HEADERS: Node = {
    "RequestId": {
        "description": "The correlation id: quote it when you ask us about this answer.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "IdempotentReplayed": {
        "description": "There when this is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RetryAfter": {
        "description": "After how many seconds to ask again, where we know.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Challenge": {
        "description": "How to say who you are (RFC 6750).",
        "schema": {"type": "string", "enum": ["Bearer"]},
    },
}
_IDEMPOTENCY_KEY: Node = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A text of your own, new for each new request. A repetition within 72 hours is "
    "answered as the first request was.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
_TRACEPARENT: Node = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": "W3C Trace Context; its trace id becomes the correlation id.",
    "schema": {"type": "string"},
    "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
