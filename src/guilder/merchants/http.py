"""The desk of merchants: resellers, merchants and stores over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

from guilder.edge.endpoint import Call, Reply, get, post
from guilder.edge.errors import FieldMissing
from guilder.edge.once import once
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.merchants import actions, queries
from guilder.merchants.errors import (
    BeyondTenant,
    MerchantNotFound,
    MerchantStatusUnchanged,
    ResellerNotFound,
    StoreNotFound,
)
from guilder.merchants.model import Merchant, NewMerchant, NewReseller, NewStore
from guilder.merchants.wire import (
    ChangeStatusRequest,
    CreateMerchantRequest,
    CreateResellerRequest,
    CreateStoreRequest,
    MerchantView,
    ResellerView,
    StoreView,
)
from guilder.plumbing.db import Database, Tx


class ListMerchantsQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which merchants."""

    reseller_id: Annotated[ResellerId | None, Meta(description="Only this reseller's.")] = None


class ListStoresQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which stores."""

    merchant_id: Annotated[MerchantId | None, Meta(description="Only this merchant's.")] = None


class MerchantsDesk:
    """Resellers, merchants and stores."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @post(
        "/v1/resellers",
        scope="merchants:write",
        takes=CreateResellerRequest,
        gives={201: ResellerView},
        refuses=(BeyondTenant,),
        summary="Create a reseller",
        tag="resellers",
    )
    async def create_reseller(self, call: Call, body: CreateResellerRequest) -> Reply:
        new = NewReseller(body.name, body.country, body.metadata)

        async def create(tx: Tx) -> Reply:
            reseller = await actions.create_reseller(tx, call.caller.scope, new, now=call.now)
            return Reply.of(201, ResellerView.of(reseller))

        return await once(call, self._db, create)

    @get(
        "/v1/resellers/{reseller_id}",
        scope="merchants:read",
        gives={200: ResellerView},
        refuses=(ResellerNotFound,),
        summary="Read a reseller",
        tag="resellers",
    )
    async def read_reseller(self, call: Call) -> Reply:
        reseller_id = ResellerId.parse(call.path["reseller_id"], param="reseller_id")
        async with self._db.reading() as tx:
            reseller = await queries.load_reseller(tx, call.caller.scope, reseller_id)
        return Reply.of(200, ResellerView.of(reseller))

    @get(
        "/v1/resellers",
        scope="merchants:read",
        query=ListQuery,
        gives={200: ListView[ResellerView]},
        summary="List resellers",
        tag="resellers",
    )
    async def list_resellers(self, call: Call, query: ListQuery) -> Reply:
        asked = query.page(ResellerId)
        async with self._db.reading() as tx:
            page = await queries.list_resellers(tx, call.caller.scope, asked)
        views = [ResellerView.of(reseller) for reseller in page.rows]
        return Reply.of(200, listed("/v1/resellers", views, has_more=page.has_more))

    @post(
        "/v1/merchants",
        scope="merchants:write",
        takes=CreateMerchantRequest,
        gives={201: MerchantView},
        refuses=(BeyondTenant, ResellerNotFound),
        summary="Create a merchant",
    )
    async def create_merchant(self, call: Call, body: CreateMerchantRequest) -> Reply:
        new = NewMerchant(
            name=body.name,
            country=body.country,
            default_currency=body.default_currency,
            metadata=body.metadata,
            reseller_id=body.reseller_id,
        )

        async def create(tx: Tx) -> Reply:
            merchant = await actions.create_merchant(
                tx, call.caller.scope, new, by=call.caller.key_id, now=call.now
            )
            return Reply.of(201, MerchantView.of(merchant))

        return await once(call, self._db, create)

    @get(
        "/v1/merchants/{merchant_id}",
        scope="merchants:read",
        gives={200: MerchantView},
        refuses=(MerchantNotFound,),
        summary="Read a merchant",
    )
    async def read_merchant(self, call: Call) -> Reply:
        async with self._db.reading() as tx:
            merchant = await queries.load_merchant(tx, call.caller.scope, _merchant_id(call))
        return Reply.of(200, MerchantView.of(merchant))

    @get(
        "/v1/merchants",
        scope="merchants:read",
        query=ListMerchantsQuery,
        gives={200: ListView[MerchantView]},
        summary="List merchants",
    )
    async def list_merchants(self, call: Call, query: ListMerchantsQuery) -> Reply:
        asked = query.page(MerchantId)
        async with self._db.reading() as tx:
            page = await queries.list_merchants(
                tx, call.caller.scope, asked, reseller_id=query.reseller_id
            )
        views = [MerchantView.of(merchant) for merchant in page.rows]
        return Reply.of(200, listed("/v1/merchants", views, has_more=page.has_more))

    @post(
        "/v1/merchants/{merchant_id}/suspend",
        scope="merchants:write",
        takes=ChangeStatusRequest,
        gives={200: MerchantView},
        refuses=(BeyondTenant, MerchantNotFound, MerchantStatusUnchanged),
        summary="Suspend a merchant: no new payments",
    )
    async def suspend_merchant(self, call: Call, body: ChangeStatusRequest) -> Reply:
        return await self._change(call, body, actions.suspend_merchant)

    @post(
        "/v1/merchants/{merchant_id}/reinstate",
        scope="merchants:write",
        takes=ChangeStatusRequest,
        gives={200: MerchantView},
        refuses=(BeyondTenant, MerchantNotFound, MerchantStatusUnchanged),
        summary="Reinstate a suspended merchant",
    )
    async def reinstate_merchant(self, call: Call, body: ChangeStatusRequest) -> Reply:
        return await self._change(call, body, actions.reinstate_merchant)

    @post(
        "/v1/stores",
        scope="merchants:write",
        takes=CreateStoreRequest,
        gives={201: StoreView},
        refuses=(MerchantNotFound,),
        summary="Create a store",
        tag="stores",
    )
    async def create_store(self, call: Call, body: CreateStoreRequest) -> Reply:
        merchant_id = body.merchant_id or call.caller.scope.merchant_id
        if merchant_id is None:
            raise FieldMissing(
                "merchant_id: say whose store it is; your key has more than one merchant",
                param="merchant_id",
            )
        new = NewStore(merchant_id, body.name, body.country, body.metadata)

        async def create(tx: Tx) -> Reply:
            store = await actions.create_store(tx, call.caller.scope, new, now=call.now)
            return Reply.of(201, StoreView.of(store))

        return await once(call, self._db, create)

    @get(
        "/v1/stores/{store_id}",
        scope="merchants:read",
        gives={200: StoreView},
        refuses=(StoreNotFound,),
        summary="Read a store",
        tag="stores",
    )
    async def read_store(self, call: Call) -> Reply:
        store_id = StoreId.parse(call.path["store_id"], param="store_id")
        async with self._db.reading() as tx:
            store = await queries.load_store(tx, call.caller.scope, store_id)
        return Reply.of(200, StoreView.of(store))

    @get(
        "/v1/stores",
        scope="merchants:read",
        query=ListStoresQuery,
        gives={200: ListView[StoreView]},
        summary="List stores",
        tag="stores",
    )
    async def list_stores(self, call: Call, query: ListStoresQuery) -> Reply:
        asked = query.page(StoreId)
        async with self._db.reading() as tx:
            page = await queries.list_stores(
                tx, call.caller.scope, asked, merchant_id=query.merchant_id
            )
        views = [StoreView.of(store) for store in page.rows]
        return Reply.of(200, listed("/v1/stores", views, has_more=page.has_more))

    async def _change(
        self, call: Call, body: ChangeStatusRequest, verb: Callable[..., Awaitable[Merchant]]
    ) -> Reply:
        merchant_id = _merchant_id(call)

        async def change(tx: Tx) -> Reply:
            merchant = await verb(
                tx,
                call.caller.scope,
                merchant_id,
                reason=body.reason,
                by=call.caller.key_id,
                now=call.now,
            )
            return Reply.of(200, MerchantView.of(merchant))

        return await once(call, self._db, change)


def _merchant_id(call: Call) -> MerchantId:
    return MerchantId.parse(call.path["merchant_id"], param="merchant_id")
