"""Webhook endpoints and deliveries as a merchant's program sees them, over real HTTP."""

import base64
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from guilder.edge.app import build_app
from guilder.edge.caller import Caller
from guilder.edge.errors import Unauthenticated
from guilder.kernel.ids import ApiKeyId, DeliveryId, EndpointId, EventId
from guilder.kernel.scope import Scope
from guilder.webhooks.http import WebhooksDesk
from tests.webhooks.conftest import Post
from tests.webhooks.receivers import Receiver, receiving, saying
from tests.webhooks.serving import serving

BOTH = frozenset({"webhooks:read", "webhooks:write"})


@dataclass(slots=True)
class Program:
    """A caller of the API; `as_` says with whose key."""

    post: Post
    url: str
    session: aiohttp.ClientSession
    callers: dict[str, Caller]
    keys: int = 0
    answers: list[tuple[str, int]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: object = None, *, as_: str = "own", key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """One request; a fresh idempotency key unless one is given."""
        self.keys += 1
        headers = {"authorization": f"Bearer {as_}"}
        if method == "POST":
            headers["idempotency-key"] = key or f"key-{self.keys}"
        async with self.session.request(
            method, self.url + path, json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    async def listen(self, url: str, *, as_: str = "own") -> dict[str, Any]:
        """Create an endpoint for everything."""
        body = {"url": url, "topics": ["*"]}
        status, made = await self.ask("POST", "/v1/webhook-endpoints", body, as_=as_)
        assert status == 201, made
        await self.post.forget_news()
        return made


@pytest.fixture
async def program(post: Post) -> AsyncGenerator[Program]:
    merchant_id, other = post.merchant_id, await post.merchant()
    scopes = {
        "own": Scope(is_test=True, merchant_id=merchant_id),
        "other": Scope(is_test=True, merchant_id=other),
        "live": Scope(is_test=False, merchant_id=merchant_id),
        "platform": Scope(is_test=True),
    }
    callers = {name: Caller(ApiKeyId.new(), scope, BOTH) for name, scope in scopes.items()}
    callers["reader"] = Caller(ApiKeyId.new(), scopes["own"], frozenset({"webhooks:read"}))
    callers["stranger"] = Caller(ApiKeyId.new(), scopes["own"], frozenset({"payments:write"}))

    async def authenticate(presented: str) -> Caller:
        if presented not in callers:
            raise Unauthenticated("unknown")
        return callers[presented]

    desk = WebhooksDesk(post.db, allow_private_receivers=True)
    app = build_app([desk], authenticate=authenticate, clock=post.clock)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield Program(post, url, session, callers)


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(program: Program) -> None:
    url = "http://127.0.0.1:9/?canary=7"
    body = {"url": url, "topics": ["payment.captured"], "description": "shop"}
    status, made = await program.ask("POST", "/v1/webhook-endpoints", body, key="same")
    assert status == 201
    assert base64.b64decode(made["secret"].removeprefix("whsec_"), validate=True)
    assert (made["object"], made["livemode"], made["state"]) == (
        "webhook_endpoint",
        False,
        "enabled",
    )
    assert (made["topics"], made["description"]) == (["payment.captured"], "shop")
    assert (made["merchant_id"], made["url"]) == (str(program.post.merchant_id), url)

    status, again = await program.ask("POST", "/v1/webhook-endpoints", body, key="same")
    assert (status, again) == (201, {**made, "secret": None})
    status, shown = await program.ask("GET", f"/v1/webhook-endpoints/{made['id']}")
    assert (status, shown["secret"]) == (200, None)
    status, listed = await program.ask("GET", "/v1/webhook-endpoints")
    assert [one["secret"] for one in listed["data"]] == [None]
    async with program.post.db.reading() as tx:
        kept = await tx.value("select convert_from(body, 'utf8') from plumbing.idempotency_key")
        news = await tx.value("select string_agg(payload::text, ' ') from plumbing.outbox")
    assert made["secret"] not in kept
    assert made["secret"] not in news
    assert "canary" not in news


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"url": "ftp://shop.example/"}, "webhook_url_refused", "url"),
        ({"url": "http://user@shop.example/"}, "webhook_url_refused", "url"),
        ({"url": "http://169.254.169.254/"}, "webhook_url_refused", "url"),
        ({"url": ""}, "field_invalid", "url"),
        ({"url": 7}, "field_invalid", "url"),
        ({"topics": []}, "field_invalid", "topics"),
        ({"topics": ["payment.nonsense"]}, "webhook_topics_refused", "topics"),
        ({"topics": "*"}, "field_invalid", "topics"),
        ({"secret": "mine"}, "field_unknown", "secret"),
        ({"merchant_id": "mer_x"}, "malformed_id", "merchant_id"),
    ],
)
async def test_a_wrong_wish_is_refused_naming_the_field(
    program: Program, change: dict[str, object], code: str, param: str
) -> None:
    body = {"url": "http://127.0.0.1:9/", "topics": ["*"], **change}
    status, problem = await program.ask("POST", "/v1/webhook-endpoints", body)
    assert (status, problem["error_code"], problem["param"]) == (422, code, param)
    _, listed = await program.ask("GET", "/v1/webhook-endpoints")
    assert listed["data"] == []


