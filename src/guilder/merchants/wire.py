"""What is asked of merchants over HTTP, and how resellers, merchants and stores are shown."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from guilder.kernel.clock import rfc3339
from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.kernel.money import Currency
from guilder.merchants.model import Merchant, Reseller, Store
from guilder.merchants.states import MerchantStatus

Name = Annotated[str, Meta(min_length=1, max_length=200, examples=["Tulip & Daughters"])]
Country = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=2,
        pattern="^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2.",
        examples=["NL"],
    ),
]
MetadataName = Annotated[str, Meta(min_length=1, max_length=40)]
MetadataText = Annotated[str, Meta(max_length=500)]
Metadata = Annotated[
    dict[MetadataName, MetadataText],
    Meta(max_length=50, description="Your own notes.", examples=[{"crm": "77"}]),
]
Reason = Annotated[str, Meta(min_length=1, max_length=500, examples=["unpaid invoices"])]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class CreateResellerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new reseller."""

    name: Name
    country: Country
    metadata: Metadata = {}


class CreateMerchantRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new merchant; without `reseller_id`, of the caller's own reseller."""

    name: Name
    country: Country
    default_currency: Currency
    reseller_id: ResellerId | None = None
    metadata: Metadata = {}


class CreateStoreRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new store; `merchant_id` may be left out when the key belongs to one merchant."""

    name: Name
    country: Country
    merchant_id: MerchantId | None = None
    metadata: Metadata = {}


class ChangeStatusRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the status changes; it is kept in the merchant's history."""

    reason: Reason | None = None


class ResellerView(msgspec.Struct, frozen=True):
    """A reseller."""

    object: Literal["reseller"]
    id: ResellerId
    livemode: bool
    name: str
    country: str
    metadata: dict[str, str]
    created_at: Instant

    @classmethod
    def of(cls, reseller: Reseller) -> "ResellerView":
        """The reseller as it is shown."""
        return cls(
            object="reseller",
            id=reseller.id,
            livemode=not reseller.is_test,
            name=reseller.name,
            country=reseller.country,
            metadata=dict(reseller.metadata),
            created_at=rfc3339(reseller.created_at),
        )


class MerchantView(msgspec.Struct, frozen=True):
    """A merchant."""

    object: Literal["merchant"]
    id: MerchantId
    livemode: bool
    reseller_id: ResellerId | None
    name: str
    country: str
    default_currency: Currency
    status: MerchantStatus
    metadata: dict[str, str]
    created_at: Instant

    @classmethod
    def of(cls, merchant: Merchant) -> "MerchantView":
        """The merchant as it is shown."""
        return cls(
            object="merchant",
            id=merchant.id,
            livemode=not merchant.is_test,
            reseller_id=merchant.reseller_id,
            name=merchant.name,
            country=merchant.country,
            default_currency=merchant.default_currency,
            status=merchant.status,
            metadata=dict(merchant.metadata),
            created_at=rfc3339(merchant.created_at),
        )


class StoreView(msgspec.Struct, frozen=True):
    """A store of a merchant."""

    object: Literal["store"]
    id: StoreId
    livemode: bool
    merchant_id: MerchantId
    name: str
    country: str
    metadata: dict[str, str]
    created_at: Instant

    @classmethod
    def of(cls, store: Store) -> "StoreView":
        """The store as it is shown."""
        return cls(
            object="store",
            id=store.id,
            livemode=not store.is_test,
            merchant_id=store.merchant_id,
            name=store.name,
            country=store.country,
            metadata=dict(store.metadata),
            created_at=rfc3339(store.created_at),
        )
