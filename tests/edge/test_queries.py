"""Query strings are read as strictly as bodies."""

import pytest

from tests.edge.serving import Api

AN_ID = "pay_01jdtdnezk7tpbqgts9wawv9kq"

GOOD = [
    ("", "10 None {}"),
    ("?", "10 None {}"),
    ("?limit=1", "1 None {}"),
    ("?limit=100", "100 None {}"),
    ("?paid=true", "10 True {}"),
    ("?paid=false&limit=7", "7 False {}"),
    ("?metadata[cart]=77", "10 None {'cart': '77'}"),
    ("?metadata%5Bcart%5D=a+b&metadata%5Bx%5D=", "10 None {'cart': 'a b', 'x': ''}"),
    (f"?starting_after={AN_ID}", "10 None {}"),
    (f"?ending_before={AN_ID}", "10 None {}"),
]


@pytest.mark.parametrize(("query", "note"), GOOD)
async def test_a_good_query_is_understood(api: Api, query: str, note: str) -> None:
    answer = await api.get("/v1/orders" + query)
    assert answer.status == 200
    assert answer.json["object"] == "list"
    assert answer.json["url"] == "/v1/orders"
    assert answer.json["data"][0]["note"] == note


BAD = [
    ("?limit=0", 422, "field_invalid", "limit"),
    ("?limit=101", 422, "field_invalid", "limit"),
    ("?limit=-1", 422, "field_invalid", "limit"),
    ("?limit=1.0", 422, "field_invalid", "limit"),
    ("?limit=1e1", 422, "field_invalid", "limit"),
    ("?limit=", 422, "field_invalid", "limit"),
    ("?limit=01", 422, "field_invalid", "limit"),
    ("?limit=%2B1", 422, "field_invalid", "limit"),
    ("?limit=1_0", 422, "field_invalid", "limit"),
    ("?limit=%D9%A1", 422, "field_invalid", "limit"),
    ("?limit=" + "9" * 500, 422, "field_invalid", "limit"),
    ("?paid=1", 422, "field_invalid", "paid"),
    ("?paid=True", 422, "field_invalid", "paid"),
    ("?colour=red", 422, "field_unknown", "colour"),
    ("?limit=1&colour=red", 422, "field_unknown", "colour"),
    ("?metadata=red", 422, "field_unknown", "metadata"),
    ("?metadata[a][b]=red", 422, "field_unknown", "metadata[a][b]"),
    ("?limit[x]=1", 422, "field_unknown", "limit[x]"),
    ("?starting_after=x", 422, "malformed_id", "starting_after"),
    ("?ending_before=mer_01jdtdnezk7tpbqgts9wawv9kq", 422, "malformed_id", "ending_before"),
    (f"?starting_after={AN_ID}&ending_before={AN_ID}", 422, "field_invalid", "ending_before"),
    ("?limit=1&limit=2", 400, "malformed_request", "limit"),
    ("?limit=1&limit=1", 400, "malformed_request", "limit"),
    ("?limit", 400, "malformed_request", None),
    ("?&", 400, "malformed_request", None),
    ("?paid=%00", 400, "malformed_request", None),
    ("?paid=%FF", 400, "malformed_request", None),
    ("?metadata[a]=%ED%A0%80", 400, "malformed_request", None),
    ("?" + "&".join(f"a{n}=1" for n in range(101)), 400, "malformed_request", None),
]


@pytest.mark.parametrize(("query", "status", "code", "param"), BAD)
async def test_a_bad_query_is_refused_and_named(
    api: Api, query: str, status: int, code: str, param: str | None
) -> None:
    answer = await api.get("/v1/orders" + query)
    assert answer.outcome == (status, code)
    assert answer.json.get("param") == param


async def test_an_endpoint_without_parameters_knows_none(api: Api) -> None:
    answer = await api.delete(f"/v1/orders/{AN_ID}?force=true")
    assert answer.outcome == (422, "field_unknown")
    assert answer.json["param"] == "force"