async def test_live_mode_takes_https_only(program: Program) -> None:
    live = await program.post.merchant(is_test=False)
    program.callers["live"] = Caller(ApiKeyId.new(), Scope(is_test=False, merchant_id=live), BOTH)
    body = {"url": "http://shop.example/", "topics": ["*"]}
    status, problem = await program.ask("POST", "/v1/webhook-endpoints", body, as_="live")
    assert (status, problem["error_code"]) == (422, "webhook_url_refused")
    body["url"] = "https://shop.example/"
    status, made = await program.ask("POST", "/v1/webhook-endpoints", body, as_="live")
    assert (status, made["livemode"]) == (201, True)


async def test_a_platform_key_says_whose_endpoint_it_is(program: Program) -> None:
    body: dict[str, object] = {"url": "http://127.0.0.1:9/", "topics": ["*"]}
    status, problem = await program.ask("POST", "/v1/webhook-endpoints", body, as_="platform")
    assert (status, problem["param"]) == (422, "merchant_id")
    body["merchant_id"] = str(program.post.merchant_id)
    status, _ = await program.ask("POST", "/v1/webhook-endpoints", body, as_="platform")
    assert status == 201
    status, problem = await program.ask("POST", "/v1/webhook-endpoints", body, as_="other")
    assert (status, problem["error_code"]) == (404, "merchant_not_found")


async def test_a_merchant_has_at_most_fifty_endpoints(program: Program) -> None:
    for _ in range(50):
        await program.post.listen("http://127.0.0.1:9/")
    body = {"url": "http://127.0.0.1:9/", "topics": ["*"]}
    status, problem = await program.ask("POST", "/v1/webhook-endpoints", body)
    assert (status, problem["error_code"]) == (409, "too_many_webhook_endpoints")
    status, _ = await program.ask("POST", "/v1/webhook-endpoints", body, as_="other")
    assert status == 201


async def test_lists_go_page_by_page_newest_first(program: Program) -> None:
    made = [(await program.listen("http://127.0.0.1:9/"))["id"] for _ in range(5)][::-1]
    _, first = await program.ask("GET", "/v1/webhook-endpoints?limit=2")
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:2], True)
    _, rest = await program.ask("GET", f"/v1/webhook-endpoints?limit=5&starting_after={made[1]}")
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (made[2:], False)
    _, back = await program.ask("GET", f"/v1/webhook-endpoints?limit=2&ending_before={made[3]}")
    assert ([one["id"] for one in back["data"]], back["has_more"]) == (made[1:3], True)


@pytest.mark.proves("S46", "S15")
async def test_after_a_rotation_both_secrets_sign_for_a_day(
    program: Program, receiver: Receiver
) -> None:
    made = await program.listen(receiver.url())
    status, rotated = await program.ask(
        "POST", f"/v1/webhook-endpoints/{made['id']}/rotate-secret", key="rotate"
    )
    assert status == 200
    assert rotated["secret"] not in {None, made["secret"]}
    assert rotated["former_secret_until"] is not None
    status, again = await program.ask(
        "POST", f"/v1/webhook-endpoints/{made['id']}/rotate-secret", key="rotate"
    )
    assert again == {**rotated, "secret": None}, "a repeat rotates nothing"

    post = program.post
    await post.forget_news()
    await post.announce(post.captured())
    await post.send()
    during = receiver.requests[-1]
    assert during.is_signed_with(made["secret"], post.clock)
    assert during.is_signed_with(rotated["secret"], post.clock)
    assert during.headers["webhook-signature"].count("v1,") == 2

    post.clock.move(timedelta(hours=24, seconds=1))
    await post.announce(post.captured())
    await post.send()
    after = receiver.requests[-1]
    assert not after.is_signed_with(made["secret"], post.clock)
    assert after.is_signed_with(rotated["secret"], post.clock)


