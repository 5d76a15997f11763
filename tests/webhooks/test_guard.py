"""No byte reaches a place we do not send to, whatever its URL or its name says by then."""

import asyncio
import socket
from collections.abc import AsyncGenerator

import pytest

from guilder.webhooks.public import Courier, Sender
from guilder.webhooks.states import DeliveryState
from tests.webhooks.conftest import Post
from tests.webhooks.receivers import receiving, saying

LOOPBACK = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.000.000.001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://shop.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@shop.example/",
    "http://127.0.0.1:{port}\\@shop.example/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ｌocalhost:{port}/",
    "http://127.0.0.1:{port}%2f@shop.example/",
    "http://%31%32%37.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_",
    "",
    "http://",
    "//127.0.0.1:{port}/",
]
ELSEWHERE = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://198.51.100.1/",
]


@pytest.fixture
async def careful() -> AsyncGenerator[Sender]:
    """A sender of an installation that is on the internet."""
    sender = await Sender.open(allow_private_receivers=False)
    yield sender
    await sender.close()


@pytest.mark.proves("S18")
async def test_no_way_of_writing_loopback_reaches_a_decoy_there(careful: Sender) -> None:
    async with receiving() as decoy:
        for url in LOOPBACK:
            answer = await careful.post(url.format(port=decoy.port), {}, b"{}")
            assert answer.status is None, url
            assert answer.trouble, url
        assert decoy.connections == 0


@pytest.mark.proves("S18")
@pytest.mark.parametrize("url", ELSEWHERE)
async def test_no_packet_is_sent_to_metadata_or_private_networks(careful: Sender, url: str) -> None:
    answer = await asyncio.wait_for(careful.post(url, {}, b"{}"), timeout=2)
    assert answer.trouble == "the receiver's address is not one we send to"


@pytest.mark.proves("S18")
async def test_even_an_installation_that_allows_private_receivers_never_asks_metadata() -> None:
    sender = await Sender.open(allow_private_receivers=True)
    for url in ("http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0.0.0.0:5432/"):
        answer = await asyncio.wait_for(sender.post(url, {}, b"{}"), timeout=2)
        assert answer.trouble == "the receiver's address is not one we send to"
    await sender.close()


@pytest.mark.proves("S18")
async def test_a_name_that_has_turned_private_is_judged_when_we_connect(
    careful: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name resolves to a public address first and to ours later, as in DNS rebinding."""
    asked: list[str] = []
    real = asyncio.get_running_loop().getaddrinfo

    async def rebinding(host: str, port: int, **options: object) -> object:
        asked.append(host)
        return await real("127.0.0.1", port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding)
    async with receiving() as decoy:
        answer = await careful.post(f"http://shop.example:{decoy.port}/", {}, b"{}")
        assert decoy.connections == 0
    assert asked == ["shop.example"]
    assert answer.trouble == "the receiver's address is not one we send to"


@pytest.mark.proves("S18")
async def test_a_port_of_ours_is_not_connected_to() -> None:
    async with receiving() as decoy:
        sender = await Sender.open(allow_private_receivers=True, ports_refused={decoy.port})
        answer = await sender.post(decoy.url(), {}, b"{}")
        await sender.close()
        assert decoy.connections == 0
    assert answer.trouble == "the receiver's port is not one we send to"


@pytest.mark.proves("S18")
async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("http_proxy", proxy.url(""))
        sender = await Sender.open(allow_private_receivers=True)
        answer = await sender.post(receiver.url(), {}, b"{}")
        await sender.close()
        assert (answer.status, proxy.connections, receiver.connections) == (200, 0, 1)


@pytest.mark.proves("S18", "S17")
async def test_an_endpoint_that_may_not_be_connected_to_fails_like_any_other(
    post: Post, careful: Sender
) -> None:
    courier = Courier(post.db, careful)
    async with receiving(saying(200)) as decoy:
        await post.listen(decoy.url(host="localhost"))
        await post.announce(post.captured())
        assert await courier.send_due(post.clock.now()) == 1
        await courier.finish()
        assert decoy.connections == 0
    delivery = await post.delivery()
    assert delivery.state is DeliveryState.PENDING
    assert delivery.trouble == "the receiver's address is not one we send to"
