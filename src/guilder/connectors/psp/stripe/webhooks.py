"""Stripe's own messages: verified over the raw bytes first, and only then read and named."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from guilder.connectors.psp.contract import (
    ForgedMessage,
    MalformedMessage,
    News,
    Operation,
    ProviderMessage,
)
from guilder.connectors.psp.stripe.body import Body, parse, part, reference, whole, word
from guilder.connectors.psp.stripe.translate import (
    ATTEMPT,
    CAPTURE,
    payment_answer,
    refund_outcome,
)
from guilder.kernel.ids import AttemptId, MalformedId
from guilder.kernel.secret import Secret

HEADER = "stripe-signature"
HEADER_MAX = 4096
TOLERANCE_SECONDS = 300
REFUND_TOPICS = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)

TOPICS = (
    "payment_intent.succeeded",
    "payment_intent.amount_capturable_updated",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    *sorted(REFUND_TOPICS),
)
"""The events to ask Stripe for: those that `news_of` makes something of."""


def read_message(
    headers: Mapping[str, str], raw: bytes, *, secrets: Sequence[Secret], now: datetime
) -> ProviderMessage:
    """Verify with any of the secrets, then read.

    Raises `ForgedMessage` or `MalformedMessage`. The scheme is at
    https://docs.stripe.com/webhooks#verify-manually.
    """
    verify(headers.get(HEADER, ""), raw, secrets=secrets, now=now)
    event = parse(raw)
    if event is None:
        raise MalformedMessage("the message is not a JSON object")
    event_id, topic, created = word(event, "id"), word(event, "type"), whole(event, "created")
    if word(event, "object") != "event" or event_id is None or topic is None or created is None:
        raise MalformedMessage("the message is not an event with an id, a type and a time")
    try:
        happened_at = datetime.fromtimestamp(created, UTC)
    except (OverflowError, ValueError, OSError) as cause:
        raise MalformedMessage("the event's time is not a time") from cause
    return ProviderMessage(event_id, topic, happened_at, news_of(topic, part(event, "data")))


def verify(header: str, raw: bytes, *, secrets: Sequence[Secret], now: datetime) -> None:
    """Raise `ForgedMessage` unless a signature is right and not older or newer than 300 s."""
    stamp, signatures = _signatures(header)
    if stamp is None:
        raise ForgedMessage("the message carries no Stripe-Signature that can be read")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise ForgedMessage("the message was signed too long ago, or in the future")
    content = stamp.encode("ascii") + b"." + raw
    is_right = False
    for secret in secrets:
        right = hmac.new(secret.reveal().encode(), content, sha256).hexdigest().encode("ascii")
        for signature in signatures:
            is_right |= hmac.compare_digest(right, signature)
    if not is_right:
        raise ForgedMessage("no signature of the message is right for any secret of ours")


def news_of(topic: str, event: Body) -> News | None:
    """What an event tells of one operation; `None` when it tells nothing we act on."""
    thing = part(event, "object")
    if topic in REFUND_TOPICS:
        return _refund_news(thing)
    is_manual = word(thing, "capture_method") == "manual"
    match topic:
        case "payment_intent.succeeded":
            return _news(Operation.CAPTURE if is_manual else Operation.SALE, thing)
        case "payment_intent.amount_capturable_updated":
            return _news(Operation.AUTHORIZE, thing)
        case "payment_intent.payment_failed":
            return _news(Operation.AUTHORIZE if is_manual else Operation.SALE, thing)
        case "payment_intent.canceled":
            return _news(Operation.VOID, thing)
        case _:
            return None


def _news(operation: Operation, payment: Body) -> News | None:
    """A void names no attempt there, and a capture only when it was made under one."""
    ref = word(payment, "id")
    answer = payment_answer(operation, payment)
    if word(payment, "object") != "payment_intent" or ref is None or answer is None:
        return None
    match operation:
        case Operation.VOID:
            ours = None
        case Operation.CAPTURE:
            ours = _attempt(payment, CAPTURE)
        case _:
            ours = _attempt(payment, ATTEMPT)
    return News(operation, ours, ref, answer)


def _refund_news(refund: Body) -> News | None:
    payment_ref = reference(refund, "payment_intent")
    if payment_ref is None or word(refund, "object") != "refund":
        return None
    answer = refund_outcome(refund)
    return News(Operation.REFUND, _attempt(refund, ATTEMPT), payment_ref, answer)


def _attempt(made: Body, name: str) -> AttemptId | None:
    """Metadata can be edited there by hand, so what is no id of ours is no attempt."""
    try:
        return AttemptId.parse(word(part(made, "metadata"), name) or "")
    except MalformedId:
        return None


def _signatures(header: str) -> tuple[str | None, list[bytes]]:
    """The signed time in seconds and the signatures of scheme v1; other schemes are not ours."""
    stamps: list[str] = []
    signatures: list[bytes] = []
    for item in header[:HEADER_MAX].split(","):
        name, _, value = item.strip().partition("=")
        if name == "t":
            stamps.append(value)
        elif name == "v1":
            signatures.append(value.encode("utf-8", errors="replace"))
    if len(stamps) != 1 or not signatures:
        return None, []
    stamp = stamps[0]
    readable = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    return (stamp, signatures) if readable else (None, [])
