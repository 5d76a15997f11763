"""The merchants' systems believe only what is signed, over real HTTP."""

import base64
import socket
from collections.abc import AsyncGenerator
from datetime import timedelta

import aiohttp
import pytest

from guilder.kernel.clock import Clock
from guilder.roles.demo.receiver import Receiver
from guilder.webhooks.rules.signature import secret_of, sign

OURS = secret_of(b"k" * 32)
BODY = b'{"type":"payment.captured","timestamp":"2026-11-20T19:00:00Z","data":{}}'


class Told(list[tuple[str, str]]):
    """What the receiver passed on."""

    def hear(self, event: str, topic: str) -> None:
        self.append((event, topic))


@pytest.fixture
async def told() -> Told:
    return Told()


@pytest.fixture
async def receiver(told: Told) -> AsyncGenerator[Receiver]:
    made = Receiver(Clock(), told.hear)
    made.secrets["mer_1"] = [OURS]
    async with made.listening(0):
        yield made


async def post(receiver: Receiver, headers: dict[str, str], body: bytes = BODY) -> int:
    async with aiohttp.ClientSession() as session:
        url = receiver.url("mer_1")
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status


def signed(secret: str = OURS, *, late: timedelta = timedelta(0)) -> dict[str, str]:
    return sign([secret], "evt_1", Clock().now() - late, BODY)


async def test_a_signed_message_is_taken_and_its_repeat_is_counted(
    receiver: Receiver, told: Told
) -> None:
    assert await post(receiver, signed()) == 204
    assert await post(receiver, signed()) == 204
    assert told[0] == ("evt_1", "payment.captured")
    assert (len(receiver.verified), receiver.repeats, receiver.refused) == (1, 1, 0)


@pytest.mark.proves("S15")
async def test_what_is_not_signed_is_refused_and_not_read(receiver: Receiver, told: Told) -> None:
    stranger = secret_of(b"s" * 32)
    assert await post(receiver, {}) == 401
    assert await post(receiver, signed(stranger)) == 401
    assert await post(receiver, signed(), BODY + b" ") == 401
    assert await post(receiver, signed(late=timedelta(minutes=6))) == 401
    forged = {**signed(), "webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()}
    assert await post(receiver, forged) == 401
    assert (told, receiver.refused) == ([], 5)


async def test_a_merchant_that_has_no_secret_yet_asks_to_come_again(receiver: Receiver) -> None:
    receiver.secrets.clear()
    assert await post(receiver, signed()) == 503


async def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        receiver = Receiver(Clock(), lambda _, __: None)
        async with receiver.listening(taken):
            assert receiver.port not in {0, taken}