@pytest.mark.proves("S17", "S19")
async def test_a_disabled_endpoint_is_enabled_and_its_dead_letters_sent_again(
    program: Program, receiver: Receiver
) -> None:
    post = program.post
    receiver.behave = saying(410)
    made = await program.listen(receiver.url())
    [event_id] = await post.announce(post.captured())
    await post.send()
    _, shown = await program.ask("GET", f"/v1/webhook-endpoints/{made['id']}")
    assert (shown["state"], "410" in shown["reason"]) == ("disabled", True)
    _, listed = await program.ask("GET", "/v1/webhook-deliveries?state=failed")
    [delivery] = listed["data"]
    assert (delivery["event_id"], delivery["log"]) == (str(event_id), None)

    resend = f"/v1/webhook-deliveries/{delivery['id']}/resend"
    status, problem = await program.ask("POST", resend)
    assert (status, problem["error_code"]) == (409, "webhook_endpoint_not_enabled")

    receiver.behave = None
    status, enabled = await program.ask("POST", f"/v1/webhook-endpoints/{made['id']}/enable")
    assert (status, enabled["state"], enabled["reason"]) == (200, "enabled", None)
    assert await post.topics() == ["webhook_endpoint.disabled", "webhook_endpoint.enabled"]
    await post.forget_news()
    status, resent = await program.ask("POST", resend, key="again")
    assert (status, resent["state"]) == (200, "pending")
    await program.ask("POST", resend, key="again")
    assert await post.send() == 1

    status, shown = await program.ask("GET", f"/v1/webhook-deliveries/{delivery['id']}")
    assert (shown["state"], shown["tries"], shown["last_status"]) == ("delivered", 2, 200)
    assert [(one["number"], one["status"]) for one in shown["log"]] == [(1, 410), (2, 200)]
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(event_id)
    assert first.body == second.body


async def test_what_was_delivered_can_be_sent_once_more(
    program: Program, receiver: Receiver
) -> None:
    post = program.post
    await program.listen(receiver.url())
    await post.announce(post.captured())
    await post.send()
    delivery = await post.delivery()
    await program.ask("POST", f"/v1/webhook-deliveries/{delivery.id}/resend")
    assert await post.send() == 1
    assert len(receiver.requests) == 2
    async with post.db.reading() as tx:
        rows = await tx.rows(
            "select before, after from webhooks.delivery_history order by position"
        )
    assert [(row["before"], row["after"]) for row in rows] == [
        ("pending", "delivered"),
        ("delivered", "pending"),
        ("pending", "delivered"),
    ]


async def test_a_deleted_endpoint_is_gone_with_its_secret_and_leaves_its_log(
    program: Program, receiver: Receiver
) -> None:
    post = program.post
    receiver.behave = saying(500)
    made = await program.listen(receiver.url())
    path = f"/v1/webhook-endpoints/{made['id']}"
    await post.announce(post.captured())
    await post.send()
    for _ in range(2):
        status, deleted = await program.ask("DELETE", path)
        assert (status, deleted["state"]) == (200, "deleted")
    assert (await program.ask("GET", path))[0] == 404
    for verb in ("enable", "rotate-secret"):
        assert (await program.ask("POST", f"{path}/{verb}"))[0] == 404
    row = await post.endpoint(EndpointId.parse(made["id"]))
    assert (row["secret"], row["former_secret"]) == (None, None)

    _, listed = await program.ask("GET", f"/v1/webhook-deliveries?endpoint_id={made['id']}")
    assert [one["state"] for one in listed["data"]] == ["failed"]
    assert await post.send(after=timedelta(days=1)) == 0
    assert len(receiver.requests) == 1
    async with post.db.reading() as tx:
        rows = await tx.rows("select after, moved_by from webhooks.endpoint_history")
    key_id = str(program.callers["own"].key_id)
    assert [(row["after"], row["moved_by"]) for row in rows] == [("deleted", key_id)]


