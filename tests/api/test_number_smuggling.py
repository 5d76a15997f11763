"""S08: nothing but a whole number of minor units passes for money, wherever money is taken."""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import asyncpg
import pytest

from guilder.roles.parts import embedded_url
from tests.api.smuggled import NO_JSON, NO_NUMBERS, TOO_LARGE, WRONG_AMOUNTS, WRONG_CURRENCIES
from tests.journeys.books import differences
from tests.journeys.caller import Caller, Came
from tests.journeys.outside import Outside
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: keys and races")

Ways = Mapping[str, Callable[[str], bytes]]
"""For each money endpoint's path: a body with this text in the place of the amount."""

CARD = '"payment_method":{"type":"card","token":"pm_card_visa"}'
COUNTED = (
    *("payments.payment", "payments.attempt", "payments.refund", "payments.history"),
    *("ledger.entry", "ledger.posting", "plumbing.outbox", "plumbing.idempotency_key"),
)


@pytest.fixture
async def ways(caller: Caller) -> Ways:
    """Every endpoint that takes money, on payments that would let it go."""
    held = (await caller.pay(10_00, capture_method="manual")).json
    paid = (await caller.pay(10_00)).json
    return {
        "/v1/payments": lambda text: f'{{"amount_minor":{text},"currency":"EUR",{CARD}}}'.encode(),
        f"/v1/payments/{held['id']}/capture": lambda text: f'{{"amount_minor":{text}}}'.encode(),
        f"/v1/payments/{paid['id']}/refund": lambda text: f'{{"amount_minor":{text}}}'.encode(),
    }


@pytest.fixture(autouse=True)
async def _nothing_changes(solo: Solo, ways: Ways, outside: Outside) -> Any:
    """Whatever is refused leaves no trace: not in our tables, not in the provider's book."""
    before = (await _counts(solo), await outside.book())
    yield
    assert (await _counts(solo), await outside.book()) == before


@pytest.mark.proves("S08", "S4-28")
async def test_an_amount_that_is_no_whole_number_is_refused_by_name(
    caller: Caller, ways: Ways
) -> None:
    wrong: list[str] = []
    for path, write in ways.items():
        for text in WRONG_AMOUNTS:
            came = await _send(caller, path, write(text))
            wrong += _unlike(came, {422}, "amount_minor", f"{text[:60]} at {path}")
    assert wrong == []


@pytest.mark.proves("S08")
async def test_what_is_no_number_is_no_json(caller: Caller, ways: Ways) -> None:
    wrong: list[str] = []
    for path, write in ways.items():
        for text in NO_NUMBERS:
            came = await _send(caller, path, write(text))
            wrong += _unlike(came, {400}, None, f"{text!r} at {path}")
    assert wrong == []


@pytest.mark.proves("S08")
async def test_a_currency_that_is_none_is_refused_by_name(caller: Caller) -> None:
    wrong: list[str] = []
    for text in WRONG_CURRENCIES:
        body = f'{{"amount_minor":100,"currency":{text},{CARD}}}'.encode()
        came = await _send(caller, "/v1/payments", body)
        wrong += _unlike(came, {422}, "currency", text)
    assert wrong == []


@pytest.mark.proves("S08")
async def test_yen_have_no_decimals(caller: Caller) -> None:
    wrong: list[str] = []
    for text in ("10.50", "10.0", "1050e-2", '"1050"', "1.05e3"):
        body = f'{{"amount_minor":{text},"currency":"JPY",{CARD}}}'.encode()
        came = await _send(caller, "/v1/payments", body)
        wrong += _unlike(came, {422}, "amount_minor", text)
    assert wrong == []


@pytest.mark.proves("S08", "S38")
async def test_a_body_that_is_no_json_object_is_refused(caller: Caller, ways: Ways) -> None:
    [capture] = [path for path in ways if path.endswith("/capture")]
    wrong: list[str] = []
    for path in (*ways, capture.replace("/capture", "/void")):
        for name, body in NO_JSON.items():
            came = await _send(caller, path, body)
            wrong += _unlike(came, {400, 413}, None, f"{name} at {path}")
    assert wrong == []


@pytest.mark.proves("S08", "S38")
async def test_a_body_that_is_too_large_is_refused(caller: Caller, ways: Ways) -> None:
    wrong: list[str] = []
    for path in ways:
        for name, body in TOO_LARGE.items():
            came = await _send(caller, path, body)
            wrong += _unlike(came, {413}, None, f"{name} at {path}")
    assert wrong == []


@pytest.mark.proves("S08")
async def test_a_field_spelled_otherwise_is_another_field(caller: Caller, ways: Ways) -> None:
    names = (
        "Amount_Minor",
        "AMOUNT_MINOR",
        "amountMinor",
        "amount",
        "amount_minor ",
        "amοunt_minor",
    )
    wrong: list[str] = []
    for path, write in ways.items():
        for name in names:
            body = write("100")[:-1] + f",{json.dumps(name)}:900}}".encode()
            came = await _send(caller, path, body)
            wrong += _unlike(came, {422}, name, f"{name!r} at {path}")
    assert wrong == []


@pytest.mark.proves("S08")
def test_there_are_as_many_cases_as_were_asked_for() -> None:
    bodies = len(NO_JSON) + len(TOO_LARGE)
    amounts = len(WRONG_AMOUNTS) + len(NO_NUMBERS)
    cases = 3 * (amounts + bodies) + len(NO_JSON) + len(WRONG_CURRENCIES)
    print(f"{cases} cases")
    assert cases >= 400


async def _send(caller: Caller, path: str, body: bytes) -> Came:
    headers = {"Idempotency-Key": caller.new_key(), "Content-Type": "application/json"}
    return await caller.send("POST", path, body=io.BytesIO(body), headers=headers)


def _unlike(came: Came, statuses: Iterable[int], param: str | None, what: str) -> list[str]:
    """How an answer differs from a good refusal: status, media type, and the field's name."""
    if came.status not in statuses:
        return [f"{what}: answered {came.status} {came.body[:200]!r}"]
    problem = came.json
    if came.headers["content-type"] != "application/problem+json" or not problem["detail"]:
        return [f"{what}: is no problem document"]
    if problem.get("param") != param:
        return [f"{what}: names {problem.get('param')!r}: {problem['detail']}"]
    if param is not None and [one["param"] for one in problem["errors"]] != [param]:
        return [f"{what}: its errors are {problem['errors']}"]
    return []


async def _counts(solo: Solo) -> dict[str, int]:
    connection = await asyncpg.connect(embedded_url(solo.home).reveal())
    try:
        asked = [f"select count(*) from {table}" for table in COUNTED]
        found = [await connection.fetchval(one) for one in asked]
    finally:
        await connection.close()
    return dict(zip(COUNTED, found, strict=True))


@pytest.mark.proves("S08", "I2")
async def test_the_books_agree_after_all_of_it(
    platform: Caller, outside: Outside, solo: Solo
) -> None:
    assert await differences(platform, outside, solo) == []
