"""What is kept of headers, and when a message is looked at again."""

from datetime import UTC, datetime, timedelta

import pytest

from guilder.intake.rules import TRIES_MAX, TRY_WAITS, kept_headers, next_look, next_try

NOW = datetime(2026, 11, 20, 19, tzinfo=UTC)


@pytest.mark.proves("I10")
@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-webhook-secret",
        "x-auth-token",
        "x-password",
        "aws-credential",
        "X-Secret-Key",
    ],
)
def test_a_header_that_could_hold_a_secret_is_not_kept(name: str) -> None:
    assert kept_headers({name: "hush", "content-type": "application/json"}) == {
        "content-type": "application/json"
    }


@pytest.mark.parametrize(
    "name",
    [
        "stripe-signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "paypal-transmission-sig",
        "paypal-cert-url",
        "x-square-hmacsha256-signature",
    ],
)
def test_what_a_signature_is_checked_with_is_kept(name: str) -> None:
    assert kept_headers({name: "v1"}) == {name: "v1"}


def test_the_waits_between_tries_grow_and_then_end() -> None:
    waits = [next_try(tries, NOW) for tries in range(1, TRIES_MAX + 2)]
    assert waits[: len(TRY_WAITS)] == [NOW + wait for wait in TRY_WAITS]
    assert waits[len(TRY_WAITS) :] == [None, None]
    assert sorted(TRY_WAITS) == list(TRY_WAITS)


@pytest.mark.proves("S13")
def test_a_parked_message_is_looked_at_within_a_minute_of_its_payment() -> None:
    at = NOW
    while (at := next_look(NOW, at) or NOW + timedelta(hours=1)) < NOW + timedelta(hours=1):
        look = next_look(NOW, at)
        assert look is not None
        assert look - at <= timedelta(seconds=45)


def test_a_parked_message_is_given_up_after_a_day_in_a_bounded_number_of_looks() -> None:
    at, looks = NOW, 0
    while (look := next_look(NOW, at)) is not None:
        at, looks = look, looks + 1
    assert timedelta(hours=24) <= at - NOW < timedelta(hours=25)
    assert looks < 500
