"""Looking things up: one, a page of many, by metadata."""

import asyncio

import pytest

from guilder_sandbox.stripe.refusals import Refused
from guilder_sandbox.stripe.search import Clause, parse_query
from tests.sandbox.outside import Caller, Outside, calling


async def test_lists_are_paged_newest_first(own: Outside) -> None:
    async with calling(own) as caller:
        await _paged(caller)


async def _paged(caller: Caller) -> None:
    ids = [(await caller.sale(n)).body["id"] for n in range(1, 6)]
    page = (await caller.get("payment_intents", {"limit": 2})).body
    assert ([one["id"] for one in page["data"]], page["has_more"]) == (ids[:2:-1], True)
    after = {"limit": 2, "starting_after": ids[3], "expand[]": "data.latest_charge"}
    page = (await caller.get("payment_intents", after)).body
    assert [one["id"] for one in page["data"]] == [ids[2], ids[1]]
    assert page["data"][0]["latest_charge"]["object"] == "charge"
    page = (await caller.get("payment_intents", {"limit": 2, "ending_before": ids[0]})).body
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)


async def test_a_list_may_be_of_a_span_of_time(own: Outside) -> None:
    async with calling(own) as caller:
        await _spanned(caller)


async def _spanned(caller: Caller) -> None:
    await caller.order("clock", {"now": "2031-03-01T12:00:00Z"})
    early = (await caller.sale()).body
    await caller.order("clock", {"now": "2031-03-02T12:00:00Z"})
    late = (await caller.sale()).body
    assert late["created"] - early["created"] in {86_400, 86_401}
    for name, value, wanted in [
        ("created[gte]", late["created"], [late["id"]]),
        ("created[gt]", early["created"], [late["id"]]),
        ("created", early["created"], [early["id"]]),
    ]:
        found = (await caller.get("payment_intents", {name: value})).body
        assert [one["id"] for one in found["data"]] == wanted
    span = {"created[gte]": early["created"], "created[lt]": late["created"]}
    found = (await caller.get("payment_intents", span)).body
    assert [one["id"] for one in found["data"]] == [early["id"]]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"starting_after": "x"}, "starting_after"),
        ({"starting_after": "a", "ending_before": "b"}, "starting_after"),
        ({"created[around]": "5"}, "around"),
    ],
)
async def test_a_wrong_page_is_refused(caller: Caller, fields: dict[str, str], param: str) -> None:
    reply = await caller.get("payment_intents", fields)
    assert (reply.status, reply.error["param"]) == (400, param)


async def test_a_payment_is_found_by_its_metadata_at_once(caller: Caller) -> None:
    names = {"metadata[order]": 'it\'s "7"', "metadata[shop]": "north"}
    paid = (await caller.sale(fields=names)).body
    await caller.sale(fields=names | {"metadata[shop]": "south"})
    escaped = r"it\'s \"7\""
    query = f"metadata['order']:'{escaped}' AND metadata[\"shop\"]:\"north\""
    found = (await caller.get("payment_intents/search", {"query": query})).body
    assert (found["object"], found["has_more"]) == ("search_result", False)
    assert [one["id"] for one in found["data"]] == [paid["id"]]
    other = f"{query} AND status:'canceled'"
    assert (await caller.get("payment_intents/search", {"query": other})).body["data"] == []


async def test_changed_metadata_is_found_by_what_it_is_now(caller: Caller) -> None:
    held = await caller.hold(fields={"metadata[colour]": "red"})
    await caller.post(f"payment_intents/{held['id']}/capture", {"metadata.colour": "blue"})
    for colour, wanted in (("red", []), ("blue", [held["id"]])):
        query = {"query": f"metadata['colour']:'{colour}'"}
        found = (await caller.get("payment_intents/search", query)).body
        assert [one["id"] for one in found["data"]] == wanted


async def test_a_search_has_pages(caller: Caller) -> None:
    await asyncio.gather(*(caller.sale(fields={"metadata[lot]": "nine"}) for _ in range(5)))
    query: dict[str, str | int] = {"query": "metadata['lot']:'nine'", "limit": 3}
    first = (await caller.get("payment_intents/search", query)).body
    rest = await caller.get("payment_intents/search", query | {"page": first["next_page"]})
    ids = {one["id"] for one in (*first["data"], *rest.body["data"])}
    assert (len(ids), rest.body["has_more"], rest.body["next_page"]) == (5, False, None)


def test_a_query_is_read_clause_by_clause() -> None:
    assert parse_query("metadata['a']:'b'") == [Clause("a", None, "b")]
    assert parse_query('metadata["a"]:"b" and currency:"usd" AND amount:100') == [
        Clause("a", None, "b"),
        Clause(None, "currency", "usd"),
        Clause(None, "amount", "100"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "order",
        "metadata['a']",
        "metadata['a']:",
        "metadata[a]:'b'",
        "metadata['a']:'b' OR metadata['a']:'c'",
        "-metadata['a']:'b'",
        "metadata['a']~'b'",
        "metadata['a']:'b' AND",
        "metadata['a']:'b' metadata['c']:'d'",
        " AND ".join(["amount:1"] * 11),
        "metadata['a']:'" + "b" * 2000 + "'",
    ],
)
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(Refused):
        parse_query(query)


async def test_a_search_without_metadata_is_refused(caller: Caller) -> None:
    reply = await caller.get("payment_intents/search", {"query": "status:'succeeded'"})
    assert (reply.status, reply.error["param"]) == (400, "query")


async def test_the_effect_on_the_balance_is_less_the_fee(caller: Caller) -> None:
    paid = (await caller.sale(1050, fields={"expand[]": "latest_charge.balance_transaction"})).body
    effect = paid["latest_charge"]["balance_transaction"]
    assert (effect["amount"], effect["fee"], effect["net"]) == (1050, 60, 990)
    assert (await caller.get(f"balance_transactions/{effect['id']}")).body == effect
    back = (await caller.post("refunds", {"payment_intent": paid["id"]})).body
    effect = (await caller.get(f"balance_transactions/{back['balance_transaction']}")).body
    assert (effect["amount"], effect["fee"], effect["type"]) == (-1050, 0, "refund")
    assert (await caller.get("balance_transactions/txn_nobody")).status == 404


async def test_events_can_be_listed_and_are_as_they_were(caller: Caller) -> None:
    held = await caller.hold()
    await caller.post(f"payment_intents/{held['id']}/capture", {})
    kinds = {"types[0]": "charge.captured", "types[1]": "payment_intent.created", "limit": 2}
    found = (await caller.get("events", kinds)).body["data"]
    assert [event["type"] for event in found] == ["charge.captured", "payment_intent.created"]
    created = (await caller.get(f"events/{found[1]['id']}")).body
    assert created == found[1]
    assert created["data"]["object"]["status"] == "requires_confirmation"
    one = (await caller.get("events", {"type": "charge.captured", "limit": 1})).body
    assert one["data"][0]["id"] == found[0]["id"]
