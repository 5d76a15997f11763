"""Keys at the door of access: issued, recognised, remembered for seconds, never changed."""

import asyncio

import pytest

from guilder.access import public as access
from guilder.access.actions import KEPT_SECONDS
from guilder.access.commands import create_key
from guilder.access.errors import UnknownScope
from guilder.kernel.clock import Clock
from guilder.kernel.ids import MerchantId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Database
from tests.merchants.tree import Tree, key_for

CLOCK = Clock()


async def test_the_operator_makes_the_first_key_of_either_side(database: Database) -> None:
    for is_test, prefix in ((True, "gk_test_"), (False, "gk_live_")):
        new = access.NewKey(
            owner=Scope(is_test=is_test),
            name="first",
            scopes=frozenset({"keys:write"}),
            created_by=None,
        )
        key, secret = await create_key(database, new, now=CLOCK.now())
        assert secret.reveal().startswith(prefix)
        assert "gk_" not in f"{secret} {secret!r} {key}"
        assert await access.authenticate(database, secret.reveal()) == access.Principal(
            key.id, Scope(is_test=is_test), frozenset({"keys:write"})
        )


async def test_a_scope_that_is_none_makes_no_key(database: Database) -> None:
    new = access.NewKey(
        owner=Scope(is_test=True), name="x", scopes=frozenset({"all"}), created_by=None
    )
    with pytest.raises(UnknownScope):
        await create_key(database, new, now=CLOCK.now())


async def test_a_key_tells_whose_rows_its_holder_may_see(database: Database, tree: Tree) -> None:
    scopes = {
        tree.platform_key: Scope(is_test=True),
        tree.live_platform_key: Scope(is_test=False),
        tree.one.reseller_key: Scope(is_test=True, reseller_id=tree.one.reseller_id),
        tree.one.merchant_key: Scope(is_test=True, merchant_id=tree.one.merchant_id),
        tree.live.merchant_key: Scope(is_test=False, merchant_id=tree.live.merchant_id),
    }
    for key, scope in scopes.items():
        principal = await access.authenticate(database, key)
        assert principal is not None
        assert principal.scope == scope


async def test_a_key_is_remembered_for_five_seconds_at_most() -> None:
    assert KEPT_SECONDS <= 5


async def test_many_who_ask_at_once_share_one_look_up(database: Database, tree: Tree) -> None:
    ring = access.KeyRing(database)
    found = await asyncio.gather(*(ring.authenticate(tree.platform_key) for _ in range(500)))
    assert len({principal.key_id for principal in found if principal}) == 1
    await database.close()
    assert await ring.authenticate(tree.platform_key) == found[0]


async def test_a_caller_who_hangs_up_takes_no_answer_from_the_others(
    database: Database, tree: Tree
) -> None:
    ring = access.KeyRing(database)
    first = asyncio.create_task(ring.authenticate(tree.platform_key))
    second = asyncio.create_task(ring.authenticate(tree.platform_key))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None


@pytest.mark.proves("I8")
async def test_the_wall_stands_in_the_schema(database: Database, tree: Tree) -> None:
    wrong_side = Scope(is_test=False, merchant_id=tree.one.merchant_id)
    for owner in (wrong_side, Scope(is_test=True, merchant_id=MerchantId.new())):
        with pytest.raises(Exception, match="same_side_as_its_tenant"):
            async with database.transaction() as tx:
                await key_for(tx, owner)


@pytest.mark.proves("I9")
@pytest.mark.parametrize(
    "sql",
    [
        "update access.api_key set scopes = '{platform:admin}'",
        "update access.api_key set is_test = not is_test",
        "update access.api_key set tenant_id = null",
        "update access.api_key set digest = sha256('x')",
        "update access.api_key set revoked_at = now(); update access.api_key set revoked_at = null",
        "delete from access.api_key",
        "update access.tenant set reseller_id = null",
        "delete from access.tenant",
    ],
)
async def test_nothing_about_a_key_changes_but_its_one_revocation(
    database: Database, tree: Tree, sql: str
) -> None:
    with pytest.raises(Exception, match="append-only"):
        async with database.transaction() as tx:
            await tx.script(sql)
    assert await access.authenticate(database, tree.platform_key) is not None
