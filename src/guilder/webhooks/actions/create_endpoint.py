"""Create a webhook endpoint: where a merchant wants to be told, and of what."""

import secrets
from datetime import datetime
from types import ModuleType

from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.merchants import events as merchants_events
from guilder.merchants import public as merchants
from guilder.merchants.events import ResellerCreated
from guilder.payments import events as payments_events
from guilder.plumbing import outbox
from guilder.plumbing.db import Tx
from guilder.webhooks import events, store
from guilder.webhooks.errors import TooManyWebhookEndpoints, WebhookTopicsRefused
from guilder.webhooks.model import ALL_TOPICS, Endpoint, NewEndpoint
from guilder.webhooks.rules.receiver import check_url
from guilder.webhooks.rules.signature import KEY_BYTES, secret_of

PLATFORM_TOPICS = frozenset({ResellerCreated.topic})
"""What is announced, and concerns no merchant."""


def announced_topics(*doors: ModuleType) -> frozenset[str]:
    """The topics of the events these `events` modules define."""
    return frozenset(
        value.topic for door in doors for value in vars(door).values() if hasattr(value, "topic")
    )


TOPICS = announced_topics(merchants_events, payments_events, events) - PLATFORM_TOPICS
"""What an endpoint can ask for; a test compares this with the events of all contexts."""


def new_secret() -> Secret:
    """A fresh signing secret from the system's own randomness."""
    return Secret(secret_of(secrets.token_bytes(KEY_BYTES)))


async def create_endpoint(
    tx: Tx, scope: Scope, order: NewEndpoint, *, allow_private: bool, now: datetime
) -> tuple[Endpoint, Secret]:
    """A new, enabled endpoint, and its secret, which nobody is shown again.

    Raises `WebhookUrlRefused`, `WebhookTopicsRefused`, `MerchantNotFound` or
    `TooManyWebhookEndpoints`.
    """
    check_url(order.url, is_test=order.is_test, allow_private=allow_private)
    _check_topics(order.topics)
    merchant = await merchants.load_merchant(tx, scope, order.merchant_id)
    secret = new_secret()
    endpoint = await store.insert_endpoint(tx, order, merchant.reseller_id, secret=secret, now=now)
    if endpoint is None:
        raise TooManyWebhookEndpoints(f"a merchant has at most {store.ENDPOINTS_MAX} endpoints")
    await outbox.put(tx, [_created(endpoint)])
    return endpoint, secret


def _check_topics(topics: tuple[str, ...]) -> None:
    if topics == (ALL_TOPICS,):
        return
    if not topics or len(set(topics)) != len(topics):
        raise WebhookTopicsRefused('name each topic once, or give ["*"] for all', param="topics")
    unknown = sorted(set(topics) - TOPICS)
    if unknown:
        raise WebhookTopicsRefused(
            f"{unknown[0][:60]!r} is not a topic; there are {', '.join(sorted(TOPICS))}, "
            f"or {ALL_TOPICS!r} alone for all",
            param="topics",
        )


def _created(endpoint: Endpoint) -> events.WebhookEndpointCreated:
    return events.WebhookEndpointCreated(
        endpoint_id=endpoint.id,
        merchant_id=endpoint.merchant_id,
        is_test=endpoint.is_test,
        url=endpoint.place,
        happened_at=endpoint.created_at,
    )
