"""What a provider sees when it hands in a message over real HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp
import pytest

from guilder.connectors.psp.scripted.connector import HEADER
from guilder.edge.app import build_app
from guilder.edge.caller import Caller
from guilder.intake.http import IntakeDesk
from tests.intake.conftest import Mailbox, told
from tests.webhooks.serving import serving


@dataclass(slots=True)
class Door:
    """The endpoint over HTTP, and the mailbox behind it."""

    mailbox: Mailbox
    session: aiohttp.ClientSession
    url: str

    async def send(
        self, headers: dict[str, str], raw: bytes, provider: str = "scripted"
    ) -> tuple[int, bytes]:
        async with self.session.post(
            f"{self.url}/v1/webhooks/psp/{provider}", data=raw, headers=headers
        ) as answer:
            return answer.status, await answer.read()

    def letter(self, event_id: str) -> tuple[dict[str, str], bytes]:
        return self.mailbox.world.psp.write_message(told(event_id, self.mailbox.now))


async def nobody(_: str) -> Caller:
    raise AssertionError("an anonymous endpoint asks nobody who is calling")


@pytest.fixture
async def door(mailbox: Mailbox) -> AsyncGenerator[Door]:
    desk = IntakeDesk(mailbox.db, mailbox.providers)
    app = build_app([desk], authenticate=nobody, clock=mailbox.world.clock)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield Door(mailbox, session, url)


@pytest.mark.proves("S4-28", "S4-20", "I4")
async def test_a_message_is_acknowledged_once_it_is_kept_and_a_repeat_alike(door: Door) -> None:
    headers, raw = door.letter("evt_1")
    first = await door.send(headers, raw)
    second = await door.send(headers, raw)
    assert first[0] == 200
    assert b'"object":"inbound_message"' in first[1]
    assert first == second
    assert await door.mailbox.count() == 1


@pytest.mark.proves("S15")
async def test_a_forged_message_is_answered_401_and_leaves_nothing(door: Door) -> None:
    headers, raw = door.letter("evt_1")
    for forged in ({}, {HEADER: "0" * 64}, {HEADER: headers[HEADER] + "0"}):
        status, body = await door.send(forged, raw)
        assert (status, b"invalid_signature" in body) == (401, True)
    status, _ = await door.send(headers, raw + b"\n")
    assert status == 401
    assert await door.mailbox.count() == 0


async def test_an_unknown_provider_is_404_and_a_signed_riddle_400(door: Door) -> None:
    headers, raw = door.letter("evt_1")
    status, body = await door.send(headers, raw, provider="nobody")
    assert (status, b"unknown_provider" in body) == (404, True)
    riddle = b"\xff not json"
    signature = door.mailbox.world.psp._signature(riddle)
    status, body = await door.send({HEADER: signature}, riddle)
    assert (status, b"malformed_message" in body) == (400, True)
    assert await door.mailbox.count() == 0


@pytest.mark.proves("S38")
async def test_a_message_beyond_all_measure_is_refused_before_it_is_read(door: Door) -> None:
    raw = b" " * (300 * 1024)
    status, _ = await door.send({HEADER: door.mailbox.world.psp._signature(raw)}, raw)
    assert status == 413
    assert await door.mailbox.count() == 0


@pytest.mark.proves("S14")
async def test_what_is_not_stored_is_not_acknowledged(door: Door) -> None:
    async with door.mailbox.db.transaction() as tx:
        await tx.run("alter table intake.message add constraint full_disk check (false) not valid")
    headers, raw = door.letter("evt_1")
    status, _ = await door.send(headers, raw)
    assert status == 500
    async with door.mailbox.db.transaction() as tx:
        await tx.run("alter table intake.message drop constraint full_disk")
    status, _ = await door.send(headers, raw)
    assert status == 200
    assert await door.mailbox.count() == 1


@pytest.mark.proves("S13", "S14")
async def test_a_burst_of_four_hundred_is_all_acknowledged_and_all_kept(door: Door) -> None:
    letters = [door.letter(f"evt_{n % 300}") for n in range(400)]
    answers = await asyncio.gather(*(door.send(*letter) for letter in letters))
    assert {status for status, _ in answers} == {200}
    assert await door.mailbox.count() == 300
