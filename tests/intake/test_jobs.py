"""The worker applies a message by the job that was born with it, and makes up for a lost one."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from guilder.intake import commands
from guilder.intake.errors import MessageNotFound, MessageNotSetAside
from guilder.intake.jobs import jobs
from guilder.intake.rules import TRIES_MAX
from guilder.kernel.ids import AttemptId, InboundId
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.plumbing.jobs import Runner
from tests.intake.conftest import Mailbox, sale_of, told


@pytest.mark.proves("S4-20", "S4-09")
async def test_the_job_of_a_message_applies_it(mailbox: Mailbox, database_url: Secret) -> None:
    ids = [await mailbox.receive(told(f"evt_{n}", mailbox.now)) for n in range(5)]
    runner = Runner(database_url, jobs(mailbox.tools, mailbox.world.clock))
    working = asyncio.create_task(runner.run())
    states: list[str] = []
    for _ in range(200):
        states = [(await mailbox.row(one))["state"] for one in ids]
        if set(states) == {"processed"}:
            break
        await asyncio.sleep(0.05)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    assert states == ["processed"] * 5
    assert [(await mailbox.row(one))["tries"] for one in ids] == [1] * 5


@pytest.mark.proves("S19")
async def test_an_operator_sees_what_was_set_aside_and_drives_it_again(mailbox: Mailbox) -> None:
    stranger = await mailbox.receive(told("evt_1", mailbox.now, sale_of(AttemptId.new())))
    await mailbox.apply(stranger)
    await mailbox.apply_due(after=timedelta(days=1))
    platform = Scope(is_test=True)

    [line] = await commands.show_set_aside(mailbox.db, platform)
    assert str(stranger) in line
    assert "no payment of ours" in line
    below = Scope(is_test=True, merchant_id=mailbox.world.merchant_id)
    assert await commands.show_set_aside(mailbox.db, below) == []
    assert await commands.show_set_aside(mailbox.db, Scope(is_test=False)) == []

    said = await commands.redrive(mailbox.db, message=str(stranger), now=mailbox.now)
    assert said == f"{stranger} is queued again"
    row = await mailbox.row(stranger)
    assert (row["state"], row["tries"]) == ("received", 0)
    assert await commands.redrive_all(mailbox.db, provider=None, now=mailbox.now) == (
        "0 messages are queued again"
    )


async def test_only_a_message_that_was_set_aside_is_driven_again(mailbox: Mailbox) -> None:
    fine = await mailbox.receive(told("evt_1", mailbox.now))
    with pytest.raises(MessageNotSetAside):
        await commands.redrive(mailbox.db, message=str(fine), now=mailbox.now)
    with pytest.raises(MessageNotFound):
        await commands.redrive(mailbox.db, message=str(InboundId.new()), now=mailbox.now)
    assert (await mailbox.row(fine))["tries"] == 0 < TRIES_MAX
