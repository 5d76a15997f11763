"""No tenant reads, changes or learns of what is another's: it answers as what does not exist."""

import pytest

from guilder.kernel.ids import MerchantId, ResellerId, StoreId
from guilder.kernel.scope import Scope
from guilder.merchants import public as merchants
from guilder.plumbing.db import Database
from tests.edge.serving import Api
from tests.merchants.tree import Branch, Tree, key_for

MERCHANT = {"name": "Dijk Bakery", "country": "BE", "default_currency": "EUR"}
STORE = {"name": "Corner", "country": "NL"}
RESELLER = {"name": "Polder Payments", "country": "NL"}


def strangers(tree: Tree) -> list[str]:
    """Every key that must not see anything of branch one."""
    return [
        tree.two.reseller_key,
        tree.two.merchant_key,
        tree.live.reseller_key,
        tree.live.merchant_key,
        tree.live_platform_key,
    ]


def reads(branch: Branch) -> list[str]:
    return [
        f"/v1/resellers/{branch.reseller_id}",
        f"/v1/merchants/{branch.merchant_id}",
        f"/v1/stores/{branch.store_id}",
    ]


NOWHERE = Branch(ResellerId.new(), MerchantId.new(), StoreId.new(), "", "")


@pytest.mark.proves("S42", "I8")
async def test_what_is_anothers_reads_as_what_does_not_exist(api: Api, tree: Tree) -> None:
    for key in strangers(tree):
        caller = api.holding(key)
        for theirs, nobodys in zip(reads(tree.one), reads(NOWHERE), strict=True):
            answer, reference = await caller.get(theirs), await caller.get(nobodys)
            assert answer.status == 404
            assert stripped(answer.json, theirs) == stripped(reference.json, nobodys)


def stripped(problem: dict[str, str], path: str) -> dict[str, str]:
    """A problem without what names the request itself."""
    asked = path.rpartition("/")[2]
    told = {name: str(value).replace(asked, "ID") for name, value in problem.items()}
    return {name: value for name, value in told.items() if name != "correlation_id"}


@pytest.mark.proves("S42", "I8")
async def test_nothing_is_made_or_changed_below_anothers_tenant(
    api: Api, tree: Tree, database: Database
) -> None:
    attempts = [
        ("/v1/merchants", MERCHANT | {"reseller_id": str(tree.one.reseller_id)}),
        ("/v1/stores", STORE | {"merchant_id": str(tree.one.merchant_id)}),
        (f"/v1/merchants/{tree.one.merchant_id}/suspend", {}),
        (f"/v1/merchants/{tree.one.merchant_id}/reinstate", {}),
    ]
    before = await counts(database)
    for key in strangers(tree):
        for path, body in attempts:
            answer = await api.holding(key).post(path, body)
            assert answer.outcome in {
                (404, "reseller_not_found"),
                (404, "merchant_not_found"),
                (403, "beyond_tenant"),
            }, path
    assert await counts(database) == before


@pytest.mark.proves("S42", "I8")
async def test_a_merchant_makes_no_merchants_and_nobody_below_the_platform_resellers(
    api: Api, tree: Tree, database: Database
) -> None:
    before = await counts(database)
    own = f"/v1/merchants/{tree.one.merchant_id}/suspend"
    for key, path, body in [
        (tree.one.merchant_key, "/v1/merchants", MERCHANT),
        (tree.one.merchant_key, "/v1/resellers", RESELLER),
        (tree.one.reseller_key, "/v1/resellers", RESELLER),
        (tree.one.merchant_key, own, {}),
    ]:
        answer = await api.holding(key).post(path, body)
        assert answer.outcome == (403, "beyond_tenant")
    assert await counts(database) == before


async def counts(database: Database) -> list[int]:
    async with database.reading() as tx:
        return [
            await tx.value("select count(*) from merchants.reseller"),
            await tx.value("select count(*) from merchants.merchant where status = 'active'"),
            await tx.value("select count(*) from merchants.store"),
            await tx.value("select count(*) from plumbing.outbox"),
            await tx.value("select count(*) from plumbing.idempotency_key"),
        ]


