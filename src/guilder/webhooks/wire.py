"""What is asked of webhooks over HTTP, and how endpoints, deliveries and tries are shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from guilder.kernel.clock import rfc3339
from guilder.kernel.ids import DeliveryId, EndpointId, EventId, MerchantId
from guilder.kernel.secret import Secret
from guilder.webhooks.model import Delivery, Endpoint, Try
from guilder.webhooks.states import DeliveryState, EndpointState

Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="Where to send to: https, or in test mode also http.",
        examples=["https://shop.example/webhooks"],
    ),
]
Topic = Annotated[str, Meta(min_length=1, max_length=100)]
Topics = Annotated[
    list[Topic],
    Meta(
        min_length=1,
        max_length=100,
        description='What to be told of; ["*"] is everything.',
        examples=[["payment.captured", "payment.refunded"]],
    ),
]
Description = Annotated[str, Meta(min_length=1, max_length=500, examples=["the web shop"])]


class CreateWebhookEndpointRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new endpoint; `merchant_id` may be left out when the key belongs to one merchant."""

    url: Url
    topics: Topics
    description: Description | None = None
    merchant_id: MerchantId | None = None


class WebhookEndpointView(msgspec.Struct, frozen=True):
    """A webhook endpoint; its secret is shown when it is made, and never again."""

    object: Literal["webhook_endpoint"]
    id: EndpointId
    livemode: bool
    merchant_id: MerchantId
    url: str
    topics: list[str]
    description: str | None
    state: EndpointState
    reason: Annotated[str | None, Meta(description="Why it is disabled.")]
    failing_since: Annotated[str | None, Meta(description="Since when every try has failed.")]
    former_secret_until: Annotated[
        str | None, Meta(description="Until when the secret before this one signs beside it.")
    ]
    created_at: str
    version: int
    secret: Annotated[
        str | None,
        Meta(description="The signing secret. Only in the first answer; a replay has null here."),
    ]

    @classmethod
    def of(cls, endpoint: Endpoint, *, secret: Secret | None = None) -> "WebhookEndpointView":
        """The endpoint as it is shown, with its secret where it was made this very moment."""
        return cls(
            object="webhook_endpoint",
            id=endpoint.id,
            livemode=not endpoint.is_test,
            merchant_id=endpoint.merchant_id,
            url=endpoint.url,
            topics=list(endpoint.topics),
            description=endpoint.description,
            state=endpoint.state,
            reason=endpoint.reason,
            failing_since=_instant(endpoint.failing_since),
            former_secret_until=_instant(endpoint.former_secret_until),
            created_at=rfc3339(endpoint.created_at),
            version=endpoint.version,
            secret=secret.reveal() if secret else None,
        )


class WebhookTryView(msgspec.Struct, frozen=True):
    """One try: when, how long, and what the receiver answered, or why it did not."""

    number: int
    tried_at: str
    duration_ms: int
    status: int | None
    trouble: str | None


class WebhookDeliveryView(msgspec.Struct, frozen=True):
    """One event for one endpoint; `tries` counts all there were."""

    object: Literal["webhook_delivery"]
    id: DeliveryId
    livemode: bool
    endpoint_id: EndpointId
    url: str
    event_id: EventId
    topic: str
    subject: Annotated[str, Meta(description="The id of what the event is about.")]
    state: DeliveryState
    tries: int
    next_try_at: Annotated[str | None, Meta(description="Only while it is pending.")]
    last_status: int | None
    trouble: str | None
    created_at: str
    delivered_at: str | None
    log: Annotated[
        list[WebhookTryView] | None,
        Meta(description="Every try; only where one delivery is shown."),
    ]

    @classmethod
    def of(cls, delivery: Delivery, *, tries: Sequence[Try] | None = None) -> "WebhookDeliveryView":
        """The delivery as it is shown, alone with its log or in a list without."""
        return cls(
            object="webhook_delivery",
            id=delivery.id,
            livemode=not delivery.is_test,
            endpoint_id=delivery.endpoint_id,
            url=delivery.url,
            event_id=delivery.event_id,
            topic=delivery.topic,
            subject=delivery.subject,
            state=delivery.state,
            tries=delivery.tries,
            next_try_at=_instant(delivery.next_try_at),
            last_status=delivery.last_status,
            trouble=delivery.trouble,
            created_at=rfc3339(delivery.created_at),
            delivered_at=_instant(delivery.delivered_at),
            log=None if tries is None else [_try_view(one) for one in tries],
        )


def _try_view(one: Try) -> WebhookTryView:
    return WebhookTryView(
        one.number, rfc3339(one.tried_at), one.duration_ms, one.status, one.trouble
    )


def _instant(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None
