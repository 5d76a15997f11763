"""Requests are read within limits of bytes and of time."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.edge.desks import OrdersDesk, app_of
from tests.edge.serving import Api, serving

LIMIT = 256 * 1024
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k"}


def padded(size: int) -> bytes:
    body = b'{"amount_minor": 1, "currency": "EUR"}'
    return body + b" " * (size - len(body))


async def in_chunks(body: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(body), 60_000):
        yield body[start : start + 60_000]


async def test_a_body_of_exactly_the_limit_is_read(api: Api) -> None:
    for body in (padded(LIMIT), in_chunks(padded(LIMIT))):
        answer = await api.send("POST", "/v1/orders", body=body, headers=HEADERS)
        assert answer.status == 201


async def test_one_byte_more_is_refused_declared_or_not(api: Api) -> None:
    for body in (padded(LIMIT + 1), in_chunks(padded(LIMIT + 1))):
        answer = await api.send("POST", "/v1/orders", body=body, headers=HEADERS)
        assert answer.outcome == (413, "body_too_large")
        assert answer.headers["connection"] == "close"


@pytest.mark.proves("S38")
async def test_who_sends_a_hundred_times_too_much_still_learns_why(api: Api) -> None:
    body = in_chunks(padded(100 * LIMIT))
    answer = await api.send("POST", "/v1/orders", body=body, headers=HEADERS)
    assert answer.outcome == (413, "body_too_large")


async def test_a_read_with_a_body_too_large_is_refused_too(api: Api) -> None:
    answer = await api.send("GET", "/v1/orders", body=padded(LIMIT + 1))
    assert answer.outcome == (413, "body_too_large")


async def raw(base_url: str, request: bytes, *, patience_seconds: int = 10) -> bytes:
    """What the server says to these bytes until it closes or says no more."""
    host, _, port = base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = b""
    try:
        async with asyncio.timeout(patience_seconds):
            while b"\r\n\r\n" not in answer or b"}" not in answer:
                part = await reader.read(65536)
                if not part:
                    break
                answer += part
    finally:
        writer.close()
    return answer


@pytest.mark.proves("S37")
async def test_a_body_that_drips_is_given_up() -> None:
    async with serving(app_of(OrdersDesk(), body_seconds_max=1)) as base_url:
        answer = await raw(
            base_url,
            b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer writer\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        )
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error_code":"body_too_slow"' in answer


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Bearer reader",
        b"Idempotency-Key: other",
        b"Content-Type: text/plain",
    ],
)
async def test_a_header_that_may_be_there_once_is_refused_twice(line: bytes) -> None:
    async with serving(app_of(OrdersDesk())) as base_url:
        answer = await raw(
            base_url,
            b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer writer\r\n"
            b"Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            + line
            + b"\r\n\r\n{}",
        )
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"error_code":"malformed_request"' in answer


async def test_a_host_that_is_none_is_refused_as_a_problem() -> None:
    async with serving(app_of(OrdersDesk())) as base_url:
        answer = await raw(base_url, b"GET /v1/orders HTTP/1.1\r\nHost: a b/c\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"error_code":"malformed_request"' in answer
    assert b"request-id: " in answer


async def test_who_hangs_up_while_sending_leaves_nothing_behind() -> None:
    desk = OrdersDesk()
    async with serving(app_of(desk)) as base_url:
        host, _, port = base_url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer writer\r\n"
            b"Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"
            b'{"amount_minor": 1'
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
    assert desk.made == 0
