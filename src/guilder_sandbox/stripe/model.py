"""What Stripe's side remembers: payment intents with their attempts, refunds, endpoints, events."""

import random
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_capture",
    "processing",
    "succeeded",
    "canceled",
]
AttemptState: TypeAlias = Literal["pending", "authorized", "captured", "released", "failed"]
RefundStatus: TypeAlias = Literal["pending", "succeeded", "failed"]

_random = random.Random()  # noqa: S311 - These ids open no door.

API_VERSION = "2026-06-24.dahlia"  # The version in whose shape objects and events are written.


class Attempt(msgspec.Struct, array_like=True):
    """One charge of a payment intent; amounts in Stripe's units of the intent's currency."""

    number: int
    at: int
    card: str
    method: str
    amount: int
    state: AttemptState
    captured: int = 0
    refunded: int = 0
    metadata: dict[str, str] | None = None  # As it was then, when the intent's has changed since.

    def released(self) -> int:
        """What was held and will never be captured."""
        if self.state in {"captured", "released"}:
            return max(0, self.amount - self.captured)
        return 0


class Intent(msgspec.Struct, array_like=True):
    """A payment intent: `seq` is its row, `id` what Stripe calls it."""

    seq: int
    id: str
    created: int
    amount: int
    currency: str
    status: Status
    capture_method: str
    method_types: list[str]
    metadata: dict[str, str]
    card: str | None = None
    method: str | None = None
    description: str | None = None
    suffix: str | None = None
    customer: str | None = None
    automatic_methods: str | None = None  # allow_redirects, when the account's methods are used.
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    attempts: list[Attempt] = []

    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    def live(self) -> Attempt | None:
        """The attempt that carries the money, or None."""
        last = self.last()
        return None if last is None or last.state in {"failed", "pending"} else last


class Refund(msgspec.Struct, array_like=True):
    """A refund of one charge; `movement` is its row in the book."""

    seq: int
    id: str
    created: int
    amount: int
    currency: str
    intent_seq: int
    intent_id: str
    charge_id: str
    attempt: int
    status: RefundStatus
    reason: str | None
    metadata: dict[str, str]
    movement: int
    reference: str | None = None
    failure_reason: str | None = None


class Endpoint(msgspec.Struct, array_like=True):
    """Somebody who wants to be told."""

    seq: int
    id: str
    created: int
    url: str
    secret: str
    enabled_events: list[str]
    metadata: dict[str, str]
    description: str | None
    disabled: bool = False
    deleted: bool = False

    def wants(self, type_name: str) -> bool:
        if self.disabled or self.deleted:
            return False
        return "*" in self.enabled_events or type_name in self.enabled_events


class Event(msgspec.Struct, array_like=True):
    """Something that happened, with what it was about as it stood at that moment."""

    seq: int
    id: str
    type: str
    created: int
    snapshot: bytes
    about: str  # The id of the object shown: a payment intent's, a charge's or a refund's.
    request_id: str | None
    idempotency_key: str | None
    previous: dict[str, str | int | bool | None] | None


def new_token(seq: int) -> str:
    """A token that carries its row number at the end, and otherwise is like no other."""
    return f"3S{_random.getrandbits(48):012x}{seq:010x}"


def seq_of(id: str, prefix: str) -> int | None:
    """The row number in an id of this kind, or None when it is no such id."""
    token = id.removeprefix(prefix)
    if len(token) < 24 or token == id:
        return None
    try:
        return int(token[14:24], 16)
    except ValueError:
        return None


def charge_id(intent: Intent, attempt: Attempt) -> str:
    """A charge's id is its intent's token and the attempt's number, so that either finds both."""
    return f"ch_{intent.id[3:]}{attempt.number:02d}"


def charge_transaction_id(intent: Intent, attempt: Attempt) -> str:
    return f"txn_{intent.id[3:]}{attempt.number:02d}"


def refund_transaction_id(refund: Refund) -> str:
    """As long as a refund's own token, and so never taken for a charge's."""
    return f"txn_{refund.id[3:]}"


def our_ref_in(metadata: Mapping[str, str]) -> str | None:
    """The caller's own reference for an operation."""
    return metadata.get("guilder_attempt") or None
