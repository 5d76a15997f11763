"""The checks are made in one order, and each refusal hides those behind it."""

import pytest

from tests.edge.desks import OrdersDesk
from tests.edge.serving import Api

PATH = "/v1/orders"
GOOD = b'{"amount_minor": 1050, "currency": "EUR"}'
BEARER = "Authorization"

# Everything is wrong at first; each step puts one thing right.
STEPS: list[tuple[str, dict[str, object], tuple[int, str | None]]] = [
    ("a method that is not there", {"method": "PUT"}, (405, "method_not_allowed")),
    ("a body too large", {"method": "POST"}, (413, "body_too_large")),
    ("no key", {"body": b"{"}, (401, "unauthenticated")),
    ("an unknown key", {"caller": "nobody"}, (401, "unauthenticated")),
    ("a key without the scope", {"caller": "reader"}, (403, "scope_missing")),
    ("no idempotency key", {"caller": "writer"}, (400, "idempotency_key_missing")),
    ("a long idempotency key", {"key": "k" * 256}, (400, "idempotency_key_malformed")),
    ("a wrong media type", {"key": "k" * 255}, (415, "unsupported_media_type")),
    ("no JSON", {"type": "application/json"}, (400, "malformed_json")),
    ("no known field", {"body": b'{"amount": 1}'}, (422, "field_unknown")),
    ("a field that is not there", {"body": b'{"amount_minor": 5}'}, (422, "field_missing")),
    (
        "a wrong value",
        {"body": GOOD.replace(b"1050", b'"1050"')},
        (422, "field_invalid"),
    ),
    (
        "a value that the business refuses",
        {"body": GOOD[:-1] + b', "note": "sold out"}'},
        (402, "sold_out"),
    ),
    ("nothing", {"body": GOOD}, (201, None)),
]


@pytest.mark.proves("S4-30")
async def test_refusals_come_in_their_fixed_order(api: Api, desk: OrdersDesk) -> None:
    asked: dict[str, object] = {"body": b"x" * 300_000, "type": "text/plain"}
    for what, righted, outcome in STEPS:
        asked |= righted
        headers = {"Content-Type": str(asked["type"])}
        if "key" in asked:
            headers["Idempotency-Key"] = str(asked["key"])
        caller = api.holding(str(asked["caller"]) if "caller" in asked else None)
        answer = await caller.send(str(asked["method"]), PATH, body=asked["body"], headers=headers)
        assert answer.outcome == outcome, what
    assert desk.made == 1


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic d3JpdGVyOg==", "writer", "Bearer writer2", "Bearer,writer"],
)
async def test_every_bad_authorization_is_the_same_401(api: Api, authorization: str) -> None:
    answer = await api.get(PATH, Authorization=authorization)
    assert answer.outcome == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_is_read_without_regard_to_case(api: Api) -> None:
    assert (await api.get(PATH, Authorization="bearer writer")).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "PROPFIND"])
async def test_another_method_is_405_and_names_those_there_are(api: Api, method: str) -> None:
    answer = await api.send(method, PATH)
    assert answer.outcome == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_head_is_get_without_the_body(api: Api) -> None:
    answer = await api.send("HEAD", PATH)
    assert answer.status == 200
    assert answer.body == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/orders/",
        "/v1//orders",
        "//v1/orders",
        "/v1/orders/a%2Fclose",
        "/v1/%6Frders",
        "/V1/orders",
        "/v1/orders/x/y/z",
        "/v1/orders%00",
        "/v1/..%2fv1/orders",
    ],
)
async def test_a_path_that_is_not_written_as_documented_is_404(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert answer.outcome == (404, "route_not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("given", ["k\u200bk", "k" * 256, "é" * 256])
async def test_a_key_that_does_not_print_or_is_too_long_is_malformed(api: Api, given: str) -> None:
    answer = await send_with_key(api, given)
    assert answer == (400, "idempotency_key_malformed")


@pytest.mark.proves("S02")
@pytest.mark.parametrize(
    "given", ["k", "k" * 255, "é" * 255, "with spaces in it", "日本-🌷", "a,b"]
)
async def test_any_key_that_prints_is_good(api: Api, given: str) -> None:
    assert await send_with_key(api, given) == (201, None)


@pytest.mark.parametrize("given", ["", " "])
async def test_an_empty_key_is_missing(api: Api, given: str) -> None:
    assert await send_with_key(api, given) == (400, "idempotency_key_missing")


async def send_with_key(api: Api, key: str) -> tuple[int, str | None]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return (await api.send("POST", PATH, body=GOOD, headers=headers)).outcome


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ('Application/JSON;charset="UTF-8"', 201),
        ("application/json; charset=utf-16", 415),
        ("application/json; boundary=x", 415),
        ("application/problem+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/json", 415),
        ("", 415),
    ],
)
async def test_only_plain_json_in_utf_8_is_taken(api: Api, media_type: str, status: int) -> None:
    headers = {"Content-Type": media_type, "Idempotency-Key": "k"}
    assert (await api.send("POST", PATH, body=GOOD, headers=headers)).status == status


async def test_a_compressed_body_is_not_taken(api: Api) -> None:
    headers = {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Idempotency-Key": "k",
    }
    answer = await api.send("POST", PATH, body=GOOD, headers=headers)
    assert answer.outcome == (415, "unsupported_media_type")
