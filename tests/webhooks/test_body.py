"""What is sent of an event: one shape, one size limit, the same bytes each time."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.webhooks.rules.body import BODY_BYTES_MAX, compose_body

AT = datetime(2026, 11, 20, 19, 0, 0, 1, tzinfo=UTC)


def compose(payload: dict[str, Any], sequence: int = 7) -> bytes:
    return compose_body(
        topic="payment.captured",
        subject="pay_1",
        sequence=sequence,
        happened_at=AT,
        payload=payload,
    )


def test_the_body_is_that_of_standard_webhooks_with_our_sequence() -> None:
    assert json.loads(compose({"amount": {"amount_minor": 1050, "currency": "EUR"}})) == {
        "type": "payment.captured",
        "timestamp": "2026-11-20T19:00:00.000001Z",
        "data": {"amount": {"amount_minor": 1050, "currency": "EUR"}, "sequence": 7},
    }


def test_a_payload_too_large_to_send_is_replaced_by_what_to_fetch() -> None:
    body = compose({"note": "x" * BODY_BYTES_MAX})
    assert json.loads(body)["data"] == {
        "subject": "pay_1",
        "sequence": 7,
        "is_complete": False,
    }


@pytest.mark.proves("S17")
@given(
    st.dictionaries(
        st.text(max_size=40), st.text(max_size=500) | st.integers(-(2**63), 2**63 - 1), max_size=60
    )
)
def test_no_body_is_twenty_kilobytes_and_each_is_the_same_again(payload: dict[str, Any]) -> None:
    body = compose(payload)
    assert len(body) < BODY_BYTES_MAX
    assert body == compose(payload)
    assert json.loads(body)["data"]["sequence"] == 7
