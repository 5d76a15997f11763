"""A wrong field is named by its path, whatever is wrong with it; nothing is coerced."""

import json

import pytest

from tests.edge.desks import OrdersDesk
from tests.edge.serving import Api

AMOUNTS = [
    '"100"', "100.0", "1e2", "1E2", "1e0", "1e400", "1e-400", "1.0e2", "true", "false", "null",
    "[]", "[100]", "{}", '{"value":100}', '""', '" 100"', '"NaN"', "9223372036854775808",
    "-9223372036854775809", "9223372036854775807", "18446744073709551616", "1" + "0" * 400,
    "-1" + "0" * 400, "1" + "0" * 5000, "-0", "-0.0", "0.0", "0", "-1", "-100",
    "1000000000000001", "99999999999999999999", "0.1", "100.5", '"١٠٠"', '"１００"', '"1_000"',
]  # fmt: skip


@pytest.mark.proves("S08")
async def test_an_amount_is_a_whole_positive_number_and_nothing_else(
    api: Api, desk: OrdersDesk
) -> None:
    for amount in AMOUNTS:
        answer = await send(api, f'{{"amount_minor": {amount}, "currency": "EUR"}}')
        assert answer == (422, "field_invalid", "amount_minor"), amount[:40]
    assert desk.made == 0


@pytest.mark.proves("S08")
@pytest.mark.parametrize("amount", [1, 100, 10**15])
async def test_a_whole_positive_number_is_an_amount(api: Api, amount: int) -> None:
    answer = await api.post("/v1/orders", {"amount_minor": amount, "currency": "EUR"})
    assert answer.json["amount_minor"] == amount


@pytest.mark.proves("S08")
@pytest.mark.parametrize(
    "currency", ["usd", "USD ", " USD", "USDD", "US", "", "XXX", "XAU", "ＥＵＲ", "EUR\n", "€"]
)
async def test_a_currency_is_written_as_iso_4217_has_it(api: Api, currency: str) -> None:
    body = json.dumps({"amount_minor": 1, "currency": currency})
    assert await send(api, body) == (422, "unknown_currency", "currency")


CASES: list[tuple[str, str, str]] = [
    ("{}", "field_missing", "amount_minor"),
    ('{"amount_minor": 1}', "field_missing", "currency"),
    ('{"amount_minor": 1, "currency": "EUR", "x": 1}', "field_unknown", "x"),
    ('{"amount_minor": 1, "currency": "EUR", "Note": "x"}', "field_unknown", "Note"),
    ('{"amount_minor": 1, "currency": "EUR", "": 1}', "field_unknown", ""),
    ('{"amount_minor": 1, "currency": "EUR", "a`b": 1}', "field_unknown", "a`b"),
    ('{"amount_minor": 1, "currency": 978}', "field_invalid", "currency"),
    ('{"amount_minor": 1, "currency": null}', "field_invalid", "currency"),
    ('{"amount_minor": 1, "currency": "EUR", "note": 1}', "field_invalid", "note"),
    ('{"amount_minor": 1, "currency": "EUR", "lines": {}}', "field_invalid", "lines"),
    ('{"amount_minor": 1, "currency": "EUR", "lines": [1]}', "field_invalid", "lines[0]"),
    (
        '{"amount_minor": 1, "currency": "EUR", "lines": [{"sku": "a", "count": 1}, {"sku": "b"}]}',
        "field_missing",
        "lines[1].count",
    ),
    (
        '{"amount_minor": 1, "currency": "EUR", "lines": [{"sku": "a", "count": 1.0}]}',
        "field_invalid",
        "lines[0].count",
    ),
    (
        '{"amount_minor": 1, "currency": "EUR", "lines": [{"sku": "a", "count": 1, "y": 2}]}',
        "field_unknown",
        "lines[0].y",
    ),
    ('{"amount_minor": 1, "currency": "EUR", "metadata": {"a": 1}}', "field_invalid", "metadata"),
    ('{"amount_minor": 1, "currency": "EUR", "merchant_id": "x"}', "malformed_id", "merchant_id"),
    (
        '{"amount_minor": 1, "currency": "EUR", "merchant_id": "pay_01jdtdnezk7tpbqgts9wawv9kq"}',
        "malformed_id",
        "merchant_id",
    ),
    ('{"amount_minor": 1, "currency": "EUR", "merchant_id": 5}', "field_invalid", "merchant_id"),
]


