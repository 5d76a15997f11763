"""The verbs of access: admit a tenant, issue, find and revoke a key."""

import asyncio
import secrets
import time
from datetime import datetime

from guilder.access import queries, rules, store
from guilder.access.errors import ScopeNotHeld, TenantNotFound, UnknownScope
from guilder.access.model import SCOPES, ApiKey, NewKey, Principal, Tenant
from guilder.kernel.ids import ApiKeyId
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Database, ReadTx, Tx


async def admit_tenant(tx: Tx, tenant: Tenant, *, now: datetime) -> None:
    """Make a new reseller or merchant known, so that keys can be issued to it."""
    await store.insert_tenant(tx, tenant, now)


async def issue_key(tx: Tx, new: NewKey, *, now: datetime) -> tuple[ApiKey, Secret]:
    """A new key and its row; the key is nowhere else and cannot be shown again.

    Raises `UnknownScope`.
    """
    _refuse_unknown(new.scopes)
    random = "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.RANDOM_LENGTH))
    key = rules.compose(random, is_test=new.owner.is_test)
    kept = await store.insert_api_key(
        tx, new, digest=rules.digest(key), ending=rules.ending(key), now=now
    )
    return kept, key


async def create_api_key(
    tx: Tx, creator: Principal, new: NewKey, *, now: datetime
) -> tuple[ApiKey, Secret]:
    """A key made by a key: within the creator's tenants, side of the wall, and scopes.

    Raises `TenantNotFound`, `UnknownScope`, `ScopeNotHeld`, in this order.
    """
    await _check_tenant(tx, creator.scope, new.owner)
    _refuse_unknown(new.scopes)
    beyond = sorted(new.scopes - creator.scopes)
    if beyond:
        raise ScopeNotHeld(f"your key does not have the scope {beyond[0]}", param="scopes")
    return await issue_key(tx, new, now=now)


async def revoke_api_key(tx: Tx, by: Principal, key_id: ApiKeyId, *, now: datetime) -> ApiKey:
    """The key, revoked now or before. Raises `ApiKeyNotFound`."""
    await queries.load_api_key(tx, by.scope, key_id)
    await store.revoke_api_key(tx, key_id, by=by.key_id, now=now)
    return await queries.load_api_key(tx, by.scope, key_id)


async def authenticate(db: Database, presented: str) -> Principal | None:
    """Whoever this key belongs to; None for a mistyped, unknown or revoked one."""
    if not rules.is_well_formed(presented):
        return None
    async with db.reading() as tx:
        return await store.find_principal(tx, rules.digest(Secret(presented)))


KEPT_SECONDS = 5  # So long a revoked key may still be believed.
KEPT_MAX = 10_000  # Some megabytes; beyond it we start afresh.


class KeyRing:
    """Authenticates, and remembers good keys for a few seconds, by their digests only."""

    def __init__(self, db: Database, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._db = db
        self._kept_seconds = kept_seconds
        self._kept: dict[bytes, tuple[float, Principal]] = {}
        self._asking: dict[bytes, asyncio.Task[Principal | None]] = {}

    async def authenticate(self, presented: str) -> Principal | None:
        """As `authenticate` above; callers who ask about one key at once share one look-up."""
        if not rules.is_well_formed(presented):
            return None
        digest = rules.digest(Secret(presented))
        kept = self._kept.get(digest)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        task = self._asking.get(digest)
        if task is None:
            task = asyncio.create_task(self._look_up(digest))
            self._asking[digest] = task
            task.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(task)

    async def _look_up(self, digest: bytes) -> Principal | None:
        asked_at = time.monotonic()
        async with self._db.reading() as tx:
            principal = await store.find_principal(tx, digest)
        if principal is None:
            self._kept.pop(digest, None)
            return None
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[digest] = (asked_at + self._kept_seconds, principal)
        return principal


def _refuse_unknown(scopes: frozenset[str]) -> None:
    for scope in sorted(scopes - SCOPES.keys()):
        raise UnknownScope(
            f"there is no scope {scope[:40]!r}; there are {', '.join(SCOPES)}", param="scopes"
        )


async def _check_tenant(tx: ReadTx, scope: Scope, owner: Scope) -> None:
    """A caller without a word about the owner means itself, and that it may always."""
    if owner == scope:
        return
    tenant_id = owner.merchant_id or owner.reseller_id
    if tenant_id is None or not await queries.has_tenant(tx, scope, tenant_id):
        param = "merchant_id" if owner.merchant_id else "reseller_id"
        raise TenantNotFound(f"you have no tenant {tenant_id}", param=param)
