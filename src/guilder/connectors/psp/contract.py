"""What we ask of a payment service provider, in our words, and the kinds of answer there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from guilder.kernel.errors import Kind, Refusal
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money


class Operation(StrEnum):
    """What an attempt asks a provider to do."""

    AUTHORIZE = "authorize"  # Reserve the money, to be captured or voided later.
    SALE = "sale"  # Authorize and capture in one step.
    CAPTURE = "capture"  # Take reserved money, all or in part.
    VOID = "void"  # Let reserved money go.
    REFUND = "refund"  # Give captured money back, all or in part.


class Verdict(StrEnum):
    """The kinds of answer. Only `SUCCEEDED` and `DECLINED` are sure."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # A sure no: nothing moved and nothing will.
    PENDING = "pending"  # The provider has it and has not decided.
    UNKNOWN = "unknown"  # Silence, nonsense, or a fault: it may or may not have happened.
    NEVER_SEEN = "never_seen"  # Asked later, the provider does not know this attempt.


class Reason(StrEnum):
    """Why a provider said no, in one vocabulary for all of them."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    INCORRECT_NUMBER = "incorrect_number"
    INCORRECT_CVC = "incorrect_cvc"
    LOST_OR_STOLEN = "lost_or_stolen"
    SUSPECTED_FRAUD = "suspected_fraud"
    AUTHENTICATION_REQUIRED = "authentication_required"
    LIMIT_EXCEEDED = "limit_exceeded"
    NOT_SUPPORTED = "not_supported"
    PROVIDER_FAULT = "provider_fault"
    INVALID_REQUEST = "invalid_request"
    GENERIC_DECLINE = "generic_decline"


class Advice(StrEnum):
    """What the merchant may sensibly do next."""

    RETRY_LATER = "retry_later"
    OTHER_METHOD = "other_method"
    AUTHENTICATE = "authenticate"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Decline:
    """A sure no: our reason, our advice, and the provider's own code, for support."""

    reason: Reason
    advice: Advice
    raw: str


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said of one attempt. `amount` is what it says it moved or reserved."""

    verdict: Verdict
    provider_ref: str | None = None
    amount: Money | None = None
    decline: Decline | None = None
    card: Card | None = None
    detail: str | None = None  # For people: what was strange about an unknown; never a secret.


@dataclass(frozen=True, slots=True)
class Ask:
    """One attempt: our id for it (also its idempotency key there), what to do, how much, on what.

    `provider_ref` is the provider's id of the payment for all operations but the first two, for
    which `token` is the payment method.
    """

    attempt_id: AttemptId
    operation: Operation
    amount: Money
    asked_at: datetime
    provider_ref: str | None = None
    token: str | None = None
    description: str | None = None
    hints: Mapping[str, str] | None = None  # Metadata the merchant wants the provider to see.


@dataclass(frozen=True, slots=True)
class News:
    """What a provider's own message tells of one operation."""

    operation: Operation
    our_ref: AttemptId | None  # The attempt it names, when it names one.
    payment_ref: str  # The provider's id of the payment.
    answer: Answer


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A verified message: its own id there, its type, and its news; None when it tells us none."""

    event_id: str
    topic: str
    happened_at: datetime
    news: News | None


class ForgedMessage(Refusal):
    """The message does not carry a valid signature of the provider it claims to be from."""

    code = "invalid_signature"
    kind = Kind.UNAUTHENTICATED


class MalformedMessage(Refusal):
    """The message is signed but cannot be read."""

    code = "malformed_message"
    kind = Kind.INVALID


class Psp(Protocol):
    """A provider. No method raises for what the provider does: silence and nonsense are UNKNOWN."""

    @property
    def name(self) -> str:
        """The provider's name in paths and records, lower case."""
        ...

    async def ask(self, ask: Ask) -> Answer:
        """Have it done, under the attempt's id, within the connector's time budget."""
        ...

    async def look_up(self, ask: Ask) -> Answer:
        """Find out what became of an attempt asked earlier, without doing anything."""
        ...

    def read_message(
        self, headers: Mapping[str, str], raw: bytes, now: datetime
    ) -> ProviderMessage:
        """Verify and read a message. Raises `ForgedMessage` or `MalformedMessage`.

        Header names are lower case. Verification is over the raw bytes, before any parsing.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
