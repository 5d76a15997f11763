"""The desk of access: its endpoints, and who a presented key makes the caller."""

from guilder.access import actions, queries
from guilder.access.errors import ApiKeyNotFound, ScopeNotHeld, TenantNotFound, UnknownScope
from guilder.access.model import NewKey, Principal
from guilder.access.public import KeyRing
from guilder.access.wire import ApiKeyView, CreateApiKeyRequest
from guilder.edge.caller import Caller
from guilder.edge.endpoint import Call, Reply, delete, get, post
from guilder.edge.errors import FieldInvalid, Unauthenticated
from guilder.edge.exchange import Authenticate
from guilder.edge.once import once
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel.ids import ApiKeyId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Database, Tx


def authenticator(ring: KeyRing) -> Authenticate:
    """How the edge learns who calls; every bad key is the same `Unauthenticated`."""

    async def authenticate(presented: str) -> Caller:
        principal = await ring.authenticate(presented)
        if principal is None:
            raise Unauthenticated("this API key is not known here, or was revoked")
        return Caller(principal.key_id, principal.scope, principal.scopes)

    return authenticate


class AccessDesk:
    """API keys over HTTP."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @post(
        "/v1/api-keys",
        scope="keys:write",
        takes=CreateApiKeyRequest,
        gives={201: ApiKeyView},
        refuses=(TenantNotFound, UnknownScope, ScopeNotHeld),
        summary="Create an API key",
    )
    async def create_api_key(self, call: Call, body: CreateApiKeyRequest) -> Reply:
        new = NewKey(
            owner=_owner(call.caller.scope, body),
            name=body.name,
            scopes=frozenset(body.scopes),
            created_by=call.caller.key_id,
        )

        async def create(tx: Tx) -> Reply:
            key, secret = await actions.create_api_key(
                tx, _principal(call.caller), new, now=call.now
            )
            return Reply.of(201, ApiKeyView.of(key, secret=secret)).keeping(ApiKeyView.of(key))

        return await once(call, self._db, create)

    @get(
        "/v1/api-keys",
        scope="keys:read",
        query=ListQuery,
        gives={200: ListView[ApiKeyView]},
        summary="List API keys",
    )
    async def list_api_keys(self, call: Call, query: ListQuery) -> Reply:
        asked = query.page(ApiKeyId)
        async with self._db.reading() as tx:
            page = await queries.list_api_keys(tx, call.caller.scope, asked)
        views = [ApiKeyView.of(key) for key in page.rows]
        return Reply.of(200, listed("/v1/api-keys", views, has_more=page.has_more))

    @delete(
        "/v1/api-keys/{api_key_id}",
        scope="keys:write",
        gives={200: ApiKeyView},
        refuses=(ApiKeyNotFound,),
        summary="Revoke an API key",
    )
    async def revoke_api_key(self, call: Call) -> Reply:
        key_id = ApiKeyId.parse(call.path["api_key_id"], param="api_key_id")
        async with self._db.transaction() as tx:
            key = await actions.revoke_api_key(tx, _principal(call.caller), key_id, now=call.now)
        return Reply.of(200, ApiKeyView.of(key))


def _owner(scope: Scope, body: CreateApiKeyRequest) -> Scope:
    """Whose the key shall be; a body that names nobody means the caller's own tenant."""
    if body.merchant_id is not None and body.reseller_id is not None:
        raise FieldInvalid(
            "reseller_id: a key belongs to a reseller or to a merchant, not to both",
            param="reseller_id",
        )
    if body.merchant_id is None and body.reseller_id is None:
        return scope
    return Scope(is_test=scope.is_test, reseller_id=body.reseller_id, merchant_id=body.merchant_id)


def _principal(caller: Caller) -> Principal:
    return Principal(caller.key_id, caller.scope, caller.scopes)
