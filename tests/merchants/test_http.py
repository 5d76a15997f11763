"""Resellers, merchants and stores over HTTP: made, shown, listed, suspended, reinstated."""

import re

import pytest

from guilder.plumbing.db import Database
from tests.edge.serving import Api
from tests.merchants.tree import Tree

RESELLER = {"name": "Polder Payments", "country": "NL"}
MERCHANT = {"name": "Dijk Bakery", "country": "BE", "default_currency": "EUR"}
STORE = {"name": "Corner", "country": "NL"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def topics(database: Database) -> list[str]:
    async with database.reading() as tx:
        rows = await tx.rows("select topic from plumbing.outbox order by position")
    return [row["topic"] for row in rows]


@pytest.mark.proves("S3-11")
async def test_a_reseller_is_made_shown_and_announced(api: Api, database: Database) -> None:
    made = await api.post("/v1/resellers", RESELLER | {"metadata": {"crm": "7"}})
    assert made.status == 201
    view = made.json
    assert INSTANT.fullmatch(view.pop("created_at"))
    assert view.pop("id").startswith("res_")
    assert view == RESELLER | {"object": "reseller", "livemode": False, "metadata": {"crm": "7"}}
    shown = await api.get(f"/v1/resellers/{made.json['id']}")
    assert shown.body == made.body
    assert (await topics(database))[-1] == "reseller.created"


@pytest.mark.proves("S3-11")
async def test_a_merchant_is_made_active_shown_and_announced(
    api: Api, tree: Tree, database: Database
) -> None:
    below = {"reseller_id": str(tree.one.reseller_id)}
    made = await api.post("/v1/merchants", MERCHANT | below)
    view = made.json
    assert INSTANT.fullmatch(view.pop("created_at"))
    assert view.pop("id").startswith("mer_")
    assert view == MERCHANT | below | {
        "object": "merchant",
        "livemode": False,
        "status": "active",
        "metadata": {},
    }
    assert (await api.get(f"/v1/merchants/{made.json['id']}")).body == made.body
    assert (await topics(database))[-1] == "merchant.created"


async def test_the_platform_may_have_merchants_of_its_own(api: Api) -> None:
    assert (await api.post("/v1/merchants", MERCHANT)).json["reseller_id"] is None


@pytest.mark.proves("S3-11")
async def test_a_store_is_made_shown_and_announced(
    api: Api, tree: Tree, database: Database
) -> None:
    below = {"merchant_id": str(tree.one.merchant_id)}
    made = await api.post("/v1/stores", STORE | below)
    assert made.json["id"].startswith("sto_")
    assert made.json["merchant_id"] == str(tree.one.merchant_id)
    assert (await api.get(f"/v1/stores/{made.json['id']}")).body == made.body
    assert (await topics(database))[-1] == "store.created"


async def test_a_key_of_one_merchant_need_not_name_it(api: Api, tree: Tree) -> None:
    made = await api.holding(tree.one.merchant_key).post("/v1/stores", STORE)
    assert made.json["merchant_id"] == str(tree.one.merchant_id)
    answer = await api.post("/v1/stores", STORE)
    assert answer.outcome == (422, "field_missing")
    assert answer.json["param"] == "merchant_id"


@pytest.mark.proves("I12")
async def test_a_merchant_is_suspended_and_reinstated_with_a_history(
    api: Api, tree: Tree, database: Database
) -> None:
    path = f"/v1/merchants/{tree.one.merchant_id}"
    suspended = await api.post(f"{path}/suspend", {"reason": "unpaid invoices"})
    assert (suspended.status, suspended.json["status"]) == (200, "suspended")
    again = await api.post(f"{path}/suspend", {})
    assert again.outcome == (409, "merchant_status_unchanged")
    reinstated = await api.send("POST", f"{path}/reinstate", headers={"Idempotency-Key": "k"})
    assert (reinstated.status, reinstated.json["status"]) == (200, "active")
    async with database.reading() as tx:
        rows = await tx.rows(
            """
            select before, after, reason, by_key_id is not null as known
              from merchants.merchant_history
             where merchant_id = $1
             order by position
            """,
            tree.one.merchant_id.value,
        )
    assert [tuple(row) for row in rows] == [  # pyright: ignore[reportArgumentType]
        (None, "active", None, False),
        ("active", "suspended", "unpaid invoices", True),
        ("suspended", "active", None, True),
    ]
    assert (await topics(database))[-2:] == ["merchant.suspended", "merchant.reinstated"]


async def test_the_same_key_makes_one_merchant(api: Api, database: Database) -> None:
    first = await api.post("/v1/merchants", MERCHANT, key="k")
    again = await api.post("/v1/merchants", MERCHANT, key="k")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    other = await api.post("/v1/merchants", MERCHANT | {"name": "Other"}, key="k")
    assert other.outcome == (422, "idempotency_key_reused")
    elsewhere = await api.post("/v1/resellers", RESELLER, key="k")
    assert elsewhere.outcome == (422, "idempotency_key_reused")
    async with database.reading() as tx:
        assert await tx.value("select count(*) from merchants.merchant where name <> 'Other'") == 4


WRONG: list[tuple[dict[str, object], str, str]] = [
    ({"name": ""}, "field_invalid", "name"),
    ({"name": "x" * 201}, "field_invalid", "name"),
    ({"name": 5}, "field_invalid", "name"),
    ({"country": "nl"}, "field_invalid", "country"),
    ({"country": "NLD"}, "field_invalid", "country"),
    ({"country": "N\n"}, "field_invalid", "country"),
    ({"default_currency": "eur"}, "unknown_currency", "default_currency"),
    ({"default_currency": "XXX"}, "unknown_currency", "default_currency"),
    ({"reseller_id": "mer_01jdtdnezk7tpbqgts9wawv9kq"}, "malformed_id", "reseller_id"),
    ({"metadata": {"": "x"}}, "field_invalid", "metadata"),
    ({"metadata": {"k" * 41: "x"}}, "field_invalid", "metadata"),
    ({"metadata": {"k": "x" * 501}}, "field_invalid", "metadata"),
    ({"metadata": {"k": 1}}, "field_invalid", "metadata"),
    ({"metadata": {f"k{n}": "x" for n in range(51)}}, "field_invalid", "metadata"),
    ({"status": "suspended"}, "field_unknown", "status"),
    ({"is_test": False}, "field_unknown", "is_test"),
    ({"id": "mer_01jdtdnezk7tpbqgts9wawv9kq"}, "field_unknown", "id"),
    ({"created_at": "2020-01-01T00:00:00Z"}, "field_unknown", "created_at"),
]


@pytest.mark.proves("S42")
async def test_every_wrong_field_is_refused_and_named(api: Api, database: Database) -> None:
    for wrong, code, param in WRONG:
        answer = await api.post("/v1/merchants", MERCHANT | wrong)
        assert answer.outcome == (422, code), wrong
        assert answer.json["param"] == param
    for missing in MERCHANT:
        left = {name: value for name, value in MERCHANT.items() if name != missing}
        answer = await api.post("/v1/merchants", left)
        assert answer.outcome == (422, "field_missing")
        assert answer.json["param"] == missing
    async with database.reading() as tx:
        assert await tx.value("select count(*) from merchants.merchant") == 3


async def test_metadata_at_its_limits_is_kept_letter_by_letter(api: Api) -> None:
    metadata = {f"{n:02}" + "🌷" * 38: "ü\t\"'<&>" + "x" * 493 for n in range(50)}
    made = await api.post("/v1/merchants", MERCHANT | {"metadata": metadata})
    assert made.status == 201
    assert (await api.get(f"/v1/merchants/{made.json['id']}")).json["metadata"] == metadata


async def test_lists_go_both_ways_by_cursor(api: Api) -> None:
    names = [f"Merchant {n}" for n in range(7)]
    for name in names:
        await api.post("/v1/merchants", MERCHANT | {"name": name})
    first = (await api.get("/v1/merchants?limit=3")).json
    assert (first["object"], first["url"], first["has_more"]) == ("list", "/v1/merchants", True)
    assert [one["name"] for one in first["data"]] == names[:3:-1]
    after = first["data"][-1]["id"]
    second = (await api.get(f"/v1/merchants?limit=3&starting_after={after}")).json
    assert [one["name"] for one in second["data"]] == names[3:0:-1]
    before = second["data"][0]["id"]
    back = (await api.get(f"/v1/merchants?limit=2&ending_before={before}")).json
    assert [one["name"] for one in back["data"]] == [names[5], names[4]]
    assert back["has_more"] is True
    rest = (await api.get(f"/v1/merchants?limit=100&ending_before={before}")).json
    assert rest["has_more"] is False
    assert rest["data"] == first["data"]


@pytest.mark.parametrize("noun", ["resellers", "stores", "merchants"])
async def test_every_list_pages_through_all_it_has(api: Api, noun: str, tree: Tree) -> None:
    seen: list[str] = []
    query = "?limit=1"
    for _ in range(5):
        page = (await api.get(f"/v1/{noun}{query}")).json
        seen += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        query = f"?limit=1&starting_after={seen[-1]}"
    assert len(seen) == len(set(seen)) == 2
    assert seen == sorted(seen, reverse=True)
    newest_first = (await api.get(f"/v1/{noun}?ending_before={seen[-1]}")).json["data"]
    assert [one["id"] for one in newest_first] == seen[:-1]


async def test_lists_can_be_narrowed(api: Api, tree: Tree) -> None:
    merchants = await api.get(f"/v1/merchants?reseller_id={tree.two.reseller_id}")
    assert [one["id"] for one in merchants.json["data"]] == [str(tree.two.merchant_id)]
    stores = await api.get(f"/v1/stores?merchant_id={tree.one.merchant_id}")
    assert [one["id"] for one in stores.json["data"]] == [str(tree.one.store_id)]
