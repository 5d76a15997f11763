"""What merchants announce."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from guilder.kernel.ids import PLATFORM, MerchantId, ResellerId, StoreId
from guilder.kernel.money import Currency


@dataclass(frozen=True, slots=True)
class ResellerCreated:
    """A reseller was created."""

    topic: ClassVar[str] = "reseller.created"
    version: ClassVar[int] = 1

    reseller_id: ResellerId
    is_test: bool
    name: str
    country: str
    happened_at: datetime

    @property
    def subject(self) -> ResellerId:
        """The reseller."""
        return self.reseller_id

    @property
    def merchant_id(self) -> MerchantId:
        """No merchant is concerned, so the platform stands in: it is told, and no merchant is."""
        return MerchantId(PLATFORM.value)


@dataclass(frozen=True, slots=True)
class MerchantCreated:
    """A merchant was created, and is active."""

    topic: ClassVar[str] = "merchant.created"
    version: ClassVar[int] = 1

    merchant_id: MerchantId
    reseller_id: ResellerId | None
    is_test: bool
    name: str
    country: str
    default_currency: Currency
    happened_at: datetime

    @property
    def subject(self) -> MerchantId:
        """The merchant."""
        return self.merchant_id


@dataclass(frozen=True, slots=True)
class StoreCreated:
    """A merchant opened a store."""

    topic: ClassVar[str] = "store.created"
    version: ClassVar[int] = 1

    store_id: StoreId
    merchant_id: MerchantId
    is_test: bool
    name: str
    country: str
    happened_at: datetime

    @property
    def subject(self) -> StoreId:
        """The store."""
        return self.store_id


@dataclass(frozen=True, slots=True)
class MerchantWasSuspended:
    """A merchant takes no new payments from now on."""

    topic: ClassVar[str] = "merchant.suspended"
    version: ClassVar[int] = 1

    merchant_id: MerchantId
    is_test: bool
    reason: str | None
    happened_at: datetime

    @property
    def subject(self) -> MerchantId:
        """The merchant."""
        return self.merchant_id


@dataclass(frozen=True, slots=True)
class MerchantWasReinstated:
    """A merchant may take payments again."""

    topic: ClassVar[str] = "merchant.reinstated"
    version: ClassVar[int] = 1

    merchant_id: MerchantId
    is_test: bool
    reason: str | None
    happened_at: datetime

    @property
    def subject(self) -> MerchantId:
        """The merchant."""
        return self.merchant_id
