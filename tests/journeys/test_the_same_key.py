"""S02: whatever happens to a key, the money is taken once and the answer is the same."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller, Came, order
from tests.journeys.outside import Outside
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: keys and races")

AT_ONCE = 10  # So many keys are fought over at the same moment.
RUNS = [
    pytest.param(200, 20, id="200 keys, 20 callers each"),
    pytest.param(1000, 50, id="1000 keys, 50 callers each", marks=pytest.mark.full),
]


@pytest.mark.proves("S02", "S4-16", "I3", "I2")
@pytest.mark.parametrize(("keys", "callers"), RUNS)
async def test_the_same_key_takes_the_money_once(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, keys: int, callers: int
) -> None:
    before = await _booked(platform)
    amounts = {caller.new_key(): 1_00 + n for n in range(keys)}
    replays = Counter[str]()
    names = iter(amounts)
    while wave := list(itertools.islice(names, AT_ONCE)):
        battles = [_battle(caller, key, amounts[key], callers) for key in wave]
        for answers in await asyncio.gather(*battles):
            replays.update(_outcomes(answers))

    mine = [row async for row in caller.walk("/v1/payments") if row["reference"] in amounts]
    rows = [row for row in await outside.book() if row.payment_ref in _refs(mine)]
    print(f"{keys} keys, {callers} callers each: {dict(replays)}")
    assert len(mine) == keys
    assert {row["reference"]: row["captured_minor"] for row in mine} == amounts
    assert Counter(row.kind for row in rows) == {"authorization": keys, "capture": keys}
    assert await _booked(platform) - before == sum(amounts.values())
    assert await differences(platform, outside, solo) == []


async def _battle(caller: Caller, key: str, amount_minor: int, callers: int) -> Sequence[Came]:
    """All callers send at the same moment; afterwards one asks again. Returns all answers."""
    start = asyncio.Event()

    async def send() -> Came:
        await start.wait()
        return await caller.pay(amount_minor, key=key)

    sending = [asyncio.create_task(send()) for _ in range(callers)]
    start.set()
    answers = await asyncio.gather(*sending)
    return [*answers, await caller.pay(amount_minor, key=key)]


def _outcomes(answers: Sequence[Came]) -> Counter[str]:
    """Counts first answers, replays and 409s; anything else fails here."""
    firsts = [came for came in answers if came.status == 201 and not came.is_replay]
    replays = [came for came in answers if came.is_replay]
    in_progress = [came for came in answers if came.status == 409]
    assert len(firsts) == 1, [came.status for came in answers]
    assert len(firsts) + len(replays) + len(in_progress) == len(answers)
    assert answers[-1].is_replay
    for came in replays:
        assert (came.status, came.body) == (201, firsts[0].body)
    for came in in_progress:
        assert came.code == "idempotency_in_progress"
        assert came.json["retryable"] is True
        assert int(came.headers["retry-after"]) >= 1
    return Counter(first=1, replayed=len(replays), in_progress=len(in_progress))


@pytest.mark.proves("S02", "S4-16")
async def test_the_same_key_with_another_body_is_refused_and_does_nothing(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo
) -> None:
    key = caller.new_key()
    first = await caller.pay(10_00, key=key)
    changes = (
        order(10_01, "EUR", key),
        order(10_00, "USD", key),
        order(10_00, "EUR", key, token="pm_card_mastercard"),
        order(10_00, "EUR", key, capture_method="manual"),
        order(10_00, "EUR", key, metadata={"a": "b"}),
    )
    for body in changes:
        other = await caller.post("/v1/payments", body, key=key)
        assert (other.status, other.code) == (422, "idempotency_key_reused"), body
        assert not other.is_replay
    again = await caller.pay(10_00, key=key)
    assert (again.status, again.body, again.is_replay) == (201, first.body, True)
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S02", "S4-16")
async def test_spelling_the_same_body_differently_is_the_same_request(caller: Caller) -> None:
    key = caller.new_key()
    first = await caller.pay(10_00, key=key)
    respelled = (
        b'{ "reference":"%s", "payment_method":{"token":"pm_card_visa","type":"c\\u0061rd"},'
        b'\n"currency" : "EUR","amount_minor":1000 }' % key.encode()
    )
    again = await caller.post("/v1/payments", respelled, key=key)
    assert (again.status, again.body, again.is_replay) == (201, first.body, True)


@pytest.mark.proves("S02", "S4-16")
async def test_the_same_key_at_another_path_is_refused(caller: Caller) -> None:
    key = caller.new_key()
    held = (await caller.pay(10_00, capture_method="manual", key=key)).json
    for verb in ("capture", "void", "refund"):
        other = await caller.post(f"/v1/payments/{held['id']}/{verb}", {}, key=key)
        assert (other.status, other.code) == (422, "idempotency_key_reused"), verb
    assert (await caller.payment(held["id"]))["state"] == "authorized"


@pytest.mark.proves("S02", "S4-29")
async def test_a_missing_key_is_refused(caller: Caller) -> None:
    paid = (await caller.pay(10_00)).json
    paths = ["/v1/payments", *(f"/v1/payments/{paid['id']}/{verb}" for verb in VERBS)]
    for path, empty in itertools.product(paths, ({}, {"Idempotency-Key": ""})):
        headers = {"Content-Type": "application/json", **empty}
        came = await caller.send("POST", path, body=b"{}", headers=headers)
        assert (came.status, came.code) == (400, "idempotency_key_missing"), path


VERBS = ("capture", "void", "refund")


@pytest.mark.proves("S02")
@pytest.mark.parametrize(
    ("key", "status"),
    [
        pytest.param("k" * 255, 201, id="255 characters"),
        pytest.param("k" * 256, 400, id="256 characters"),
        pytest.param("k" * 5000, 400, id="5000 characters"),
        pytest.param("order 1001, second try", 201, id="spaces within"),
        pytest.param("bestellung-ä-注文-🍄", 201, id="letters beyond ASCII"),
        pytest.param("é" * 255, 201, id="255 letters of two bytes"),
        pytest.param("tab\there", 400, id="a tab"),
        pytest.param("a\u202eb", 400, id="a character that turns the text round"),
    ],
)
async def test_a_key_is_any_printable_text_up_to_255_characters(
    caller: Caller, key: str, status: int
) -> None:
    reference = caller.new_key()
    first = await caller.pay(10_00, key=key, reference=reference)
    assert first.status == status, first.body
    second = await caller.pay(10_00, key=key, reference=reference)
    assert second.status == status
    if status == 201:
        assert (second.body, second.is_replay) == (first.body, True)
    else:
        assert first.code == "idempotency_key_malformed"


@pytest.mark.proves("S02")
async def test_a_key_that_is_no_text_is_refused(caller: Caller) -> None:
    raw_key = b"key-\xff\xfe".decode("latin-1")
    headers = {"Idempotency-Key": raw_key, "Content-Type": "application/json"}
    came = await _send_latin(caller, headers)
    assert (came.status, came.code) == (400, "idempotency_key_malformed")


async def _send_latin(caller: Caller, headers: dict[str, str]) -> Came:
    """Over a plain socket, because clients would write the header in UTF-8."""
    host, _, port = caller.where().removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [
        "POST /v1/payments HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {caller.key}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Content-Length: 2",
        "Connection: close",
        "",
        "{}",
    ]
    writer.write("\r\n".join(lines).encode("latin-1"))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return Came(int(head.split()[1]), {}, body)


@pytest.mark.proves("S02", "S4-16")
async def test_a_key_of_a_refused_request_is_free_again(caller: Caller) -> None:
    key = caller.new_key()
    for currency in ("XXX", "EURO"):
        refused = await caller.pay(10_00, currency, key=key)
        assert refused.status == 422, refused.body
    paid = await caller.pay(10_00, key=key)
    assert (paid.status, paid.is_replay) == (201, False)

    path, key = f"/v1/payments/{paid.json['id']}/refund", caller.new_key()
    beyond = await caller.post(path, {"amount_minor": 10_01}, key=key)
    assert (beyond.status, beyond.code) == (422, "refund_exceeds_captured")
    refund = await caller.post(path, {"amount_minor": 10_00}, key=key)
    assert (refund.status, refund.is_replay) == (201, False)
    again = await caller.post(path, {"amount_minor": 10_00}, key=key)
    assert (again.body, again.is_replay) == (refund.body, True)


@pytest.mark.proves("S02", "S4-16")
async def test_callers_who_repeat_a_refused_request_at_once_are_all_refused(
    caller: Caller, platform: Caller
) -> None:
    held = (await caller.pay(10_00, capture_method="manual")).json
    nobody = f"mer_{'0' * 26}"
    battles = (
        (caller, f"/v1/payments/{held['id']}/refund", {}, (409, "payment_not_refundable")),
        (caller, f"/v1/payments/{held['id']}/capture", {"amount_minor": 10_01}, BEYOND),
        (platform, "/v1/payments", order(1, "EUR", "x", merchant_id=nobody), NO_MERCHANT),
    )
    for who, path, body, refusal in battles:
        for _ in range(5):
            key = who.new_key()
            answers = await asyncio.gather(*(who.post(path, body, key=key) for _ in range(20)))
            assert {(came.status, came.code) for came in answers} <= {refusal, IN_PROGRESS}
            assert refusal in {(came.status, came.code) for came in answers}


BEYOND = (422, "capture_exceeds_authorized")
NO_MERCHANT = (404, "merchant_not_found")
IN_PROGRESS = (409, "idempotency_in_progress")


async def _booked(platform: Caller) -> int:
    """All debits in euros, in minor units."""
    lines = (await platform.get("/v1/ledger/trial-balance")).json["lines"]
    return sum(line["debits_minor"] for line in lines if line["currency"] == "EUR")


def _refs(payments: Sequence[dict[str, str]]) -> set[str]:
    return {payment["provider_ref"] for payment in payments}
