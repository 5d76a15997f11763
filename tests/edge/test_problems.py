"""A problem says what, where and how to go on; a fault says nothing but an id."""

import re

import pytest
from structlog.testing import capture_logs

from guilder.edge import problems
from guilder.kernel.errors import Kind
from tests.edge.serving import Answer, Api

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


async def order(api: Api, note: str) -> Answer:
    return await api.post("/v1/orders", {"amount_minor": 1, "currency": "EUR", "note": note})


@pytest.mark.proves("S4-30")
async def test_a_refusal_is_an_rfc_9457_problem(api: Api) -> None:
    answer = await order(api, "sold out")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "/docs/errors#sold_out",
        "title": "Sold out",
        "status": 402,
        "detail": "there is none left",
        "instance": "/v1/orders",
        "error_code": "sold_out",
        "retryable": False,
        "correlation_id": answer.headers["request-id"],
    }


@pytest.mark.proves("S4-30")
async def test_a_refusal_that_knows_when_says_when_to_come_back(api: Api) -> None:
    answer = await order(api, "overrun")
    assert answer.outcome == (429, "overrun")
    assert answer.headers["retry-after"] == "7"
    assert answer.json["retryable"] is True


async def test_a_fault_is_a_500_that_tells_nothing_but_its_id(api: Api) -> None:
    with capture_logs() as logs:
        answer = await order(api, "fault")
    assert answer.outcome == (500, "internal_fault")
    assert b"secret" not in answer.body
    assert b"RuntimeError" not in answer.body
    [line] = [line for line in logs if line["event"] == "fault"]
    assert line["correlation_id"] == answer.headers["request-id"] == answer.json["correlation_id"]
    assert str(line["exc_info"]) == "the secret reason"


def test_every_kind_of_refusal_has_a_status() -> None:
    assert set(problems.STATUS) == set(Kind)
    assert all(400 <= status < 600 and status != 500 for status in problems.STATUS.values())


async def test_every_answer_has_a_request_id_of_its_own(api: Api) -> None:
    answers = [await api.get(path) for path in ("/v1/orders", "/v1/orders", "/nothing", "/docs")]
    ids = [answer.headers["request-id"] for answer in answers]
    assert len(set(ids)) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


async def test_a_trace_id_becomes_the_correlation_id(api: Api) -> None:
    answer = await api.get("/v1/orders", traceparent=f"00-{TRACE}-{PARENT}-01")
    assert answer.headers["request-id"] == TRACE
    answer = await api.get("/nothing", traceparent=f"cc-{TRACE}-{PARENT}-01-what-the-future-is")
    assert answer.json["correlation_id"] == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        TRACE,
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[:-1]}-{PARENT}-01",
    ],
)
async def test_a_trace_header_that_is_none_is_ignored(api: Api, traceparent: str) -> None:
    answer = await api.get("/v1/orders", traceparent=traceparent)
    assert answer.status == 200
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["request-id"])
    assert answer.headers["request-id"] not in traceparent.lower()


async def test_answers_are_not_stored_or_guessed_about(api: Api) -> None:
    answer = await api.get("/v1/orders")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
