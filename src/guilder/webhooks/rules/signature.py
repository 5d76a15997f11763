"""Standard Webhooks signatures (version 1, HMAC-SHA256): made by us, checked by receivers."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32
TOLERANCE_SECONDS = 300

_KEY_BYTES_MIN, _KEY_BYTES_MAX = 24, 64  # As Standard Webhooks has it.
_SIGNATURES_MAX = 16  # A rotation needs two; more is somebody trying.
_TIMESTAMP_DIGITS_MAX = 11


def secret_of(key: bytes) -> str:
    """A key of 24-64 random bytes as the text that is shown to its owner."""
    assert _KEY_BYTES_MIN <= len(key) <= _KEY_BYTES_MAX, "a key has 24 to 64 bytes"
    return PREFIX + base64.b64encode(key).decode()


def sign(secrets: Sequence[str], message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one try: id, Unix time of sending, one signature for each secret."""
    timestamp = str(int(sent_at.timestamp()))
    keys = [_key(secret) for secret in secrets]
    signatures = [_signature(key, message_id, timestamp, body) for key in keys if key is not None]
    assert len(signatures) == len(secrets) > 0, "only secrets of our own making sign"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of these secrets signed this message within five minutes of `now`.

    Header names in any case. False for whatever is missing or malformed; never an exception. The
    caller keeps the ids it has seen: a valid message sent twice is valid twice.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id = named.get("webhook-id", "")
    timestamp = named.get("webhook-timestamp", "")
    given = named.get("webhook-signature", "").split(" ")
    if not message_id or "." in message_id or not _is_recent(timestamp, now):
        return False
    keys = [key for key in map(_key, secrets) if key is not None]
    expected = [_signature(key, message_id, timestamp, body) for key in keys]
    matches = [
        hmac.compare_digest(one.encode(), other.encode(errors="replace"))
        for one in expected
        for other in given[:_SIGNATURES_MAX]
    ]
    return any(matches)


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if len(timestamp) > _TIMESTAMP_DIGITS_MAX:
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS


def _key(secret: str) -> bytes | None:
    """The key of a secret, or None when the text is not one."""
    if not secret.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _KEY_BYTES_MIN <= len(key) <= _KEY_BYTES_MAX else None


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    content = b".".join((message_id.encode(errors="replace"), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
