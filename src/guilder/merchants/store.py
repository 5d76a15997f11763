"""The SQL that makes and changes resellers, merchants and stores."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId, StoreId
from guilder.kernel.money import Currency
from guilder.kernel.scope import Scope
from guilder.merchants.errors import MerchantNotFound
from guilder.merchants.model import Merchant, Reseller, Store
from guilder.merchants.states import MerchantStatus
from guilder.plumbing.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a merchant's history: from which status to which, who asked, and why."""

    before: MerchantStatus | None
    after: MerchantStatus
    reason: str | None
    by: ApiKeyId | None
    at: datetime


async def insert_reseller(tx: Tx, reseller: Reseller) -> None:
    """A reseller's row."""
    await tx.run(
        """
        insert into merchants.reseller (id, is_test, name, country, metadata, created_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        reseller.id.value,
        reseller.is_test,
        reseller.name,
        reseller.country,
        as_json(reseller.metadata),
        reseller.created_at,
    )


async def insert_merchant(tx: Tx, merchant: Merchant) -> None:
    """A merchant's row; its reseller must be on the same side of the wall."""
    await tx.run(
        """
        insert into merchants.merchant
               (id, is_test, reseller_id, name, country, default_currency, metadata, status,
                created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        merchant.id.value,
        merchant.is_test,
        merchant.reseller_id.value if merchant.reseller_id else None,
        merchant.name,
        merchant.country,
        merchant.default_currency.code,
        as_json(merchant.metadata),
        merchant.status,
        merchant.created_at,
    )


async def insert_store(tx: Tx, store: Store) -> None:
    """A store's row; its merchant must be on the same side of the wall."""
    await tx.run(
        """
        insert into merchants.store
               (id, is_test, merchant_id, name, country, metadata, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        store.id.value,
        store.is_test,
        store.merchant_id.value,
        store.name,
        store.country,
        as_json(store.metadata),
        store.created_at,
    )


async def load_merchant_for_update(tx: Tx, scope: Scope, merchant_id: MerchantId) -> Merchant:
    """Raises `MerchantNotFound` for a missing merchant and for another tenant's alike."""
    row = await tx.find(
        """
        select id, is_test, reseller_id, name, country, default_currency, metadata, status,
               created_at
          from merchants.merchant
         where id = $1
           and is_test = $2
           and ($3::uuid is null or reseller_id = $3)
           and ($4::uuid is null or id = $4)
           for update
        """,
        merchant_id.value,
        scope.is_test,
        scope.reseller_id.value if scope.reseller_id else None,
        scope.merchant_id.value if scope.merchant_id else None,
    )
    if row is None:
        raise missing_merchant(merchant_id)
    return merchant_of(row)


async def save_status(tx: Tx, before: Merchant, after: MerchantStatus) -> bool:
    """False when someone moved the merchant since we read it."""
    moved = await tx.run(
        """
        update merchants.merchant
           set status = $3
         where id = $1
           and status = $2
        """,
        before.id.value,
        before.status,
        after,
    )
    return moved == 1


async def insert_change(tx: Tx, merchant_id: MerchantId, change: Change) -> None:
    """Append to the merchant's history; its row must be locked or new."""
    await tx.run(
        """
        insert into merchants.merchant_history
               (merchant_id, position, before, after, reason, by_key_id, happened_at)
        select $1, coalesce(max(position), 0) + 1, $2, $3, $4, $5, $6
          from merchants.merchant_history
         where merchant_id = $1
        """,
        merchant_id.value,
        change.before,
        change.after,
        change.reason,
        change.by.value if change.by else None,
        change.at,
    )


def missing_merchant(merchant_id: MerchantId) -> MerchantNotFound:
    """One text for a merchant that is not there and for one that is another's."""
    return MerchantNotFound(f"you have no merchant {merchant_id}", param="merchant_id")


def reseller_of(row: Row) -> Reseller:
    """A reseller from its row."""
    return Reseller(
        id=ResellerId(row["id"]),
        is_test=row["is_test"],
        name=row["name"],
        country=row["country"],
        metadata=from_json(row["metadata"]),
        created_at=row["created_at"],
    )


def merchant_of(row: Row) -> Merchant:
    """A merchant from its row."""
    return Merchant(
        id=MerchantId(row["id"]),
        is_test=row["is_test"],
        reseller_id=ResellerId(row["reseller_id"]) if row["reseller_id"] else None,
        name=row["name"],
        country=row["country"],
        default_currency=Currency.of(row["default_currency"]),
        metadata=from_json(row["metadata"]),
        status=MerchantStatus(row["status"]),
        created_at=row["created_at"],
    )


def store_of(row: Row) -> Store:
    """A store from its row."""
    return Store(
        id=StoreId(row["id"]),
        is_test=row["is_test"],
        merchant_id=MerchantId(row["merchant_id"]),
        name=row["name"],
        country=row["country"],
        metadata=from_json(row["metadata"]),
        created_at=row["created_at"],
    )


def as_json(metadata: Mapping[str, str]) -> str:
    """Metadata as its column takes it."""
    return msgspec.json.encode(dict(metadata)).decode()


def from_json(text: str) -> dict[str, str]:
    """Metadata as its column gives it."""
    return msgspec.json.decode(text, type=dict[str, str])
