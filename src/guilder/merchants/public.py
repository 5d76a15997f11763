"""The front door of merchants: who they are, whether they may sell, and how they are made."""

from guilder.merchants.actions import (
    create_merchant,
    create_reseller,
    create_store,
    must_be_active,
    reinstate_merchant,
    suspend_merchant,
)
from guilder.merchants.errors import MerchantNotFound, MerchantSuspended
from guilder.merchants.model import (
    Merchant,
    NewMerchant,
    NewReseller,
    NewStore,
    Reseller,
    Store,
)
from guilder.merchants.queries import list_merchants, load_merchant
from guilder.merchants.states import MerchantStatus

__all__ = [
    "Merchant",
    "MerchantNotFound",
    "MerchantStatus",
    "MerchantSuspended",
    "NewMerchant",
    "NewReseller",
    "NewStore",
    "Reseller",
    "Store",
    "create_merchant",
    "create_reseller",
    "create_store",
    "list_merchants",
    "load_merchant",
    "must_be_active",
    "reinstate_merchant",
    "suspend_merchant",
]