@pytest.mark.proves("S42", "I8", "S3-11")
async def test_a_list_holds_what_is_the_callers_and_nothing_else(api: Api, tree: Tree) -> None:
    one, two, live = tree.one, tree.two, tree.live
    expected = {
        tree.platform_key: ([one, two], [one, two], [one, two]),
        tree.live_platform_key: ([live], [live], [live]),
        one.reseller_key: ([one], [one], [one]),
        one.merchant_key: ([], [one], [one]),
        live.merchant_key: ([], [live], [live]),
    }
    for key, (resellers, sellers, stores) in expected.items():
        caller = api.holding(key)
        assert await ids(caller, "/v1/resellers") == {str(one.reseller_id) for one in resellers}
        assert await ids(caller, "/v1/merchants") == {str(one.merchant_id) for one in sellers}
        assert await ids(caller, "/v1/stores") == {str(one.store_id) for one in stores}


@pytest.mark.proves("S42", "I8")
async def test_a_filter_or_a_cursor_of_anothers_shows_nothing_of_theirs(
    api: Api, tree: Tree
) -> None:
    caller = api.holding(tree.one.reseller_key)
    assert await ids(caller, f"/v1/merchants?reseller_id={tree.two.reseller_id}") == set()
    assert await ids(caller, f"/v1/stores?merchant_id={tree.two.merchant_id}") == set()
    for cursor in ("starting_after", "ending_before"):
        found = await ids(caller, f"/v1/merchants?{cursor}={tree.two.merchant_id}")
        assert found <= {str(tree.one.merchant_id)}


async def ids(api: Api, path: str) -> set[str]:
    return {one["id"] for one in (await api.get(path)).json["data"]}


async def test_a_reseller_makes_merchants_of_its_own(api: Api, tree: Tree) -> None:
    made = await api.holding(tree.one.reseller_key).post("/v1/merchants", MERCHANT)
    assert made.json["reseller_id"] == str(tree.one.reseller_id)
    suspended = await api.holding(tree.one.reseller_key).post(
        f"/v1/merchants/{made.json['id']}/suspend", {}
    )
    assert suspended.status == 200


@pytest.mark.proves("S42", "S4-40")
async def test_every_endpoint_needs_its_scope(api: Api, tree: Tree, database: Database) -> None:
    async with database.transaction() as tx:
        reader = await key_for(tx, Scope(is_test=True), frozenset({"merchants:read"}))
        writer = await key_for(tx, Scope(is_test=True), frozenset({"merchants:write"}))
    merchant = f"/v1/merchants/{tree.one.merchant_id}"
    for path, body in [
        ("/v1/resellers", RESELLER),
        ("/v1/merchants", MERCHANT),
        ("/v1/stores", STORE),
        (f"{merchant}/suspend", {}),
        (f"{merchant}/reinstate", {}),
    ]:
        assert (await api.holding(reader).post(path, body)).outcome == (403, "scope_missing")
        assert (await api.holding(None).post(path, body)).outcome == (401, "unauthenticated")
    for path in [*reads(tree.one), "/v1/resellers", "/v1/merchants", "/v1/stores"]:
        assert (await api.holding(reader).get(path)).status == 200
        assert (await api.holding(writer).get(path)).outcome == (403, "scope_missing")
        assert (await api.holding(None).get(path)).outcome == (401, "unauthenticated")


async def test_the_door_tells_an_active_merchant_from_a_suspended_one(
    database: Database, tree: Tree
) -> None:
    scope = Scope(is_test=True, reseller_id=tree.one.reseller_id)
    now = (await merchant_of(database, scope, tree.one.merchant_id)).created_at
    merchants.must_be_active(await merchant_of(database, scope, tree.one.merchant_id))
    async with database.transaction() as tx:
        await merchants.suspend_merchant(
            tx, scope, tree.one.merchant_id, reason=None, by=None, now=now
        )
    with pytest.raises(merchants.MerchantSuspended):
        merchants.must_be_active(await merchant_of(database, scope, tree.one.merchant_id))


async def test_the_door_keeps_to_its_scope(database: Database, tree: Tree) -> None:
    for scope in (
        Scope(is_test=False),
        Scope(is_test=True, reseller_id=tree.two.reseller_id),
        Scope(is_test=True, merchant_id=tree.two.merchant_id),
        Scope(is_test=False, merchant_id=tree.one.merchant_id),
    ):
        with pytest.raises(merchants.MerchantNotFound):
            await merchant_of(database, scope, tree.one.merchant_id)


async def merchant_of(
    database: Database, scope: Scope, merchant_id: MerchantId
) -> merchants.Merchant:
    async with database.reading() as tx:
        return await merchants.load_merchant(tx, scope, merchant_id)
