"""The tables of moves, in Python and in the database: two guards, one truth."""

import itertools
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, LiteralString

import pytest

from guilder.payments import states
from guilder.payments.states import IllegalMove, PaymentState, move
from guilder.plumbing.db import Database

TABLES: dict[LiteralString, Mapping[Any, frozenset[Any]]] = {
    "select before, after from payments.payment_move": states.MOVES,
    "select before, after from payments.attempt_move": states.ATTEMPT_MOVES,
    "select before, after from payments.refund_move": states.REFUND_MOVES,
}


@pytest.mark.proves("I7")
@pytest.mark.parametrize("pair", list(itertools.product(PaymentState, PaymentState)))
def test_every_pair_of_states_is_a_move_or_is_refused(
    pair: tuple[PaymentState, PaymentState],
) -> None:
    before, after = pair
    if after in states.MOVES[before]:
        assert move(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move(before, after)


@pytest.mark.proves("I7")
def test_no_way_leads_back() -> None:
    for table in TABLES.values():
        for start in table:
            seen: set[StrEnum] = set()
            ahead = [start]
            while ahead:
                for after in table[ahead.pop()]:
                    assert after != start, f"{start} can come back to itself"
                    if after not in seen:
                        seen.add(after)
                        ahead.append(after)


@pytest.mark.parametrize("sql", TABLES)
async def test_the_database_has_the_same_moves(database: Database, sql: LiteralString) -> None:
    async with database.reading() as tx:
        rows = await tx.rows(sql)
    assert {(row["before"], row["after"]) for row in rows} == {
        (before.value, after.value) for before, afters in TABLES[sql].items() for after in afters
    }
