"""The SQL that loads and changes tenants and keys."""

from datetime import datetime

from guilder.access.model import ApiKey, NewKey, Principal, Tenant
from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import ReadTx, Row, Tx


async def insert_tenant(tx: Tx, tenant: Tenant, now: datetime) -> None:
    """A tenant that is admitted twice is a bug."""
    await tx.run(
        """
        insert into access.tenant (id, is_test, kind, reseller_id, admitted_at)
        values ($1, $2, $3, $4, $5)
        """,
        tenant.id.value,
        tenant.is_test,
        kind_of(tenant.id),
        tenant.reseller_id.value if tenant.reseller_id else None,
        now,
    )


async def insert_api_key(
    tx: Tx, new: NewKey, *, digest: bytes, ending: str, now: datetime
) -> ApiKey:
    """The key's row."""
    owner = new.owner
    tenant_id = owner.merchant_id or owner.reseller_id
    key_id = ApiKeyId.new()
    await tx.run(
        """
        insert into access.api_key
               (id, is_test, tenant_id, name, ending, digest, scopes, created_at, created_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        key_id.value,
        owner.is_test,
        tenant_id.value if tenant_id else None,
        new.name,
        ending,
        digest,
        sorted(new.scopes),
        now,
        new.created_by.value if new.created_by else None,
    )
    return ApiKey(key_id, owner, new.name, ending, new.scopes, now, revoked_at=None)


async def revoke_api_key(tx: Tx, key_id: ApiKeyId, *, by: ApiKeyId, now: datetime) -> bool:
    """False when it was revoked before, and stays so since then."""
    revoked = await tx.run(
        """
        update access.api_key
           set revoked_at = $2, revoked_by = $3
         where id = $1
           and revoked_at is null
        """,
        key_id.value,
        now,
        by.value,
    )
    return revoked == 1


async def find_principal(tx: ReadTx, digest: bytes) -> Principal | None:
    """Whoever holds the key with this SHA-256, unless it is unknown or revoked."""
    row = await tx.find(
        """
        select key.id, key.is_test, key.scopes, key.tenant_id, tenant.kind
          from access.api_key as key
          left join access.tenant as tenant on tenant.id = key.tenant_id
         where key.digest = $1
           and key.revoked_at is null
        """,
        digest,
    )
    if row is None:
        return None
    return Principal(ApiKeyId(row["id"]), owner_of(row), frozenset(row["scopes"]))


def owner_of(row: Row) -> Scope:
    """The owner of a key, from its `is_test`, `tenant_id` and the tenant's `kind`."""
    if row["kind"] == "merchant":
        return Scope(is_test=row["is_test"], merchant_id=MerchantId(row["tenant_id"]))
    if row["kind"] == "reseller":
        return Scope(is_test=row["is_test"], reseller_id=ResellerId(row["tenant_id"]))
    return Scope(is_test=row["is_test"])


def kind_of(tenant_id: ResellerId | MerchantId) -> str:
    """How a tenant's kind is written in its row."""
    return "reseller" if isinstance(tenant_id, ResellerId) else "merchant"
