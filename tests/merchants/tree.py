"""A tree of tenants on both sides of the wall, with a key for each, and the API they share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from litestar import Litestar

from guilder.access import public as access
from guilder.access.http import AccessDesk, authenticator
from guilder.edge.app import build_app
from guilder.kernel.clock import Clock
from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.kernel.money import Currency
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.merchants import public as merchants
from guilder.merchants.http import MerchantsDesk
from guilder.plumbing.db import Database, Tx
from tests.edge.serving import Api, asking

CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Branch:
    """A reseller, one merchant of it, one store of that, and the keys of both."""

    reseller_id: ResellerId
    merchant_id: MerchantId
    store_id: StoreId
    reseller_key: str
    merchant_key: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Two branches that are test, one that is live, and the platform's two keys."""

    one: Branch
    two: Branch
    live: Branch
    platform_key: str
    live_platform_key: str


async def plant(database: Database) -> Tree:
    """Make the tree as the operator would."""
    async with database.transaction() as tx:
        return Tree(
            one=await _branch(tx, Scope(is_test=True)),
            two=await _branch(tx, Scope(is_test=True)),
            live=await _branch(tx, Scope(is_test=False)),
            platform_key=await key_for(tx, Scope(is_test=True)),
            live_platform_key=await key_for(tx, Scope(is_test=False)),
        )


async def key_for(tx: Tx, owner: Scope, scopes: frozenset[str] = frozenset(access.SCOPES)) -> str:
    """A new key, in clear."""
    new = access.NewKey(owner=owner, name="test", scopes=scopes, created_by=None)
    _, secret = await access.issue_key(tx, new, now=CLOCK.now())
    assert isinstance(secret, Secret)
    return secret.reveal()


async def _branch(tx: Tx, platform: Scope) -> Branch:
    now = CLOCK.now()
    reseller = await merchants.create_reseller(
        tx, platform, merchants.NewReseller("Canal Partners", "NL", {}), now=now
    )
    merchant = await merchants.create_merchant(
        tx,
        platform,
        merchants.NewMerchant("Tulip & Daughters", "NL", Currency.of("EUR"), {}, reseller.id),
        by=None,
        now=now,
    )
    store = await merchants.create_store(
        tx, platform, merchants.NewStore(merchant.id, "Harbour", "NL", {}), now=now
    )
    side = platform.is_test
    return Branch(
        reseller_id=reseller.id,
        merchant_id=merchant.id,
        store_id=store.id,
        reseller_key=await key_for(tx, Scope(is_test=side, reseller_id=reseller.id)),
        merchant_key=await key_for(tx, Scope(is_test=side, merchant_id=merchant.id)),
    )


def app_over(database: Database, *, kept_seconds: float = 5) -> Litestar:
    """The desks of access and merchants over this database."""
    ring = access.KeyRing(database, kept_seconds=kept_seconds)
    return build_app(
        [AccessDesk(database), MerchantsDesk(database)],
        authenticate=authenticator(ring),
        clock=CLOCK,
    )


@asynccontextmanager
async def asking_as(
    database: Database, key: str, *, kept_seconds: float = 5
) -> AsyncGenerator[Api]:
    """The API over this database, as the holder of this key sees it."""
    async with asking(app_over(database, kept_seconds=kept_seconds), key) as api:
        yield api
