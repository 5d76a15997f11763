"""Endpoints, deliveries and tries: as they are kept, as they are sent, as they are shown."""

from dataclasses import dataclass
from datetime import datetime

from guilder.kernel.ids import DeliveryId, EndpointId, EventId, MerchantId, ResellerId
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.webhooks.states import DeliveryState, EndpointState

ALL_TOPICS = "*"


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """A merchant's wish to be told: where, of which topics (`("*",)` is all), and who asked."""

    is_test: bool
    merchant_id: MerchantId
    url: str
    topics: tuple[str, ...]
    description: str | None
    asked_by: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A merchant's endpoint, without its secret; `reason` is there while it is disabled."""

    id: EndpointId
    is_test: bool
    merchant_id: MerchantId
    reseller_id: ResellerId | None
    url: str
    topics: tuple[str, ...]
    description: str | None
    state: EndpointState
    reason: str | None
    failing_since: datetime | None
    former_secret_until: datetime | None
    created_at: datetime
    version: int

    @property
    def place(self) -> str:
        """The URL as it may be told to others: without its query, which may hold a token."""
        return self.url.partition("?")[0]

    def is_within(self, scope: Scope) -> bool:
        """Whether a caller of this scope may see and change it."""
        return (
            self.is_test == scope.is_test
            and scope.merchant_id in {None, self.merchant_id}
            and scope.reseller_id in {None, self.reseller_id}
        )


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """An event as it is sent: the same bytes on every try to every endpoint."""

    event_id: EventId
    is_test: bool
    merchant_id: MerchantId
    topic: str
    subject: str
    sequence: int
    happened_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint that is to be told of the message at this place of a list.

    `last_sequence` is the highest told so far about the message's subject; 0 before the first.
    """

    place: int
    endpoint_id: EndpointId
    last_sequence: int


@dataclass(frozen=True, slots=True)
class Errand:
    """One try that one worker has for itself: what to send where, signed with which secrets."""

    delivery_id: DeliveryId
    endpoint_id: EndpointId
    event_id: EventId
    number: int
    tries_left: int
    url: str
    secrets: tuple[Secret, ...]
    body: bytes
    is_failing: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver did: a status, or the trouble in a few words; `retry_after` as it came."""

    status: int | None
    trouble: str | None
    duration_ms: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class TryRecord:
    """A try with what follows from it; `next_try_at` while the delivery is pending."""

    errand: Errand
    answer: Answer
    tried_at: datetime
    ended_at: datetime
    state: DeliveryState
    next_try_at: datetime | None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver said 410: never again."""
        return self.answer.status == 410


@dataclass(frozen=True, slots=True)
class Try:
    """One line of the delivery log."""

    number: int
    tried_at: datetime
    duration_ms: int
    status: int | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one endpoint, as its merchant sees it."""

    id: DeliveryId
    is_test: bool
    endpoint_id: EndpointId
    url: str
    event_id: EventId
    topic: str
    subject: str
    state: DeliveryState
    tries: int
    next_try_at: datetime | None
    last_status: int | None
    trouble: str | None
    created_at: datetime
    delivered_at: datetime | None
