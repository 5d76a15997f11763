"""The SQL that only reads: resellers, merchants and stores within a caller's scope."""

from uuid import UUID

from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.merchants.errors import ResellerNotFound, StoreNotFound
from guilder.merchants.model import Merchant, Reseller, Store
from guilder.merchants.store import merchant_of, missing_merchant, reseller_of, store_of
from guilder.plumbing.db import ReadTx

# A merchant sees no reseller, not even its own: $3 is there to shut it out.
_RESELLERS = """
        select id, is_test, name, country, metadata, created_at
          from merchants.reseller
         where is_test = $1
           and ($2::uuid is null or id = $2)
           and $3::uuid is null
        """
_MERCHANTS = """
        select id, is_test, reseller_id, name, country, default_currency, metadata, status,
               created_at
          from merchants.merchant
         where is_test = $1
           and ($2::uuid is null or reseller_id = $2)
           and ($3::uuid is null or id = $3)
        """
_STORES = """
        select store.id, store.is_test, store.merchant_id, store.name, store.country,
               store.metadata, store.created_at
          from merchants.store as store
          join merchants.merchant as merchant on merchant.id = store.merchant_id
         where store.is_test = $1
           and ($2::uuid is null or merchant.reseller_id = $2)
           and ($3::uuid is null or merchant.id = $3)
        """


async def load_reseller(tx: ReadTx, scope: Scope, reseller_id: ResellerId) -> Reseller:
    """Raises `ResellerNotFound` for a missing one and for one out of scope alike."""
    row = await tx.find(_RESELLERS + "and id = $4", *_side(scope), reseller_id.value)
    if row is None:
        raise ResellerNotFound(f"you have no reseller {reseller_id}", param="reseller_id")
    return reseller_of(row)


async def load_merchant(tx: ReadTx, scope: Scope, merchant_id: MerchantId) -> Merchant:
    """Raises `MerchantNotFound` for a missing one and for one out of scope alike."""
    row = await tx.find(_MERCHANTS + "and id = $4", *_side(scope), merchant_id.value)
    if row is None:
        raise missing_merchant(merchant_id)
    return merchant_of(row)


async def load_store(tx: ReadTx, scope: Scope, store_id: StoreId) -> Store:
    """Raises `StoreNotFound` for a missing one and for one out of scope alike."""
    row = await tx.find(_STORES + "and store.id = $4", *_side(scope), store_id.value)
    if row is None:
        raise StoreNotFound(f"you have no store {store_id}", param="store_id")
    return store_of(row)


async def list_resellers(tx: ReadTx, scope: Scope, page: PageRequest) -> Page[Reseller]:
    """The resellers in scope, newest first."""
    if page.before is not None:
        rows = await tx.rows(
            _RESELLERS + "and id > $4 order by id limit $5",
            *_side(scope),
            page.before,
            page.limit + 1,
        )
    else:
        rows = await tx.rows(
            _RESELLERS + "and ($4::uuid is null or id < $4) order by id desc limit $5",
            *_side(scope),
            page.after,
            page.limit + 1,
        )
    return page_of([reseller_of(row) for row in rows], page)


async def list_merchants(
    tx: ReadTx, scope: Scope, page: PageRequest, *, reseller_id: ResellerId | None
) -> Page[Merchant]:
    """The merchants in scope, newest first; those of one reseller where one is named."""
    only = reseller_id.value if reseller_id else None
    if page.before is not None:
        rows = await tx.rows(
            _MERCHANTS
            + "and ($4::uuid is null or reseller_id = $4) and id > $5 order by id limit $6",
            *_side(scope),
            only,
            page.before,
            page.limit + 1,
        )
    else:
        rows = await tx.rows(
            _MERCHANTS
            + """and ($4::uuid is null or reseller_id = $4)
                 and ($5::uuid is null or id < $5) order by id desc limit $6""",
            *_side(scope),
            only,
            page.after,
            page.limit + 1,
        )
    return page_of([merchant_of(row) for row in rows], page)


async def list_stores(
    tx: ReadTx, scope: Scope, page: PageRequest, *, merchant_id: MerchantId | None
) -> Page[Store]:
    """The stores in scope, newest first; those of one merchant where one is named."""
    only = merchant_id.value if merchant_id else None
    if page.before is not None:
        rows = await tx.rows(
            _STORES
            + """and ($4::uuid is null or store.merchant_id = $4)
                 and store.id > $5 order by store.id limit $6""",
            *_side(scope),
            only,
            page.before,
            page.limit + 1,
        )
    else:
        rows = await tx.rows(
            _STORES
            + """and ($4::uuid is null or store.merchant_id = $4)
                 and ($5::uuid is null or store.id < $5) order by store.id desc limit $6""",
            *_side(scope),
            only,
            page.after,
            page.limit + 1,
        )
    return page_of([store_of(row) for row in rows], page)


def _side(scope: Scope) -> tuple[bool, UUID | None, UUID | None]:
    return (
        scope.is_test,
        scope.reseller_id.value if scope.reseller_id else None,
        scope.merchant_id.value if scope.merchant_id else None,
    )
