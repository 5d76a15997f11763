"""A provider's message: as it arrives, as it is worked on, and as others may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guilder.intake.states import MessageState
from guilder.kernel.ids import AttemptId, InboundId


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A verified message on its way into the store; `payload` is the raw body, byte for byte."""

    id: InboundId
    provider: str
    is_test: bool
    provider_event_id: str
    topic: str
    payment_ref: str | None
    our_ref: AttemptId | None
    headers: Mapping[str, str]
    payload: bytes
    happened_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the store says of a message: the id it is kept under, and whether it came before."""

    message_id: InboundId
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A message one worker has for itself until `claimed_until`, and what it needs to read it."""

    id: InboundId
    provider: str
    is_test: bool
    headers: Mapping[str, str]
    payload: bytes
    received_at: datetime
    state: MessageState
    tries: int
    claimed_until: datetime


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What became of a claimed message: the state it moves to or stays in, and why."""

    claim: Claim
    state: MessageState
    outcome: str | None = None
    trouble: str | None = None
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as a money trail shows it: what it was and what became of it."""

    id: InboundId
    provider: str
    provider_event_id: str
    topic: str
    payment_ref: str | None
    state: MessageState
    tries: int
    outcome: str | None
    trouble: str | None
    happened_at: datetime
    received_at: datetime
    processed_at: datetime | None
