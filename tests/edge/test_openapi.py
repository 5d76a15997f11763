"""The OpenAPI document says all there is to say about every endpoint, and says it truly."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from guilder.edge import openapi, problems
from guilder.edge.endpoint import all_endpoints, endpoints_of
from guilder.edge.refusals import all_refusals, refusals_of
from guilder.kernel.ids import PaymentId
from tests.edge.desks import OrdersDesk
from tests.edge.serving import Api


@dataclass(frozen=True, slots=True)
class OrderMade:
    """An order was made."""

    topic: ClassVar[str] = "order.made"
    version: ClassVar[int] = 1
    order_id: PaymentId


@pytest.fixture(scope="module")
def document() -> Any:
    endpoints = all_endpoints([OrdersDesk()])
    return openapi.document(endpoints, version="1.2.3", events={"order.made": OrderMade})


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def nodes(value: Any) -> Iterator[Any]:
    yield value
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for one in inside:
            yield from nodes(one)


def resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        found = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def test_every_endpoint_is_there_with_its_name(document: Any) -> None:
    names = {operation["operationId"] for _, _, operation in operations(document)}
    assert names == {endpoint.name for endpoint in endpoints_of(OrdersDesk())}
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = [node for node in nodes(document) if isinstance(node, dict) and "$ref" in node]
    assert len(references) > 50
    for reference in references:
        assert resolved(document, reference)


def test_every_status_and_code_an_endpoint_can_answer_is_there(document: Any) -> None:
    for endpoint in endpoints_of(OrdersDesk()):
        contract = endpoint.contract
        responses = document["paths"][contract.path][contract.method.lower()]["responses"]
        expected = {str(status) for status in contract.gives}
        for refusal in refusals_of(contract):
            status = str(problems.status_of(refusal))
            expected.add(status)
            told = resolved(document, responses[status])["content"][problems.MEDIA_TYPE]
            assert refusal.code in told["schema"]["allOf"][1]["properties"]["error_code"]["enum"]
            example = resolved(document, told["examples"][refusal.code])["value"]
            assert example["status"] == int(status)
        assert set(responses) == expected
        assert "500" not in responses


def test_what_a_table_refuses_stands_beside_what_its_shape_refuses(document: Any) -> None:
    told = {
        status: set(resolved(document, answer)["content"][problems.MEDIA_TYPE]["examples"])
        for status, answer in document["paths"]["/v1/orders"]["post"]["responses"].items()
        if status > "300"
    }
    assert told == {
        "400": {
            "malformed_request",
            "idempotency_key_missing",
            "idempotency_key_malformed",
            "malformed_json",
        },
        "401": {"unauthenticated"},
        "402": {"sold_out"},
        "403": {"scope_missing"},
        "408": {"body_too_slow"},
        "409": {"idempotency_in_progress"},
        "413": {"body_too_large"},
        "415": {"unsupported_media_type"},
        "422": {
            "field_unknown",
            "field_invalid",
            "field_missing",
            "malformed_id",
            "unknown_currency",
            "idempotency_key_reused",
        },
        "429": {"overrun"},
        "503": {"database_unavailable", "database_busy", "outcome_unknown"},
    }


def test_every_answer_names_its_headers(document: Any) -> None:
    for _, _, operation in operations(document):
        needs_key = {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
        for status, given in operation["responses"].items():
            headers = resolved(document, given)["headers"]
            assert "Request-Id" in headers
            assert ("WWW-Authenticate" in headers) == (status == "401")
            assert ("Retry-After" in headers) == (status in {"408", "409", "429", "503"})
            assert ("Idempotent-Replayed" in headers) == (needs_key and status < "300")


def test_what_needs_a_scope_needs_a_key(document: Any) -> None:
    for _, path, operation in operations(document):
        is_open = path == "/v1/orders/inbound"
        assert operation["security"] == ([] if is_open else [{"apiKey": []}])
        assert ("401" in operation["responses"]) == (not is_open)
        assert ("403" in operation["responses"]) == (not is_open)


def test_requests_allow_no_field_beyond_those_named(document: Any) -> None:
    for name in ("OrderRequest", "NoteRequest", "Line"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False


def test_ids_currencies_and_cursors_are_described_as_they_are_written(document: Any) -> None:
    order = document["components"]["schemas"]["OrderRequest"]["properties"]
    assert "EUR" in order["currency"]["enum"]
    assert "XAU" not in order["currency"]["enum"]
    merchant_id = order["merchant_id"]["anyOf"][0]
    assert re.search(merchant_id["pattern"], merchant_id["examples"][0])
    parameters = document["paths"]["/v1/orders"]["get"]["parameters"]
    cursor = next(one for one in parameters if one.get("name") == "starting_after")
    assert cursor["schema"]["pattern"].startswith("^pay_")
    limit = next(one for one in parameters if one.get("name") == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 100)
    assert limit["schema"]["default"] == 10


async def test_the_examples_run(api: Api, document: Any) -> None:
    examples = 0
    for method, path, operation in operations(document):
        for body in operation.get("requestBody", {"content": {}})["content"].values():
            if "example" not in body:
                continue
            examples += 1
            written = path
            for parameter in operation["parameters"]:
                if parameter.get("in") == "path":
                    written = written.replace(
                        f"{{{parameter['name']}}}", parameter["schema"]["examples"][0]
                    )
            answer = await api.send(
                method.upper(),
                written,
                body=json.dumps(body["example"]).encode(),
                headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
            )
            assert str(answer.status) in operation["responses"]
            assert answer.status < 300
    assert examples == 3


def test_the_webhooks_we_send_are_described(document: Any) -> None:
    sent = document["webhooks"]["order.made"]["post"]
    shape = sent["requestBody"]["content"]["application/json"]["schema"]
    assert shape["properties"]["type"] == {"const": "order.made"}
    told = resolved(document, shape["properties"]["data"])
    assert told["properties"]["order_id"]["pattern"].startswith("^pay_")
    assert sent["summary"] == "An order was made."


async def test_the_document_is_served(api: Api) -> None:
    answer = await api.holding(None).get("/openapi.json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert "/v1/orders" in answer.json["paths"]
    assert "/openapi.json" not in answer.json["paths"]


PAGES = ["/docs", "/docs/errors", "/docs/swagger"]


@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_load_nothing_from_elsewhere_and_run_nothing_inline(
    api: Api, path: str
) -> None:
    answer = await api.holding(None).get(path)
    text = answer.body.decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', text))
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_somewhere(api: Api, path: str) -> None:
    anonymous = api.holding(None)
    text = (await anonymous.get(path)).body.decode()
    for link in set(re.findall(r'(?:src|href)="(/[^"]*|#[^"]*)"', text)):
        place, _, anchor = link.partition("#")
        answer = await anonymous.get(place or path)
        assert answer.status == 200, link
        assert not anchor or f'id="{anchor}"' in answer.body.decode(), link


async def test_the_type_of_every_problem_leads_to_its_section(api: Api) -> None:
    text = (await api.get("/docs/errors")).body.decode()
    for refusal in all_refusals(endpoints_of(OrdersDesk())):
        assert f'id="{refusal.code}"' in text
    problem = (await api.delete("/v1/orders/x")).json
    place, _, anchor = problem["type"].partition("#")
    assert place == "/docs/errors"
    assert f'id="{anchor}"' in text


async def test_swagger_is_served_from_here_with_its_licence_beside_it(api: Api) -> None:
    script = await api.get("/docs/swagger-ui.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert b"SwaggerUIBundle" in script.body
    style = await api.get("/docs/swagger-ui.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    start = await api.get("/docs/swagger.js")
    assert b"/openapi.json" in start.body
