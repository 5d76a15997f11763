"""What a payment, an attempt and a refund are, and what is ordered of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from guilder.connectors.psp.contract import Advice, Answer, Operation, Reason
from guilder.kernel import idempotency
from guilder.kernel.ids import AttemptId, MerchantId, PaymentId, RefundId, ResellerId
from guilder.kernel.money import Money
from guilder.kernel.scope import Scope
from guilder.payments.states import AttemptState, PaymentState, RefundState


class CaptureMethod(StrEnum):
    """When the money is taken."""

    AUTOMATIC = "automatic"  # At once, with the authorization.
    MANUAL = "manual"  # Later, by a capture.


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """How it is paid; brand and last4 are known once the provider has answered."""

    type: str
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a payment was declined: our reason and advice, the provider's own code."""

    reason: Reason
    advice: Advice
    raw: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands; amounts in minor units of `amount.currency`, only growing."""

    id: PaymentId
    is_test: bool
    merchant_id: MerchantId
    reseller_id: ResellerId | None
    state: PaymentState
    amount: Money
    capture_method: CaptureMethod
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    method: PaymentMethod
    provider: str
    provider_ref: str | None
    decline: Refused | None
    reference: str | None
    description: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One asking of one provider. `undoes_id` names an overtaken attempt that this one undoes."""

    id: AttemptId
    is_test: bool
    payment_id: PaymentId
    refund_id: RefundId | None
    undoes_id: AttemptId | None
    operation: Operation
    state: AttemptState
    amount: Money
    provider: str
    payment_ref: str | None
    provider_ref: str | None
    verdict: str | None
    detail: str | None
    asked_at: datetime
    asked_count: int
    resolve_at: datetime | None
    concluded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back, or back."""

    id: RefundId
    is_test: bool
    payment_id: PaymentId
    merchant_id: MerchantId
    reseller_id: ResellerId | None
    state: RefundState
    amount: Money
    reason: str | None
    provider_ref: str | None
    failure: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewPayment:
    """An order to take a payment. `token` is the provider's name of the payment method."""

    scope: Scope
    merchant_id: MerchantId
    amount: Money
    capture_method: CaptureMethod
    method_type: str
    token: str
    reference: str | None
    description: str | None
    metadata: Mapping[str, str]
    key: idempotency.Key


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a merchant tells us to do with a payment; `amount_minor` None means all that is left."""

    scope: Scope
    payment_id: PaymentId
    key: idempotency.Key
    amount_minor: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NewOperation:
    """An order to capture, void or refund."""

    operation: Operation
    told: Instruction


@dataclass(frozen=True, slots=True)
class Standing:
    """A payment with what its present attempt and refund came to: what a caller is shown."""

    payment: Payment
    attempt: Attempt
    refund: Refund | None = None


Show = Callable[["Standing"], idempotency.Answer]
"""How a caller is answered: the entrance's own rendering of how things stand."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a provider said of an attempt; `key` and `show` when a caller waits for an answer."""

    attempt_id: AttemptId
    payment_id: PaymentId
    answer: Answer
    at: datetime
    key: idempotency.Key | None = None
    show: Show | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a caller is answered, and whether it had been answered so before."""

    answer: idempotency.Answer
    is_replay: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Something that happened to a payment, kept for ever."""

    payment_id: PaymentId
    attempt_id: AttemptId | None
    what: str
    facts: Mapping[str, str | int | None]
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments to list; None leaves a condition out. Created bounds are UTC, inclusive."""

    state: str | None = None
    merchant_id: MerchantId | None = None
    reference: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the payments context knows of one payment, for its trail."""

    payment: Payment
    attempts: tuple[Attempt, ...]
    refunds: tuple[Refund, ...]
    history: tuple[HistoryLine, ...]
