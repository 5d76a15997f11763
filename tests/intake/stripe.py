"""Stripe's messages as Stripe writes them, for tests that need a signature with an age."""

import hmac
import json
from datetime import datetime
from hashlib import sha256

from guilder.connectors.calling import CallingPolicy
from guilder.connectors.psp.stripe.connector import Stripe
from guilder.intake.actions.receive_message import Inbound
from guilder.kernel.clock import Clock
from guilder.kernel.secret import Secret

SIGNING_KEY = "a stripe signing key"


def stripe_on(clock: Clock) -> Stripe:
    """A test account of Stripe; nothing here ever calls it."""
    return Stripe(
        Secret("sk_test_of_nobody"),
        base_url="http://127.0.0.1:9",
        webhook_secrets=(Secret(SIGNING_KEY),),
        policy=CallingPolicy(),
        clock=clock,
    )


def signed(event_id: str, topic: str, at: datetime) -> Inbound:
    """An event of this type, signed at this instant (https://docs.stripe.com/webhooks)."""
    stamp = int(at.timestamp())
    event = {"id": event_id, "object": "event", "type": topic, "created": stamp, "data": {}}
    raw = json.dumps(event).encode()
    content = str(stamp).encode() + b"." + raw
    signature = hmac.new(SIGNING_KEY.encode(), content, sha256).hexdigest()
    return Inbound("stripe", {"stripe-signature": f"t={stamp},v1={signature}"}, raw)
