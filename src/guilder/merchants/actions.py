"""The verbs of merchants: create resellers, merchants and stores; suspend and reinstate."""

from dataclasses import replace
from datetime import datetime

from guilder.access import public as access
from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId, StoreId
from guilder.kernel.scope import Scope
from guilder.merchants import queries, store
from guilder.merchants.errors import (
    BeyondTenant,
    MerchantStatusUnchanged,
    MerchantSuspended,
)
from guilder.merchants.events import (
    MerchantCreated,
    MerchantWasReinstated,
    MerchantWasSuspended,
    ResellerCreated,
    StoreCreated,
)
from guilder.merchants.model import (
    Merchant,
    NewMerchant,
    NewReseller,
    NewStore,
    Reseller,
    Store,
)
from guilder.merchants.states import IllegalMove, MerchantStatus, move
from guilder.merchants.store import Change
from guilder.plumbing import outbox
from guilder.plumbing.db import Tx


async def create_reseller(tx: Tx, scope: Scope, new: NewReseller, *, now: datetime) -> Reseller:
    """A reseller on the scope's side of the wall. Raises `BeyondTenant` below the platform."""
    if scope.reseller_id is not None or scope.merchant_id is not None:
        raise BeyondTenant("only the platform makes resellers")
    reseller = Reseller(
        id=ResellerId.new(),
        is_test=scope.is_test,
        name=new.name,
        country=new.country,
        metadata=new.metadata,
        created_at=now,
    )
    await store.insert_reseller(tx, reseller)
    tenant = access.Tenant(reseller.id, is_test=reseller.is_test, reseller_id=None)
    await access.admit_tenant(tx, tenant, now=now)
    news = ResellerCreated(reseller.id, reseller.is_test, reseller.name, reseller.country, now)
    await outbox.put(tx, [news])
    return reseller


async def create_merchant(
    tx: Tx, scope: Scope, new: NewMerchant, *, by: ApiKeyId | None, now: datetime
) -> Merchant:
    """An active merchant; of the scope's own reseller where `new` names none.

    Raises `BeyondTenant` for a merchant's scope, `ResellerNotFound`.
    """
    if scope.merchant_id is not None:
        raise BeyondTenant("a merchant cannot make merchants; its reseller or the platform can")
    reseller_id = new.reseller_id or scope.reseller_id
    if reseller_id is not None:
        await queries.load_reseller(tx, scope, reseller_id)
    merchant = Merchant(
        id=MerchantId.new(),
        is_test=scope.is_test,
        reseller_id=reseller_id,
        name=new.name,
        country=new.country,
        default_currency=new.default_currency,
        metadata=new.metadata,
        status=MerchantStatus.ACTIVE,
        created_at=now,
    )
    await store.insert_merchant(tx, merchant)
    await store.insert_change(tx, merchant.id, Change(None, merchant.status, None, by, now))
    tenant = access.Tenant(merchant.id, is_test=merchant.is_test, reseller_id=reseller_id)
    await access.admit_tenant(tx, tenant, now=now)
    await outbox.put(tx, [_created(merchant)])
    return merchant


async def create_store(tx: Tx, scope: Scope, new: NewStore, *, now: datetime) -> Store:
    """A store of a merchant in scope. Raises `MerchantNotFound`."""
    merchant = await queries.load_merchant(tx, scope, new.merchant_id)
    opened = Store(
        id=StoreId.new(),
        is_test=merchant.is_test,
        merchant_id=merchant.id,
        name=new.name,
        country=new.country,
        metadata=new.metadata,
        created_at=now,
    )
    await store.insert_store(tx, opened)
    news = StoreCreated(opened.id, merchant.id, opened.is_test, opened.name, opened.country, now)
    await outbox.put(tx, [news])
    return opened


async def suspend_merchant(
    tx: Tx,
    scope: Scope,
    merchant_id: MerchantId,
    *,
    reason: str | None,
    by: ApiKeyId | None,
    now: datetime,
) -> Merchant:
    """No new payments from now on.

    Raises `BeyondTenant` for a merchant's own scope, `MerchantNotFound`,
    `MerchantStatusUnchanged`.
    """
    merchant = await _move(
        tx, scope, merchant_id, Change(None, MerchantStatus.SUSPENDED, reason, by, now)
    )
    await outbox.put(tx, [MerchantWasSuspended(merchant_id, merchant.is_test, reason, now)])
    return merchant


async def reinstate_merchant(
    tx: Tx,
    scope: Scope,
    merchant_id: MerchantId,
    *,
    reason: str | None,
    by: ApiKeyId | None,
    now: datetime,
) -> Merchant:
    """New payments again. Raises as `suspend_merchant` does."""
    merchant = await _move(
        tx, scope, merchant_id, Change(None, MerchantStatus.ACTIVE, reason, by, now)
    )
    await outbox.put(tx, [MerchantWasReinstated(merchant_id, merchant.is_test, reason, now)])
    return merchant


def must_be_active(merchant: Merchant) -> None:
    """Raises `MerchantSuspended` for a merchant that takes no new payments."""
    if merchant.status is not MerchantStatus.ACTIVE:
        raise MerchantSuspended(f"merchant {merchant.id} is {merchant.status}")


def _created(merchant: Merchant) -> MerchantCreated:
    return MerchantCreated(
        merchant_id=merchant.id,
        reseller_id=merchant.reseller_id,
        is_test=merchant.is_test,
        name=merchant.name,
        country=merchant.country,
        default_currency=merchant.default_currency,
        happened_at=merchant.created_at,
    )


async def _move(tx: Tx, scope: Scope, merchant_id: MerchantId, change: Change) -> Merchant:
    """Load under lock, move, save, and write the history; `change.before` is filled in here."""
    before = await store.load_merchant_for_update(tx, scope, merchant_id)
    if scope.merchant_id is not None:
        raise BeyondTenant("a merchant does not suspend or reinstate itself")
    try:
        after = move(before.status, change.after)
    except IllegalMove as cause:
        raise MerchantStatusUnchanged(f"merchant {merchant_id} is {before.status}") from cause
    saved = await store.save_status(tx, before, after)
    assert saved, "the merchant's row is locked, so nobody else can have moved it"
    await store.insert_change(tx, merchant_id, replace(change, before=before.status))
    return replace(before, status=after)
