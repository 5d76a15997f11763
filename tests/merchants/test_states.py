"""The status of a merchant moves as the table says, in Python and in the database alike."""

from itertools import product

import pytest

from guilder.kernel.ids import MerchantId
from guilder.merchants.states import MOVES, IllegalMove, MerchantStatus, move
from guilder.plumbing.db import Database, Tx
from tests.merchants.tree import plant

PAIRS = list(product(MerchantStatus, repeat=2))


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_status_moves_only_as_the_table_says(
    before: MerchantStatus, after: MerchantStatus
) -> None:
    if after in MOVES[before]:
        assert move(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move(before, after)


async def test_the_database_holds_the_same_table(database: Database) -> None:
    async with database.reading() as tx:
        rows = await tx.rows("select before, after from merchants.merchant_move")
    assert {(row["before"], row["after"]) for row in rows} == {
        (before.value, after.value) for before, afters in MOVES.items() for after in afters
    }


@pytest.mark.proves("I7")
@pytest.mark.parametrize(("before", "after"), PAIRS)
async def test_the_database_refuses_other_moves(
    database: Database, before: MerchantStatus, after: MerchantStatus
) -> None:
    merchant_id = (await plant(database)).one.merchant_id
    if before is not MerchantStatus.ACTIVE:
        async with database.transaction() as tx:
            await put(tx, merchant_id, before)
    if after in MOVES[before]:
        async with database.transaction() as tx:
            await put(tx, merchant_id, after)
    else:
        with pytest.raises(Exception, match="cannot become"):
            async with database.transaction() as tx:
                await put(tx, merchant_id, after)


async def put(tx: Tx, merchant_id: MerchantId, status: MerchantStatus) -> None:
    await tx.run(
        "update merchants.merchant set status = $2 where id = $1", merchant_id.value, status
    )


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("delete from merchants.store", "append-only"),
        ("delete from merchants.merchant", "append-only"),
        ("update merchants.merchant set is_test = not is_test", "append-only"),
        ("update merchants.merchant set reseller_id = null", "append-only"),
        ("update merchants.store set merchant_id = gen_random_uuid()", "append-only"),
        ("update merchants.reseller set is_test = false", "append-only"),
        ("update merchants.merchant_history set reason = 'other'", "append-only"),
        ("delete from merchants.merchant_history", "append-only"),
        ("update merchants.merchant set status = 'closed'", "cannot become|known_status"),
        ("update merchants.merchant set country = 'nl'", "country_is_iso_3166"),
    ],
)
@pytest.mark.proves("I9")
async def test_the_database_refuses_what_would_rewrite_history(
    database: Database, sql: str, why: str
) -> None:
    await plant(database)
    with pytest.raises(Exception, match=why):
        async with database.transaction() as tx:
            await tx.script(sql)


@pytest.mark.proves("I8")
async def test_the_wall_stands_in_the_schema(database: Database) -> None:
    tree = await plant(database)
    with pytest.raises(Exception, match="same_side_as_its_reseller"):
        async with database.transaction() as tx:
            await tx.run(
                """
                insert into merchants.merchant
                       (id, is_test, reseller_id, name, country, default_currency, metadata,
                        status, created_at)
                values (gen_random_uuid(), true, $1, 'x', 'NL', 'EUR', '{}', 'active', now())
                """,
                tree.live.reseller_id.value,
            )
