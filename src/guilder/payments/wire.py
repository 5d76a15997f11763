"""Payments as callers send and see them."""

from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from guilder.kernel.clock import rfc3339
from guilder.kernel.ids import MerchantId
from guilder.kernel.money import AMOUNT_MAX, Currency, Money
from guilder.payments.model import Payment, Refund
from guilder.payments.states import PaymentState

AmountMinor = Annotated[
    int,
    Meta(
        ge=1,
        le=AMOUNT_MAX,
        description="In the currency's smallest unit: 1050 is EUR 10.50, JPY 1050 or KWD 1.050.",
        examples=[1050],
    ),
]
Reference = Annotated[
    str, Meta(min_length=1, max_length=200, description="Your own number; need not be unique.")
]
MetadataValue = Annotated[str, Meta(max_length=500)]
Metadata = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=40)], MetadataValue],
    Meta(max_length=50, description="Up to 50 entries of your own."),
]


class CardMethod(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="card", tag_field="type"
):
    """A card, by the provider's token for it; card numbers never come here."""

    token: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_]{3,255}$",
            description="The provider's token of the card.",
            examples=["pm_card_visa"],
        ),
    ]


class PaymentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment to take."""

    amount_minor: AmountMinor
    currency: Currency
    payment_method: CardMethod
    merchant_id: Annotated[
        MerchantId | None, Meta(description="May be left out when the key belongs to one merchant.")
    ] = None
    capture_method: Literal["automatic", "manual"] = "automatic"
    reference: Reference | None = None
    description: Annotated[str, Meta(max_length=500)] | None = None
    metadata: Metadata = {}


class CaptureRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much to capture; all that is authorized when it is left out, which null is not."""

    amount_minor: AmountMinor | msgspec.UnsetType = msgspec.UNSET


class VoidRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A void takes nothing: all of the reserved money is let go."""


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much to give back, and why; all that is left when the amount is left out, not null."""

    amount_minor: AmountMinor | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[str, Meta(max_length=200)] | None = None


class MethodView(msgspec.Struct, frozen=True):
    """How it was paid, as far as it may be shown."""

    type: str
    brand: str | None
    last4: str | None


class DeclineView(msgspec.Struct, frozen=True):
    """Why it was declined: our reason and advice, and the provider's own code."""

    reason: str
    advice: str
    raw: str


class PaymentView(msgspec.Struct, frozen=True):
    """A payment as it stands."""

    object: Literal["payment"]
    id: str
    livemode: bool
    merchant_id: str
    state: PaymentState
    amount_minor: int
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    currency_exponent: int
    display_amount: str
    capture_method: str
    payment_method: MethodView
    provider: str
    provider_ref: str | None
    decline: DeclineView | None
    reference: str | None
    description: str | None
    metadata: dict[str, str]
    created_at: str
    updated_at: str
    version: int

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The view of a payment."""
        decline = payment.decline
        return cls(
            object="payment",
            id=str(payment.id),
            livemode=not payment.is_test,
            merchant_id=str(payment.merchant_id),
            state=payment.state,
            amount_minor=payment.amount.amount_minor,
            authorized_minor=payment.authorized_minor,
            captured_minor=payment.captured_minor,
            refunded_minor=payment.refunded_minor,
            currency=payment.amount.currency.code,
            currency_exponent=payment.amount.currency.exponent,
            display_amount=str(payment.amount),
            capture_method=payment.capture_method.value,
            payment_method=MethodView(
                payment.method.type, payment.method.brand, payment.method.last4
            ),
            provider=payment.provider,
            provider_ref=payment.provider_ref,
            decline=DeclineView(decline.reason.value, decline.advice.value, decline.raw)
            if decline
            else None,
            reference=payment.reference,
            description=payment.description,
            metadata=dict(payment.metadata),
            created_at=rfc3339(payment.created_at),
            updated_at=rfc3339(payment.updated_at),
            version=payment.version,
        )


class RefundView(msgspec.Struct, frozen=True):
    """A refund as it stands."""

    object: Literal["refund"]
    id: str
    livemode: bool
    payment_id: str
    merchant_id: str
    state: str
    amount_minor: int
    currency: str
    currency_exponent: int
    display_amount: str
    reason: str | None
    provider_ref: str | None
    failure: str | None
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The view of a refund."""
        amount: Money = refund.amount
        return cls(
            object="refund",
            id=str(refund.id),
            livemode=not refund.is_test,
            payment_id=str(refund.payment_id),
            merchant_id=str(refund.merchant_id),
            state=refund.state.value,
            amount_minor=amount.amount_minor,
            currency=amount.currency.code,
            currency_exponent=amount.currency.exponent,
            display_amount=str(amount),
            reason=refund.reason,
            provider_ref=refund.provider_ref,
            failure=refund.failure,
            created_at=rfc3339(refund.created_at),
            updated_at=rfc3339(refund.updated_at),
        )