async def test_deliveries_are_found_by_event_and_state(
    program: Program, receiver: Receiver
) -> None:
    post = program.post
    await program.listen(receiver.url())
    first, second = await post.announce(post.captured(), post.captured())
    await post.send()
    _, by_event = await program.ask("GET", f"/v1/webhook-deliveries?event_id={second}")
    assert [one["event_id"] for one in by_event["data"]] == [str(second)]
    _, pending = await program.ask("GET", "/v1/webhook-deliveries?state=pending")
    assert pending["data"] == []
    _, all_of_them = await program.ask("GET", "/v1/webhook-deliveries?state=delivered")
    assert [one["event_id"] for one in all_of_them["data"]] == [str(second), str(first)]
    status, problem = await program.ask("GET", "/v1/webhook-deliveries?state=lost")
    assert (status, problem["param"]) == (422, "state")


@pytest.mark.proves("I8", "S42")
async def test_nobody_reaches_anothers_endpoints_or_deliveries(
    program: Program, receiver: Receiver
) -> None:
    post = program.post
    made = await program.listen(receiver.url())
    await post.announce(post.captured())
    await post.send()
    delivery = await post.delivery()
    endpoint, sent = f"/v1/webhook-endpoints/{made['id']}", f"/v1/webhook-deliveries/{delivery.id}"
    asked = [
        ("GET", endpoint),
        ("DELETE", endpoint),
        ("POST", f"{endpoint}/rotate-secret"),
        ("POST", f"{endpoint}/enable"),
        ("GET", sent),
        ("POST", f"{sent}/resend"),
    ]
    nothing = {
        str(EndpointId.new()): made["id"],
        str(DeliveryId.new()): str(delivery.id),
    }
    for as_ in ("other", "live"):
        for method, path in asked:
            status, problem = await program.ask(method, path, as_=as_)
            assert status == 404, (as_, method, path)
            for unknown, known in nothing.items():
                if known in path:
                    elsewhere = await program.ask(method, path.replace(known, unknown), as_=as_)
                    assert elsewhere[0] == 404
                    assert elsewhere[1]["detail"].replace(unknown, known) == problem["detail"]
        for path in ("/v1/webhook-endpoints", "/v1/webhook-deliveries"):
            _, listed = await program.ask("GET", path, as_=as_)
            assert listed["data"] == []
        _, listed = await program.ask(
            "GET", f"/v1/webhook-deliveries?event_id={delivery.event_id}", as_=as_
        )
        assert listed["data"] == []
    row = await post.endpoint(EndpointId.parse(made["id"]))
    assert (row["state"], row["version"]) == ("enabled", 1)
    assert len(receiver.requests) == 1


@pytest.mark.proves("S42")
async def test_each_endpoint_wants_its_scope(program: Program) -> None:
    endpoint = f"/v1/webhook-endpoints/{EndpointId.new()}"
    delivery = f"/v1/webhook-deliveries/{DeliveryId.new()}"
    reads = [
        ("GET", "/v1/webhook-endpoints"),
        ("GET", endpoint),
        ("GET", "/v1/webhook-deliveries"),
        ("GET", f"/v1/webhook-deliveries?event_id={EventId.new()}"),
        ("GET", delivery),
    ]
    writes = [
        ("POST", "/v1/webhook-endpoints"),
        ("DELETE", endpoint),
        ("POST", f"{endpoint}/rotate-secret"),
        ("POST", f"{endpoint}/enable"),
        ("POST", f"{delivery}/resend"),
    ]
    for method, path in reads + writes:
        assert (await program.ask(method, path, as_="nobody"))[0] == 401, path
        assert (await program.ask(method, path, as_="stranger"))[0] == 403, path
    for method, path in writes:
        assert (await program.ask(method, path, as_="reader"))[0] == 403, path
    for method, path in reads:
        assert (await program.ask(method, path, as_="reader"))[0] in {200, 404}, path
