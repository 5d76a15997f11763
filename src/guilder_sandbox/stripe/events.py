"""Events as Stripe shows and sends them, and the signature they are sent with."""

import hmac
from hashlib import sha256

import msgspec

from guilder_sandbox.stripe.desk import unpack_intent, unpack_refund
from guilder_sandbox.stripe.model import API_VERSION, Endpoint, Event, charge_id
from guilder_sandbox.stripe.render import Shape, charge_shape, intent_shape, refund_shape
from guilder_sandbox.webhooks import Post


def event_shape(event: Event, *, pending: int) -> Shape:
    """The event with its subject as it stood then, however often and late it is asked for."""
    happened: Shape = {"object": _subject(event)}
    if event.previous is not None:
        happened["previous_attributes"] = event.previous
    return {
        "id": event.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": event.created,
        "data": happened,
        "livemode": False,
        "pending_webhooks": pending,
        "request": {"id": event.request_id, "idempotency_key": event.idempotency_key},
        "type": event.type,
    }


def write_post(endpoint: Endpoint, event: Event, *, at: int) -> Post:
    """The event for one endpoint, signed at `at`, in seconds since 1970."""
    body = msgspec.json.encode(event_shape(event, pending=1))
    return Post(
        endpoint.url,
        {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+guilder-sandbox)",
            "Stripe-Signature": sign(body, secret=endpoint.secret, at=at),
        },
        body,
    )


def sign(body: bytes, *, secret: str, at: int) -> str:
    """t and v1 as documented: HMAC-SHA256 with the whole secret over the time, a dot, the body.

    Test mode also sends a v0, which proves nothing and which receivers have to ignore.
    """
    signed = b"%d." % at + body
    v1 = hmac.new(secret.encode(), signed, sha256).hexdigest()
    v0 = hmac.new(b"no secret", signed, sha256).hexdigest()
    return f"t={at},v1={v1},v0={v0}"


def _subject(event: Event) -> Shape:
    if event.about.startswith("re_"):
        return refund_shape(unpack_refund(event.snapshot))
    intent = unpack_intent(event.snapshot)
    if event.about.startswith("ch_"):
        for attempt in intent.attempts:
            if charge_id(intent, attempt) == event.about:
                return charge_shape(intent, attempt)
    return intent_shape(intent)
