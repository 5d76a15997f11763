"""A message moves along its table, in Python and in the database alike."""

import itertools

import asyncpg
import pytest

from guilder.intake.states import MOVES, IllegalMove, MessageState, move
from guilder.plumbing.db import Database
from tests.intake.conftest import Mailbox, told

PAIRS = list(itertools.product(MessageState, MessageState))


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_message_moves_only_along_the_table(before: MessageState, after: MessageState) -> None:
    if after in MOVES[before]:
        assert move(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move(before, after)


async def test_the_database_holds_the_same_table(database: Database) -> None:
    async with database.reading() as tx:
        rows = await tx.rows("select before, after from intake.message_move")
    kept = {(row["before"], row["after"]) for row in rows}
    assert kept == {(before.value, after.value) for before in MOVES for after in MOVES[before]}


@pytest.mark.proves("I7")
async def test_the_database_refuses_every_other_move(mailbox: Mailbox) -> None:
    message_id = await mailbox.receive(told("evt_1", mailbox.now))
    await mailbox.apply(message_id)
    assert (await mailbox.row(message_id))["state"] == "processed"
    for after in ("received", "parked", "failed"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="cannot become"):
            async with mailbox.db.transaction() as tx:
                await tx.run(
                    """
                    update intake.message
                       set state = $2, processed_at = null, outcome = null, trouble = 'x'
                     where id = $1
                    """,
                    message_id.value,
                    after,
                )


@pytest.mark.proves("S4-24")
@pytest.mark.parametrize(
    "sql",
    [
        "update intake.message set payload = 'x'",
        "update intake.message set provider_event_id = 'x'",
        "update intake.message set headers = '{}'",
        "update intake.message set is_test = false",
        "delete from intake.message",
        "update intake.message_history set after = 'received'",
        "delete from intake.message_history",
    ],
)
async def test_what_came_is_never_changed_nor_its_history(mailbox: Mailbox, sql: str) -> None:
    await mailbox.apply(await mailbox.receive(told("evt_1", mailbox.now)))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        async with mailbox.db.transaction() as tx:
            await tx.script(sql)


async def test_a_message_without_a_valid_signature_cannot_even_be_inserted(
    mailbox: Mailbox,
) -> None:
    await mailbox.receive(told("evt_1", mailbox.now))
    with pytest.raises(asyncpg.CheckViolationError, match="only_verified_messages_are_kept"):
        async with mailbox.db.transaction() as tx:
            await tx.run(
                """
                insert into intake.message
                       (id, provider, is_test, provider_event_id, topic, is_signature_valid,
                        headers, payload, happened_at, received_at, moved_at, next_try_at)
                select gen_random_uuid(), provider, is_test, 'evt_2', topic, false, headers,
                       payload, happened_at, received_at, moved_at, next_try_at
                  from intake.message
                """
            )
