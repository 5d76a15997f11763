"""What a trail is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from guilder.payments.public import Payment


class StepKind(StrEnum):
    """What kind of thing happened."""

    REQUEST = "request"
    ATTEMPT = "attempt"
    HISTORY = "history"
    POSTING = "posting"
    EVENT = "event"
    DELIVERY = "delivery"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, with its id and what there is to know of it."""

    at: datetime
    kind: StepKind
    id: str
    summary: str
    facts: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Trail:
    """A payment and its steps, oldest first."""

    payment: Payment
    steps: tuple[Step, ...]
