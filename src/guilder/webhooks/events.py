"""What webhooks announce about themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from guilder.kernel.ids import EndpointId, MerchantId


@dataclass(frozen=True, slots=True)
class _AboutEndpoint:
    """What every event about an endpoint carries; `url` is without its query."""

    endpoint_id: EndpointId
    merchant_id: MerchantId
    is_test: bool
    url: str
    happened_at: datetime

    @property
    def subject(self) -> EndpointId:
        return self.endpoint_id


@dataclass(frozen=True, slots=True)
class WebhookEndpointCreated(_AboutEndpoint):
    """Deliveries to this URL begin."""

    topic: ClassVar[str] = "webhook_endpoint.created"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class WebhookEndpointDisabled(_AboutEndpoint):
    """Nothing is sent to this URL any more, until its merchant enables it again."""

    topic: ClassVar[str] = "webhook_endpoint.disabled"
    version: ClassVar[int] = 1

    reason: str


@dataclass(frozen=True, slots=True)
class WebhookEndpointEnabled(_AboutEndpoint):
    """Deliveries to this URL go on."""

    topic: ClassVar[str] = "webhook_endpoint.enabled"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class WebhookEndpointDeleted(_AboutEndpoint):
    """The endpoint is gone for good."""

    topic: ClassVar[str] = "webhook_endpoint.deleted"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class WebhookSecretRotated(_AboutEndpoint):
    """A new secret signs; the former one signs beside it until `former_secret_until`."""

    topic: ClassVar[str] = "webhook_endpoint.secret_rotated"
    version: ClassVar[int] = 1

    former_secret_until: datetime
