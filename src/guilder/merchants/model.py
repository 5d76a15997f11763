"""What resellers, merchants and stores are, and what it takes to make one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.kernel.money import Currency
from guilder.merchants.states import MerchantStatus


@dataclass(frozen=True, slots=True)
class NewReseller:
    """A reseller to be; `country` is its ISO 3166-1 alpha-2 code."""

    name: str
    country: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """A merchant to be, below a reseller or, without one, directly below the platform."""

    name: str
    country: str
    default_currency: Currency
    metadata: Mapping[str, str]
    reseller_id: ResellerId | None


@dataclass(frozen=True, slots=True)
class NewStore:
    """A store to be."""

    merchant_id: MerchantId
    name: str
    country: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reseller:
    """Who brings merchants."""

    id: ResellerId
    is_test: bool
    name: str
    country: str
    metadata: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who sells and is paid."""

    id: MerchantId
    is_test: bool
    reseller_id: ResellerId | None
    name: str
    country: str
    default_currency: Currency
    metadata: Mapping[str, str]
    status: MerchantStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Store:
    """Where a merchant sells."""

    id: StoreId
    is_test: bool
    merchant_id: MerchantId
    name: str
    country: str
    metadata: Mapping[str, str]
    created_at: datetime
