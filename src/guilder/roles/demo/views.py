"""What a caller reads of the API's answers and of the provider's book, and no more of them."""

import msgspec

Facts = dict[str, str | int | None]


class DeclineSeen(msgspec.Struct, frozen=True):
    """Why a payment was declined."""

    reason: str
    raw: str


class PaymentSeen(msgspec.Struct, frozen=True):
    """A payment; amounts in minor units of its currency."""

    id: str
    merchant_id: str
    state: str
    amount_minor: int
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    display_amount: str
    reference: str | None
    decline: DeclineSeen | None


class RefundSeen(msgspec.Struct, frozen=True):
    """A refund."""

    id: str
    payment_id: str
    state: str
    failure: str | None


class PageSeen(msgspec.Struct, frozen=True):
    """A page of payments."""

    data: list[PaymentSeen]
    has_more: bool


class Problem(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457)."""

    error_code: str
    detail: str
    retryable: bool


class Made(msgspec.Struct, frozen=True):
    """Something new, with its secret when it has one and is shown for the first time."""

    id: str
    secret: str | None = None


class Endpoints(msgspec.Struct, frozen=True):
    """A page of webhook endpoints."""

    data: list[Made]


class StepSeen(msgspec.Struct, frozen=True):
    """One step of a trail."""

    kind: str
    id: str
    summary: str
    facts: Facts


class TrailSeen(msgspec.Struct, frozen=True):
    """Everything that happened to one payment, oldest first."""

    payment_id: str
    state: str
    steps: list[StepSeen]

    def of(self, kind: str) -> list[StepSeen]:
        """The steps of one kind."""
        return [step for step in self.steps if step.kind == kind]


class TrialLineSeen(msgspec.Struct, frozen=True):
    """One currency of the trial balance, in minor units."""

    currency: str
    debits_minor: int
    credits_minor: int
    difference_minor: int


class TrialBalanceSeen(msgspec.Struct, frozen=True):
    """The trial balance."""

    lines: list[TrialLineSeen]


class Movement(msgspec.Struct, frozen=True):
    """One row of the provider's book, in minor units of ISO 4217."""

    ref: str
    our_ref: str | None
    kind: str
    amount_minor: int
    currency: str
    state: str
    payment_ref: str
    idempotency_key: str | None

    @property
    def attempt_ref(self) -> str | None:
        """Our attempt, as the provider knows it: the key of the request, or else its metadata."""
        return self.idempotency_key or self.our_ref


class ProviderBooks(msgspec.Struct, frozen=True):
    """The outside world's books, by provider."""

    providers: dict[str, list[Movement]]