@pytest.mark.parametrize(("body", "code", "param"), CASES)
async def test_a_wrong_field_is_named_by_its_path(
    api: Api, body: str, code: str, param: str
) -> None:
    assert await send(api, body) == (422, code, param)


async def test_the_wrong_field_is_listed_among_the_errors(api: Api) -> None:
    answer = await api.post("/v1/orders", {"amount_minor": "1", "currency": "EUR"})
    [error] = answer.json["errors"]
    assert error["param"] == answer.json["param"] == "amount_minor"
    assert error["error_code"] == answer.json["error_code"]
    assert error["message"] == answer.json["detail"]


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("100.0", "amount_minor: expected `int`, got a number with a fraction or an exponent"),
        ("1e400", "amount_minor: expected `int`, got a number with a fraction or an exponent"),
        ("1" * 30, "amount_minor: expected `int`, got an integer beyond 64 bits"),
        ("0", "amount_minor: expected `int` >= 1"),
    ],
)
async def test_a_number_is_refused_in_words(api: Api, amount: str, told: str) -> None:
    body = f'{{"amount_minor": {amount}, "currency": "EUR"}}'.encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await api.send("POST", "/v1/orders", body=body, headers=headers)
    assert answer.json["detail"] == told


async def test_a_long_unknown_name_is_not_echoed_at_its_length(api: Api) -> None:
    answer = await api.post("/v1/orders", {"amount_minor": 1, "currency": "EUR", "x" * 9000: 1})
    assert answer.outcome == (422, "field_unknown")
    assert len(answer.body) < 2000


@pytest.mark.parametrize("body", [None, b"", b"{}", b' {"note": null} '])
async def test_a_change_without_required_fields_may_come_without_a_body(
    api: Api, body: bytes | None
) -> None:
    headers = {"Idempotency-Key": "k"}
    if body:
        headers["Content-Type"] = "application/json"
    path = "/v1/orders/pay_01jdtdnezk7tpbqgts9wawv9kq"
    assert (await api.send("PATCH", path, body=body, headers=headers)).status == 200


async def test_a_change_that_takes_nothing_takes_nothing_else(api: Api) -> None:
    path = "/v1/orders/pay_01jdtdnezk7tpbqgts9wawv9kq/close"
    assert (await api.post(path, {})).status == 200
    assert (await api.post(path, {"note": "x"})).outcome == (422, "field_unknown")
    assert (await api.post(path, [])).outcome == (400, "malformed_json")


async def test_an_empty_body_where_fields_are_required_is_no_json(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await api.send("POST", "/v1/orders", body=b"", headers=headers)
    assert answer.outcome == (400, "malformed_json")


async def test_an_id_in_the_path_that_is_none_is_named(api: Api) -> None:
    answer = await api.delete("/v1/orders/pay_1")
    assert answer.outcome == (422, "malformed_id")
    assert answer.json["param"] == "payment_id"


async def test_an_anonymous_message_is_handed_on_as_it_came(api: Api) -> None:
    raw = b"\xff\x00 not json"
    answer = await api.holding(None).send(
        "POST", "/v1/orders/inbound?ref=1", body=raw, headers={"X-Signature": "t=1"}
    )
    assert answer.json["note"] == f"{len(raw)} t=1 None"


async def send(api: Api, body: str) -> tuple[int, str | None, str | None]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await api.send("POST", "/v1/orders", body=body.encode(), headers=headers)
    return answer.status, answer.code, answer.json.get("param")
