"""API keys over HTTP: made once in clear, listed without the key, revoked for good."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from guilder.access import rules
from guilder.access.model import SCOPES
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Database
from tests.edge.serving import Answer, Api
from tests.merchants.tree import Tree, asking_as, key_for

KEY: dict[str, Any] = {"name": "till 4", "scopes": ["payments:read", "merchants:read"]}
PATH = "/v1/api-keys"


async def test_a_key_is_made_and_works(api: Api, tree: Tree) -> None:
    made = await api.post(PATH, KEY | {"merchant_id": str(tree.one.merchant_id)})
    assert made.status == 201
    view = made.json
    secret = view["secret"]
    assert rules.is_well_formed(secret)
    assert secret.startswith("gk_test_")
    assert view["ending"] == secret[-4:]
    assert view["scopes"] == sorted(KEY["scopes"])
    assert view["merchant_id"] == str(tree.one.merchant_id)
    assert (view["object"], view["livemode"], view["revoked_at"]) == ("api_key", False, None)
    seen = await api.holding(secret).get("/v1/merchants")
    assert [one["id"] for one in seen.json["data"]] == [str(tree.one.merchant_id)]


@pytest.mark.proves("I10", "S41")
async def test_the_key_is_shown_once_and_kept_nowhere(api: Api, database: Database) -> None:
    first = await api.post(PATH, KEY, key="k")
    again = await api.post(PATH, KEY, key="k")
    secret = first.json["secret"]
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json == first.json | {"secret": None}
    listed = await api.get(PATH)
    assert secret.encode() not in listed.body
    assert all(one["secret"] is None for one in listed.json["data"])
    assert await places_that_hold(database, secret) == []
    async with database.reading() as tx:
        digest = rules.digest(Secret(secret))
        assert await tx.value("select count(*) from access.api_key where digest = $1", digest) == 1


async def places_that_hold(database: Database, secret: str) -> list[str]:
    """The tables in which any row has this text, or its bytes, in any column."""
    found: list[str] = []
    async with database.reading() as tx:
        tables = await tx.rows(
            """
            select format('%I.%I', schemaname, tablename) as name
              from pg_tables
             where schemaname not in ('pg_catalog', 'information_schema')
            """
        )
        for table in tables:
            name: Any = table["name"]
            rows = await tx.rows("select t::text as text from " + name + " as t")
            texts = [str(row["text"]) for row in rows]
            needles = (secret, secret.encode().hex())
            if any(needle in text for text in texts for needle in needles):
                found.append(name)
    return found


@pytest.mark.proves("S42")
async def test_a_key_is_made_within_the_makers_tenants_only(api: Api, tree: Tree) -> None:
    one, two, live = tree.one, tree.two, tree.live
    allowed = [
        (tree.platform_key, {"reseller_id": str(one.reseller_id)}),
        (tree.platform_key, {"merchant_id": str(two.merchant_id)}),
        (tree.platform_key, {}),
        (one.reseller_key, {"reseller_id": str(one.reseller_id)}),
        (one.reseller_key, {"merchant_id": str(one.merchant_id)}),
        (one.reseller_key, {}),
        (one.merchant_key, {"merchant_id": str(one.merchant_id)}),
        (one.merchant_key, {}),
        (live.merchant_key, {}),
    ]
    for key, owner in allowed:
        assert (await api.holding(key).post(PATH, KEY | owner)).status == 201, owner
    refused = [
        (tree.platform_key, {"merchant_id": str(live.merchant_id)}),
        (tree.platform_key, {"reseller_id": str(live.reseller_id)}),
        (tree.live_platform_key, {"merchant_id": str(one.merchant_id)}),
        (one.reseller_key, {"reseller_id": str(two.reseller_id)}),
        (one.reseller_key, {"merchant_id": str(two.merchant_id)}),
        (one.merchant_key, {"merchant_id": str(two.merchant_id)}),
        (one.merchant_key, {"reseller_id": str(one.reseller_id)}),
        (tree.platform_key, {"merchant_id": "mer" + str(one.reseller_id)[3:]}),
    ]
    before = len(await all_keys(api.holding(tree.platform_key)))
    for key, owner in refused:
        answer = await api.holding(key).post(PATH, KEY | owner)
        assert answer.outcome == (404, "tenant_not_found"), owner
    assert len(await all_keys(api.holding(tree.platform_key))) == before


async def all_keys(api: Api) -> list[dict[str, Any]]:
    return (await api.get(f"{PATH}?limit=100")).json["data"]


async def test_a_key_of_both_a_reseller_and_a_merchant_is_refused(api: Api, tree: Tree) -> None:
    both = {"reseller_id": str(tree.one.reseller_id), "merchant_id": str(tree.one.merchant_id)}
    answer = await api.post(PATH, KEY | both)
    assert answer.outcome == (422, "field_invalid")
    assert answer.json["param"] == "reseller_id"


@pytest.mark.proves("S42", "S4-40")
async def test_a_key_cannot_give_what_it_does_not_have(
    api: Api, tree: Tree, database: Database
) -> None:
    async with database.transaction() as tx:
        weak = await key_for(tx, Scope(is_test=True), frozenset({"keys:write", "payments:read"}))
    for scopes, outcome in [
        (["payments:read"], (201, None)),
        (["payments:read", "payments:read"], (201, None)),
        (["payments:read", "payments:write"], (403, "scope_not_held")),
        (["platform:admin"], (403, "scope_not_held")),
        (["payments:all"], (422, "unknown_scope")),
        (["payments:all", "platform:admin"], (422, "unknown_scope")),
        ([], (422, "field_invalid")),
        ("payments:read", (422, "field_invalid")),
        ([1], (422, "field_invalid")),
    ]:
        answer = await api.holding(weak).post(PATH, KEY | {"scopes": scopes})
        assert answer.outcome == outcome, scopes


async def test_every_scope_has_a_meaning() -> None:
    for word, meaning in SCOPES.items():
        assert re.fullmatch("[a-z]+:[a-z]+", word)
        assert meaning.endswith(".")
    assert list(SCOPES) == sorted(SCOPES)


@pytest.mark.proves("S42", "I8")
async def test_a_list_shows_the_keys_below_the_caller(api: Api, tree: Tree) -> None:
    shown = {
        tree.platform_key: 5,
        tree.live_platform_key: 3,
        tree.one.reseller_key: 2,
        tree.one.merchant_key: 1,
    }
    for key, count in shown.items():
        keys = await all_keys(api.holding(key))
        assert len(keys) == count
        assert {one["livemode"] for one in keys} == {key == tree.live_platform_key}
        assert key[-4:] in {one["ending"] for one in keys}


async def test_keys_are_listed_by_pages(api: Api) -> None:
    first = (await api.get(f"{PATH}?limit=2")).json
    rest = (await api.get(f"{PATH}?starting_after={first['data'][1]['id']}")).json
    back = (await api.get(f"{PATH}?ending_before={rest['data'][0]['id']}")).json
    assert (first["has_more"], rest["has_more"], back["has_more"]) == (True, False, False)
    assert len(first["data"]) + len(rest["data"]) == 5
    assert back["data"] == first["data"]


async def revoke(api: Api, key_id: str) -> Answer:
    return await api.delete(f"{PATH}/{key_id}")


async def test_a_revoked_key_is_refused_and_stays_revoked(api: Api, tree: Tree) -> None:
    made = (await api.post(PATH, KEY)).json
    held = api.holding(made["secret"])
    assert (await held.get("/v1/merchants")).status == 200
    first = await revoke(api, made["id"])
    assert datetime.fromisoformat(first.json["revoked_at"]) <= datetime.now(UTC)  # noqa: TID251
    assert (await revoke(api, made["id"])).body == first.body
    refused = await held.get("/v1/merchants")
    assert refused.outcome == (401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.proves("S42", "I8")
async def test_a_key_of_another_tenant_cannot_be_revoked(api: Api, tree: Tree) -> None:
    for owner, stranger in [
        (tree.one.merchant_key, tree.two.merchant_key),
        (tree.one.reseller_key, tree.one.merchant_key),
        (tree.one.merchant_key, tree.two.reseller_key),
        (tree.one.merchant_key, tree.live_platform_key),
        (tree.live.merchant_key, tree.platform_key),
        (tree.platform_key, tree.one.reseller_key),
    ]:
        [mine] = [k for k in await all_keys(api.holding(owner)) if k["ending"] == owner[-4:]]
        answer = await revoke(api.holding(stranger), mine["id"])
        assert answer.outcome == (404, "api_key_not_found")
        assert (await api.holding(owner).get("/v1/merchants")).status == 200
    nobodys = await revoke(api, "key_01jdtdnezk7tpbqgts9wawv9kq")
    assert nobodys.outcome == (404, "api_key_not_found")
    assert (await revoke(api, "key_1")).outcome == (422, "malformed_id")


@pytest.mark.proves("S42")
async def test_every_endpoint_needs_its_scope(api: Api, tree: Tree, database: Database) -> None:
    async with database.transaction() as tx:
        reader = await key_for(tx, Scope(is_test=True), frozenset({"keys:read"}))
        writer = await key_for(tx, Scope(is_test=True), frozenset({"keys:write"}))
    key_id = (await all_keys(api))[0]["id"]
    forbidden = (403, "scope_missing")
    assert (await api.holding(reader).post(PATH, KEY)).outcome == forbidden
    assert (await revoke(api.holding(reader), key_id)).outcome == forbidden
    assert (await api.holding(writer).get(PATH)).outcome == forbidden
    anonymous = api.holding(None)
    for answer in (
        await anonymous.post(PATH, KEY),
        await anonymous.get(PATH),
        await revoke(anonymous, key_id),
    ):
        assert answer.outcome == (401, "unauthenticated")


@pytest.mark.proves("S45")
async def test_unknown_mistyped_and_revoked_keys_are_refused_alike(api: Api) -> None:
    made = (await api.post(PATH, KEY)).json
    await revoke(api, made["id"])
    unknown = rules.compose("A" * 30, is_test=True).reveal()
    mistyped = made["secret"][:-1] + ("0" if made["secret"][-1] != "0" else "1")
    bodies: set[str] = set()
    for presented in (made["secret"], unknown, mistyped, "nonsense"):
        answer = await api.holding(presented).get("/v1/merchants")
        assert answer.status == 401
        bodies.add(answer.json["detail"])
    assert len(bodies) == 1


async def test_a_revocation_bites_within_the_time_a_key_is_remembered(
    tree: Tree, database: Database
) -> None:
    async with asking_as(database, tree.one.merchant_key, kept_seconds=0.5) as api:
        assert (await api.get("/v1/merchants")).status == 200
        [mine] = await all_keys(api)
        await revoke(api, mine["id"])
        assert (await api.get("/v1/merchants")).status == 200
        for _ in range(100):
            if (await api.get("/v1/merchants")).status == 401:
                return
        raise AssertionError("the key was believed for longer than it is remembered")
