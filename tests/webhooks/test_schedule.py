"""Ten tries over three days, with jitter, and with respect for what the receiver asks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.kernel.ids import DeliveryId, EndpointId, EventId
from guilder.kernel.secret import Secret
from guilder.webhooks.model import Answer, Errand
from guilder.webhooks.rules.schedule import (
    RETRY_AFTER_MAX,
    TRIES_MAX,
    WAITS,
    after_try,
    retry_after,
)
from guilder.webhooks.states import DeliveryState

NOW = datetime(2026, 11, 20, 19, tzinfo=UTC)


def errand(tries_left: int = TRIES_MAX, delivery_id: DeliveryId | None = None) -> Errand:
    return Errand(
        delivery_id=delivery_id or DeliveryId.new(),
        endpoint_id=EndpointId.new(),
        event_id=EventId.new(),
        number=TRIES_MAX - tries_left + 1,
        tries_left=tries_left,
        url="https://shop.example/",
        secrets=(Secret("x"),),
        body=b"{}",
        is_failing=False,
    )


def answer(status: int | None = 500, asked: str | None = None) -> Answer:
    trouble = None if status and status < 300 else "no"
    return Answer(status, trouble, duration_ms=0, retry_after=asked)


@pytest.mark.proves("S17")
def test_ten_tries_span_some_seventy_five_hours() -> None:
    assert TRIES_MAX == 10
    assert timedelta(hours=75) <= sum(WAITS, timedelta(0)) < timedelta(hours=76)
    assert sorted(WAITS) == list(WAITS)


@pytest.mark.proves("S17")
@pytest.mark.parametrize("tries_left", range(2, TRIES_MAX + 1))
def test_each_wait_is_its_own_give_or_take_a_tenth(tries_left: int) -> None:
    planned = WAITS[TRIES_MAX - tries_left]
    waits: list[timedelta] = []
    for _ in range(200):
        record = after_try(errand(tries_left), answer(), tried_at=NOW)
        assert record.state is DeliveryState.PENDING
        assert record.next_try_at is not None
        waits.append(record.next_try_at - NOW)
    assert min(waits) >= planned * 0.9
    assert max(waits) <= planned * 1.1
    assert len(set(waits)) > 50, "receivers that were down together are not tried together"


def test_the_same_try_always_waits_as_long() -> None:
    delivery_id = DeliveryId.new()
    first, second = (
        after_try(errand(delivery_id=delivery_id), answer(), tried_at=NOW) for _ in range(2)
    )
    assert first.next_try_at == second.next_try_at


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    record = after_try(errand(1), answer(status), tried_at=NOW)
    assert (record.state, record.next_try_at) == (DeliveryState.DELIVERED, None)


@pytest.mark.parametrize("status", [None, 100, 199, 300, 304, 400, 401, 404, 409, 429, 500, 599])
def test_anything_else_is_tried_again_until_the_last(status: int | None) -> None:
    assert after_try(errand(2), answer(status), tried_at=NOW).state is DeliveryState.PENDING
    last = after_try(errand(1), answer(status), tried_at=NOW)
    assert (last.state, last.next_try_at) == (DeliveryState.FAILED, None)
    assert not last.is_gone


def test_410_is_an_end_at_the_first_try() -> None:
    record = after_try(errand(), answer(410), tried_at=NOW)
    assert (record.state, record.next_try_at, record.is_gone) == (DeliveryState.FAILED, None, True)


@pytest.mark.proves("S17")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1),
        ("120", 120),
        (" 120 ", 120),
        ("999999999999999999999", RETRY_AFTER_MAX.total_seconds()),
        ("Fri, 20 Nov 2026 19:02:00 GMT", 120),
        ("Fri, 20 Nov 2099 19:02:00 GMT", RETRY_AFTER_MAX.total_seconds()),
        ("Fri, 20 Nov 2026 19:02:00", 120),
    ],
)
def test_a_retry_after_is_understood(text: str, seconds: float) -> None:
    assert retry_after(text, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "0", "-5", "soon", "1e3", "1.5", "١٢٠", "Fri, 20 Nov 2020 19:02:00 GMT", "Fri, 99", "\0"],
)
def test_a_retry_after_that_says_nothing_changes_nothing(text: str) -> None:
    assert retry_after(text, NOW) is None


@given(st.text(max_size=40))
def test_no_retry_after_is_an_exception_or_beyond_a_day(text: str) -> None:
    at = retry_after(text, NOW)
    assert at is None or NOW < at <= NOW + RETRY_AFTER_MAX


def test_a_retry_after_lengthens_a_wait_and_never_shortens_it() -> None:
    long = after_try(errand(2), answer(429, "60"), tried_at=NOW)
    assert long.next_try_at is not None
    assert long.next_try_at - NOW > timedelta(hours=20)
    short = after_try(errand(), answer(429, "60"), tried_at=NOW)
    assert short.next_try_at == NOW + timedelta(seconds=60)
