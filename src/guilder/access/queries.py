"""The SQL that only reads: keys and tenants within a caller's scope."""

from uuid import UUID

from guilder.access.errors import ApiKeyNotFound
from guilder.access.model import ApiKey
from guilder.access.store import kind_of, owner_of
from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.plumbing.db import ReadTx, Row

_VISIBLE = """
        select key.id, key.is_test, key.tenant_id, key.name, key.ending, key.scopes,
               key.created_at, key.revoked_at, tenant.kind
          from access.api_key as key
          left join access.tenant as tenant on tenant.id = key.tenant_id
         where key.is_test = $1
           and ($2::uuid is null or key.tenant_id = $2 or tenant.reseller_id = $2)
           and ($3::uuid is null or key.tenant_id = $3)
        """


async def load_api_key(tx: ReadTx, scope: Scope, key_id: ApiKeyId) -> ApiKey:
    """Raises `ApiKeyNotFound` for a missing key and for another tenant's alike."""
    row = await tx.find(_VISIBLE + "and key.id = $4", *_side(scope), key_id.value)
    if row is None:
        raise ApiKeyNotFound(f"you have no API key {key_id}")
    return _api_key(row)


async def list_api_keys(tx: ReadTx, scope: Scope, page: PageRequest) -> Page[ApiKey]:
    """The caller's keys and those of its merchants, revoked ones too, newest first."""
    if page.before is not None:
        rows = await tx.rows(
            _VISIBLE + "and key.id > $4 order by key.id limit $5",
            *_side(scope),
            page.before,
            page.limit + 1,
        )
    else:
        rows = await tx.rows(
            _VISIBLE + "and ($4::uuid is null or key.id < $4) order by key.id desc limit $5",
            *_side(scope),
            page.after,
            page.limit + 1,
        )
    return page_of([_api_key(row) for row in rows], page)


async def has_tenant(tx: ReadTx, scope: Scope, tenant_id: ResellerId | MerchantId) -> bool:
    """Whether this reseller or merchant is the scope's own or below it, on its side."""
    return await tx.value(
        """
        select exists (
               select from access.tenant
                where id = $4
                  and kind = $5
                  and is_test = $1
                  and ($2::uuid is null or id = $2 or reseller_id = $2)
                  and ($3::uuid is null or id = $3))
        """,
        *_side(scope),
        tenant_id.value,
        kind_of(tenant_id),
    )


def _side(scope: Scope) -> tuple[bool, UUID | None, UUID | None]:
    return (
        scope.is_test,
        scope.reseller_id.value if scope.reseller_id else None,
        scope.merchant_id.value if scope.merchant_id else None,
    )


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row["id"]),
        owner=owner_of(row),
        name=row["name"],
        ending=row["ending"],
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
