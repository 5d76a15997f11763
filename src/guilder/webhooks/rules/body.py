"""What is sent: one JSON body for an event, made once and the same on every try."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from guilder.kernel import codec
from guilder.kernel.clock import rfc3339

BODY_BYTES_MAX = 20_000  # Receivers buffer it; what is larger is better fetched.


def compose_body(
    *, topic: str, subject: str, sequence: int, happened_at: datetime, payload: Mapping[str, Any]
) -> bytes:
    """`{"type", "timestamp", "data"}` as Standard Webhooks has it; `data` carries `sequence`.

    `sequence` grows with each event about one subject. A payload that does not fit is replaced
    by the subject's id, with `"is_complete": false`: the receiver fetches the rest.
    """
    whole = _body(topic, happened_at, {**payload, "sequence": sequence})
    if len(whole) < BODY_BYTES_MAX:
        return whole
    rest = {"subject": subject, "sequence": sequence, "is_complete": False}
    return _body(topic, happened_at, rest)


def _body(topic: str, happened_at: datetime, contents: Mapping[str, Any]) -> bytes:
    return codec.to_json({"type": topic, "timestamp": rfc3339(happened_at), "data": dict(contents)})
