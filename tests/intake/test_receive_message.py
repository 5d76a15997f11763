"""A message is verified, kept once as it came, and only then acknowledged."""

import asyncio

import pytest

from guilder.connectors.psp.contract import ForgedMessage, MalformedMessage, ProviderMessage
from guilder.connectors.psp.registry import UnknownProvider
from guilder.connectors.psp.scripted.connector import HEADER, Scripted
from guilder.intake.actions.receive_message import Inbound
from guilder.kernel.ids import AttemptId
from guilder.kernel.secret import Secret
from tests.intake.conftest import Mailbox, sale_of, told


@pytest.mark.proves("S4-09", "S4-20", "S4-24")
async def test_a_message_is_kept_as_it_came_with_what_it_is_about(mailbox: Mailbox) -> None:
    attempt_id = AttemptId.new()
    message = told("evt_1", mailbox.now, sale_of(attempt_id), topic="payment_intent.succeeded")
    inbound = mailbox.write(message)
    receipt = await mailbox.hand_in(inbound)

    row = await mailbox.row(receipt.message_id)
    assert bytes(row["payload"]) == inbound.raw
    assert (row["provider"], row["is_test"], row["provider_event_id"]) == (
        "scripted",
        True,
        "evt_1",
    )
    assert (row["topic"], row["is_signature_valid"]) == ("payment_intent.succeeded", True)
    assert row["our_ref"] == attempt_id.value
    assert row["payment_ref"] == f"scripted_{attempt_id}"
    assert (row["state"], row["received_at"], row["processed_at"]) == (
        "received",
        mailbox.now,
        None,
    )
    assert row["sequence"] >= 1


@pytest.mark.proves("S13", "I7")
async def test_a_repeat_is_acknowledged_alike_and_kept_once(mailbox: Mailbox) -> None:
    message = told("evt_1", mailbox.now)
    first = await mailbox.hand_in(mailbox.write(message))
    second = await mailbox.hand_in(mailbox.write(message))
    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert first.message_id == second.message_id
    assert await mailbox.count() == 1
    assert await jobs_waiting(mailbox) == 1


async def test_the_same_event_with_other_content_stays_as_it_first_came(mailbox: Mailbox) -> None:
    first = mailbox.write(told("evt_1", mailbox.now, topic="first"))
    await mailbox.hand_in(first)
    receipt = await mailbox.hand_in(mailbox.write(told("evt_1", mailbox.now, topic="second")))
    assert receipt.is_repeat
    assert bytes((await mailbox.row(receipt.message_id))["payload"]) == first.raw


@pytest.mark.proves("S13", "S4-20")
async def test_a_burst_with_repeats_shares_commits_and_keeps_each_event_once(
    mailbox: Mailbox,
) -> None:
    inbound = [mailbox.write(told(f"evt_{n % 160}", mailbox.now)) for n in range(200)]
    receipts = await asyncio.gather(*(mailbox.hand_in(one) for one in inbound))
    assert sum(not receipt.is_repeat for receipt in receipts) == 160
    for n in range(160, 200):
        assert receipts[n].message_id == receipts[n - 160].message_id
    async with mailbox.db.reading() as tx:
        commits = await tx.value("select count(distinct xmin::text) from intake.message")
    assert await mailbox.count() == await jobs_waiting(mailbox) == 160
    assert commits <= 6


@pytest.mark.proves("S15")
async def test_a_forged_message_leaves_no_row(mailbox: Mailbox) -> None:
    good = mailbox.write(told("evt_1", mailbox.now))
    stranger = Scripted(secret=Secret("of somebody else"))
    headers, raw = stranger.write_message(told("evt_1", mailbox.now))
    other = mailbox.write(told("evt_2", mailbox.now))
    forged = [
        Inbound("scripted", {}, good.raw),
        Inbound("scripted", {HEADER: ""}, good.raw),
        Inbound("scripted", headers, raw),
        Inbound("scripted", other.headers, good.raw),
        Inbound("scripted", good.headers, good.raw + b" "),
        Inbound("scripted", good.headers, good.raw.replace(b":", b": ")),
        Inbound("scripted", good.headers, good.raw[:-1]),
        Inbound("scripted", {HEADER: good.headers[HEADER].upper()}, good.raw),
        Inbound("scripted", {HEADER: good.headers[HEADER][:-1]}, good.raw),
        Inbound("scripted", {HEADER: good.headers[HEADER] + "0"}, good.raw),
    ]
    for inbound in forged:
        with pytest.raises(ForgedMessage):
            await mailbox.hand_in(inbound)
    assert await mailbox.count() == 0


async def test_the_secret_that_signed_says_whether_it_is_test_or_live(mailbox: Mailbox) -> None:
    test = await mailbox.receive(told("evt_1", mailbox.now))
    live = await mailbox.receive(told("evt_1", mailbox.now), is_test=False)
    assert test != live
    assert (await mailbox.row(test))["is_test"] is True
    assert (await mailbox.row(live))["is_test"] is False


async def test_a_provider_that_is_not_set_up_is_unknown(mailbox: Mailbox) -> None:
    good = mailbox.write(told("evt_1", mailbox.now))
    with pytest.raises(UnknownProvider):
        await mailbox.hand_in(Inbound("nobody", good.headers, good.raw))
    assert await mailbox.count() == 0


@pytest.mark.proves("S19")
@pytest.mark.parametrize(
    ("event_id", "topic"),
    [("", "t"), ("e", ""), ("e" * 256, "t"), ("e", "t" * 256), ("e\0", "t"), ("e", "\0")],
)
async def test_a_signed_message_without_a_proper_name_is_refused_and_not_kept(
    mailbox: Mailbox, event_id: str, topic: str
) -> None:
    strange = ProviderMessage(event_id, topic, mailbox.now, None)
    good = mailbox.write(told("evt_1", mailbox.now))
    results = await asyncio.gather(
        mailbox.hand_in(mailbox.write(strange)), mailbox.hand_in(good), return_exceptions=True
    )
    assert isinstance(results[0], MalformedMessage)
    assert await mailbox.count() == 1


async def test_a_signed_message_that_cannot_be_read_is_refused(mailbox: Mailbox) -> None:
    raw = b"[" * 50_000
    with pytest.raises(MalformedMessage):
        await mailbox.hand_in(Inbound("scripted", {HEADER: mailbox.world.psp._signature(raw)}, raw))
    assert await mailbox.count() == 0


@pytest.mark.proves("I10")
async def test_secrets_in_headers_are_not_kept(mailbox: Mailbox) -> None:
    good = mailbox.write(told("evt_1", mailbox.now))
    carrying = {**good.headers, "authorization": "Bearer canary", "cookie": "a=canary"}
    receipt = await mailbox.hand_in(Inbound(good.provider, carrying, good.raw))
    row = await mailbox.row(receipt.message_id)
    assert "canary" not in row["headers"]
    assert HEADER in row["headers"]


async def jobs_waiting(mailbox: Mailbox) -> int:
    """How many jobs were deferred for messages."""
    async with mailbox.db.reading() as tx:
        return await tx.value(
            "select count(*) from procrastinate_jobs where task_name = 'intake.apply_message'"
        )
