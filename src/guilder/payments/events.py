"""What payments announce."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from guilder.kernel.ids import MerchantId, PaymentId, RefundId
from guilder.kernel.money import Money


@dataclass(frozen=True, slots=True)
class _AboutPayment:
    """What every event about a payment carries."""

    payment_id: PaymentId
    merchant_id: MerchantId
    is_test: bool
    state: str
    amount: Money
    reference: str | None
    happened_at: datetime

    @property
    def subject(self) -> PaymentId:
        return self.payment_id


@dataclass(frozen=True, slots=True)
class PaymentAuthorized(_AboutPayment):
    """The money is reserved; `amount` is what was authorized."""

    topic: ClassVar[str] = "payment.authorized"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class PaymentCaptured(_AboutPayment):
    """The money was taken; `amount` is what was captured."""

    topic: ClassVar[str] = "payment.captured"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class PaymentDeclined(_AboutPayment):
    """The provider said no; none moved."""

    topic: ClassVar[str] = "payment.declined"
    version: ClassVar[int] = 1

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class PaymentFailed(_AboutPayment):
    """The provider never saw it; none moved."""

    topic: ClassVar[str] = "payment.failed"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class PaymentVoided(_AboutPayment):
    """The reserved money was let go; `amount` is what had been authorized."""

    topic: ClassVar[str] = "payment.voided"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class PaymentOvertaken(_AboutPayment):
    """A yes came for a failed payment; `amount` is being given back by an attempt of its own."""

    topic: ClassVar[str] = "payment.overtaken"
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class OperationRefused(_AboutPayment):
    """A capture or void was refused by the provider; `operation` says which."""

    topic: ClassVar[str] = "payment.operation_refused"
    version: ClassVar[int] = 1

    operation: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentRefunded(_AboutPayment):
    """Captured money went back; `amount` is this refund's."""

    topic: ClassVar[str] = "payment.refunded"
    version: ClassVar[int] = 1

    refund_id: RefundId


@dataclass(frozen=True, slots=True)
class RefundFailed(_AboutPayment):
    """A refund came to nothing; `amount` did not go back."""

    topic: ClassVar[str] = "payment.refund_failed"
    version: ClassVar[int] = 1

    refund_id: RefundId
    reason: str


PaymentEvent = (
    PaymentAuthorized
    | PaymentCaptured
    | PaymentDeclined
    | PaymentFailed
    | PaymentVoided
    | PaymentOvertaken
    | OperationRefused
    | PaymentRefunded
    | RefundFailed
)
