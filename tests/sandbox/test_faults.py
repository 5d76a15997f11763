"""Everything that can go wrong on request, and what the book says of it."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process

import aiohttp
import pytest

from guilder_sandbox.faults import parse_magic, roll
from tests.sandbox.outside import SALE, Caller, Outside, Reply, calling

FIELDS = {**SALE, "amount": 1050, "currency": "eur"}
SILENT = {"sandbox_fault": "never_answer_after_booking"}
WHENS = ["before_booking", "after_booking"]
GONE = (aiohttp.ClientError, TimeoutError)


async def attempt(caller: Caller, key: str, **fields: str) -> Reply | None:
    """The answer to a sale, or None when the connection ended without one."""
    try:
        return await caller.post("payment_intents", FIELDS | fields, key=key, limit=1)
    except GONE:
        return None


async def booked(caller: Caller, key: str) -> int:
    """How often the money was taken under this key."""
    return len(await caller.book(idempotency_key=key, kind="capture"))


@pytest.mark.proves("S03")
@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("fault", ["never_answer", "reset", "close", "truncated"])
async def test_no_answer_leaves_the_truth_in_the_book(
    caller: Caller, fault: str, when: str
) -> None:
    key = f"{fault}-{when}"
    await caller.fault(fault, when=when)
    assert await attempt(caller, key) is None
    assert await booked(caller, key) == (when == "after_booking")
    again = await attempt(caller, key)
    assert again is not None
    assert (again.status, await booked(caller, key)) == (200, 1)


@pytest.mark.parametrize(("fault", "is_reset"), [("reset", True), ("close", False)])
async def test_a_reset_is_not_a_close(caller: Caller, fault: str, *, is_reset: bool) -> None:
    await caller.fault(fault, match={"operation": "list"})
    host, _, port = caller.outside.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = b"Authorization: Bearer sk_test_raw\r\n"
    writer.write(b"GET /v1/payment_intents HTTP/1.1\r\nHost: x\r\n" + key + b"\r\n")
    try:
        assert await asyncio.wait_for(reader.read(), 10) == b""
        was_reset = False
    except ConnectionResetError:
        was_reset = True
    writer.close()
    assert was_reset is is_reset


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("status_429", 429),
        ("status_500", 500),
        ("status_502_html", 502),
        ("status_503", 503),
        ("garbage", 200),
    ],
)
async def test_a_bad_answer_leaves_the_truth_in_the_book(
    caller: Caller, fault: str, status: int, when: str
) -> None:
    key = f"{fault}-{when}"
    await caller.fault(fault, when=when)
    reply = await attempt(caller, key)
    assert reply is not None
    assert reply.status == status
    assert b'"status":"succeeded"' not in reply.raw
    assert await booked(caller, key) == (when == "after_booking")
    again = await attempt(caller, key)
    assert again is not None
    assert (again.body["status"], await booked(caller, key)) == ("succeeded", 1)


@pytest.mark.parametrize("when", WHENS)
async def test_an_answer_may_be_late(caller: Caller, when: str) -> None:
    await caller.fault("answer_late", when=when, delay_ms=400)
    started = time.monotonic()
    reply = await caller.post("payment_intents", FIELDS, key=f"late-{when}")
    assert (reply.status, time.monotonic() - started >= 0.4) == (200, True)


async def test_what_never_arrived_leaves_its_key_free(caller: Caller) -> None:
    await caller.fault("never_answer", when="before_booking")
    lost = asyncio.create_task(caller.post("payment_intents", FIELDS, key="lost"))
    await asyncio.sleep(0.2)
    await caller.fault("answer_late", when="before_booking", delay_ms=1500)
    slow = asyncio.create_task(caller.post("payment_intents", FIELDS, key="lost"))
    await asyncio.sleep(0.2)
    lost.cancel()
    await asyncio.sleep(0.1)
    assert (await caller.post("payment_intents", FIELDS, key="lost")).status == 409
    assert (await slow).status == 200
    assert await booked(caller, "lost") == 1


async def test_a_late_request_is_booked_even_when_nobody_waits(caller: Caller) -> None:
    await caller.fault("answer_late", when="before_booking", delay_ms=2000)
    assert await attempt(caller, "left") is None
    assert await booked(caller, "left") == 0
    await asyncio.sleep(1.5)
    assert await booked(caller, "left") == 1


async def test_a_remembered_500_is_the_answer_for_good(caller: Caller) -> None:
    await caller.fault("status_500_remembered")
    first = await attempt(caller, "remembered")
    again = await attempt(caller, "remembered")
    assert first is not None
    assert again is not None
    assert (first.status, again.status, again.raw) == (500, 500, first.raw)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await booked(caller, "remembered") == 1


@pytest.mark.proves("S21")
async def test_a_lie_is_well_formed_and_not_in_the_book(caller: Caller) -> None:
    await caller.fault("lie", say={"amount": 1, "currency": "usd"})
    reply = await attempt(caller, "lie")
    assert reply is not None
    assert (reply.body["amount"], reply.body["currency"]) == (1, "usd")
    [row] = await caller.book(idempotency_key="lie", kind="capture")
    assert (row["amount_minor"], row["currency"]) == (1050, "EUR")
    truth = (await caller.get(f"payment_intents/{reply.body['id']}")).body
    assert truth["amount"] == 1050


async def test_a_request_may_bring_its_own_fault_once(caller: Caller) -> None:
    for fault, times in (("close_after_booking", 1), ("status_500_before_booking", 0)):
        fields = {"metadata[sandbox_fault]": fault}
        first = await attempt(caller, fault, **fields)
        assert first is None or first.status == 500
        assert await booked(caller, fault) == times
        again = await attempt(caller, fault, **fields)
        assert again is not None
        assert (again.status, await booked(caller, fault)) == (200, 1)


async def test_a_fault_that_nobody_knows_is_refused(caller: Caller) -> None:
    reply = await attempt(caller, "unknown", **{"metadata[sandbox_fault]": "explode"})
    assert reply is not None
    assert (reply.status, reply.error["param"]) == (400, "metadata[sandbox_fault]")


async def test_the_silent_card_books_and_says_nothing(caller: Caller) -> None:
    fields = {"payment_method": "pm_sandbox_bookedThenSilent", "metadata[me]": "silent"}
    assert await attempt(caller, "silent", **fields) is None
    query = {"query": "metadata['me']:'silent'"}
    [found] = (await caller.get("payment_intents/search", query)).body["data"]
    assert found["status"] == "succeeded"
    again = await attempt(caller, "silent", **fields)
    assert again is not None
    assert (again.body["id"], await booked(caller, "silent")) == (found["id"], 1)


MATCHES: list[tuple[dict[str, object], dict[str, str], bool]] = [
    ({}, {}, True),
    ({"operation": "create"}, {}, True),
    ({"operation": "capture"}, {}, False),
    ({"amount": 1050}, {}, True),
    ({"amount": 1051}, {}, False),
    ({"payment_method": "pm_card_visa"}, {}, True),
    ({"payment_method": "pm_card_amex"}, {}, False),
    ({"metadata": {"a": "1"}}, {"metadata[a]": "1", "metadata[b]": "2"}, True),
    ({"metadata": {"a": "1", "c": "3"}}, {"metadata[a]": "1"}, False),
]


@pytest.mark.parametrize(("match", "fields", "hit"), MATCHES)
async def test_a_rule_is_about_what_it_matches(
    caller: Caller, match: dict[str, object], fields: dict[str, str], *, hit: bool
) -> None:
    await caller.fault("status_503", match=match)
    reply = await caller.post("payment_intents", FIELDS | fields)
    assert reply.status == (503 if hit else 200)


@pytest.mark.parametrize("operation", ["capture", "cancel", "refund", "retrieve", "list", "search"])
async def test_every_operation_can_go_wrong(caller: Caller, operation: str) -> None:
    held = await caller.hold(fields={"metadata[who]": operation})
    path = f"payment_intents/{held['id']}"
    if operation == "refund":
        await caller.post(f"{path}/capture", {})
    rule = {"operation": operation}
    if operation in {"capture", "cancel", "refund", "retrieve"}:
        rule |= {"metadata": {"who": operation}, "amount": 1000}  # Of the payment it is about.
    await caller.fault("status_503", match=rule)
    asks = {
        "capture": lambda: caller.post(f"{path}/capture", {}),
        "cancel": lambda: caller.post(f"{path}/cancel", {}),
        "refund": lambda: caller.post("refunds", {"payment_intent": held["id"]}),
        "retrieve": lambda: caller.get(path),
        "list": lambda: caller.get("payment_intents"),
        "search": lambda: caller.get("payment_intents/search", {"query": "metadata['a']:'b'"}),
    }
    assert (await asks[operation]()).status == 503
    changed = {"capture": ["capture"], "cancel": ["void"], "refund": ["capture", "refund"]}
    kinds = [row[0] for row in await caller.movements(held["id"])][1:]
    assert kinds == changed.get(operation, [])


async def test_a_share_of_requests_goes_wrong_by_the_seed(caller: Caller) -> None:
    async def statuses(seed: int) -> list[int]:
        await caller.order("faults", {"fault": "status_503", "probability": 40, "seed": seed})
        seen = [(await caller.post("payment_intents", FIELDS)).status for _ in range(30)]
        await caller.order("heal", {})
        return seen

    first = await statuses(11)
    assert first == [503 if roll(11, n, "fault") < 40 else 200 for n in range(1, 31)]
    assert first == await statuses(11)
    assert first != await statuses(12)


async def test_healing_releases_who_is_held(caller: Caller) -> None:
    await caller.order("faults", {"fault": "never_answer"})
    held = asyncio.create_task(caller.post("payment_intents", FIELDS, key="held"))
    await asyncio.sleep(0.3)
    assert (await caller.plain("/control/health")).body["held"] == 1
    assert len((await caller.plain("/control/faults")).body["faults"]) == 1
    await caller.order("heal", {})
    with pytest.raises(aiohttp.ClientError):
        await asyncio.wait_for(held, 5)
    health = (await caller.plain("/control/health")).body
    assert (health["held"], health["faults"]) == (0, 0)
    assert await booked(caller, "held") == 1


async def test_rules_are_listed_and_dropped(caller: Caller) -> None:
    made = await caller.order("faults", {"fault": "status_503", "times": 2})
    await caller.post("payment_intents", FIELDS)
    [shown] = (await caller.plain("/control/faults")).body["faults"]
    assert (shown["id"], shown["seen"], shown["fired"]) == (made["id"], 1, 1)
    url = f"{caller.outside.url}/control/faults"
    async with caller.session.delete(f"{url}/{made['id']}") as answer:
        assert answer.status == 200
    async with caller.session.delete(f"{url}/{made['id']}") as answer:
        assert answer.status == 404
    assert (await caller.post("payment_intents", FIELDS)).status == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "explode"},
        {"fault": "reset", "when": "yesterday"},
        {"fault": "reset", "when": "after_answer"},
        {"fault": "reset", "colour": "red"},
        {"fault": "reset", "probability": 101},
        {"fault": "reset", "times": 0},
        {"fault": "answer_late"},
        {"fault": "kill_caller"},
        {"fault": "kill_caller", "pid": 1},
        {"fault": "lie"},
        {"fault": "lie", "say": {"id": "x"}, "when": "before_booking"},
        {"fault": "reset", "match": {"operation": "dance"}},
        "reset",
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(caller: Caller, rule: object) -> None:
    assert "error" in await caller.order("faults", rule, status=400)


@pytest.mark.parametrize(
    "text", ["", "reset", "reset_tomorrow", "answer_late_after_booking", "x_9"]
)
def test_what_names_no_fault_is_none(text: str) -> None:
    assert parse_magic(text) is None


async def test_rules_outlive_the_process(own: Outside) -> None:
    async with calling(own) as caller:
        await caller.order("faults", {"fault": "status_503", "times": 2})
        assert (await caller.sale()).status == 503
    own.kill()
    own.start()
    async with calling(own) as caller:
        assert [(await caller.sale()).status for _ in range(2)] == [503, 200]


async def test_search_may_lag_behind(caller: Caller) -> None:
    await caller.sale(fields={"metadata[lag]": "yes"})
    query = {"query": "metadata['lag']:'yes'"}
    await caller.fault("stale", match={"operation": "search"}, delay_ms=60_000)
    assert (await caller.get("payment_intents/search", query)).body["data"] == []
    assert len((await caller.get("payment_intents/search", query)).body["data"]) == 1


@pytest.mark.proves("S06")
async def test_a_lenient_provider_takes_everything(caller: Caller) -> None:
    await caller.order("faults", {"fault": "lenient"})
    held = await caller.hold(1000)
    path = f"payment_intents/{held['id']}"
    for amount in (900, 900):
        taken = await caller.post(f"{path}/capture", {"amount_to_capture": amount})
        assert taken.status == 200
    for amount in (1500, 1500):
        back = await caller.post("refunds", {"payment_intent": held["id"], "amount": amount})
        assert back.status == 200
    assert (await caller.post(f"{path}/cancel", {})).status == 200
    kinds = [row[0] for row in await caller.movements(held["id"])]
    assert kinds == ["authorization", "capture", "capture", "refund", "refund", "void"]


VICTIM = """
import sys, urllib.request
url, key = sys.argv[1:]
body = b"amount=1050&currency=eur&confirm=true&payment_method=pm_card_visa"
body += b"&payment_method_types[]=card"
headers = {"Authorization": "Bearer sk_test_victim", "Idempotency-Key": key}
sys.stdin.readline()
with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
    print(answer.status, flush=True)
sys.stdin.readline()
"""


async def victim(caller: Caller, key: str) -> Process:
    url = f"{caller.outside.url}/v1/payment_intents"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", VICTIM, url, key, stdin=PIPE, stdout=PIPE
    )


@pytest.mark.proves("S04")
@pytest.mark.parametrize(
    ("when", "times", "said"),
    [("before_booking", 0, b""), ("after_booking", 1, b""), ("after_answer", 1, b"200\n")],
)
async def test_the_caller_can_be_killed_at_each_point(
    caller: Caller, when: str, times: int, said: bytes
) -> None:
    key = f"victim-{when}"
    process = await victim(caller, key)
    assert process.stdin is not None
    assert process.stdout is not None
    await caller.fault("kill_caller", when=when, pid=process.pid)
    process.stdin.write(b"go\n")
    heard = await asyncio.wait_for(process.stdout.read(), 20)
    assert await process.wait() == -9
    assert heard in {said, b""}
    assert await booked(caller, key) == times
    assert (await caller.sale()).status == 200
