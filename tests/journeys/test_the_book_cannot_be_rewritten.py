"""S12: the application's own role cannot rewrite the book, and what a superuser forges is found."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest

from guilder.kernel.ids import AccountId, EntryId, PaymentId
from guilder.plumbing.postgres.cluster import find_running
from guilder.roles.parts import DATABASE, embedded_url
from tests.journeys.caller import Caller
from tests.journeys.solo import Solo, running_solo

pytestmark = pytest.mark.xdist_group("journeys: tampering")

APPEND_ONLY = {
    "ledger.entry": "reason = 'nothing'",
    "ledger.posting": "amount_minor = amount_minor + 1",
    "payments.history": "what = 'nothing'",
    "plumbing.outbox": "payload = '{}'",
}
NEVER_GONE = ("payments.payment", "payments.attempt", "payments.refund", "ledger.account")
PROGRESS = ["state", "tries", "trouble", "next_try_at", "published_at"]
REFUSED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.FeatureNotSupportedError,  # A table that others refer to is not truncated alone.
)


@dataclass(frozen=True, slots=True)
class Forgery:
    """What a superuser does behind all triggers, how it is undone, and what `verify` must say."""

    id: str
    done: str
    undone: str
    found: tuple[str, ...]  # The invariants under which the forged row is named.
    row: str  # A statement whose only value is the id of that row, or the word that names it.


ACCOUNT = "(select id from ledger.account where purpose = 'merchant_payable' limit 1)"
CLEARING = "(select id from ledger.account where purpose = 'psp_clearing:stripe' limit 1)"
SEQ = "(select seq from ledger.posting where not is_debit order by seq limit 1)"
ENTRY = f"(select id from ledger.entry where seq = {SEQ})"
PAYMENT = "(select id from payments.payment where state = 'captured' order by id limit 1)"
REFUNDED = "(select id from payments.payment where state = 'refunded' order by id limit 1)"
LINE = f"(select max(position) from payments.history where payment_id = {PAYMENT})"
FORGED = "'01890000-0000-7000-8000-000000000001'"
FORGED_SEQ = "((select seq from ledger.chain) + 1)"
FORGE = (
    "insert into ledger.source values ('payments', 'forged', " + FORGED_SEQ + ");"
    " insert into ledger.entry (seq, id, is_test, source_system, source_event_id, reason,"
    f" effective_at, recorded_at, hash) values ({FORGED_SEQ}, {FORGED}, true, 'payments', 'forged',"
    " 'payment captured', now(), now(), sha256('forged'))"
)
UNFORGE = (
    f"delete from ledger.posting where seq = {FORGED_SEQ};"
    f" delete from ledger.entry where id = {FORGED};"
    " delete from ledger.source where source_event_id = 'forged'"
)


def _posting(account: str, side: str) -> str:
    line, is_debit = (1, "false") if side == "credit" else (0, "true")
    values = f"{FORGED_SEQ}, {line}, {account}, {is_debit}, 700, 'EUR', 700, 700, null"
    return f"; insert into ledger.posting values ({values})"


def _totals(account: str, change: str, *sides: str) -> str:
    changed = ", ".join(f"{side}_minor = {side}_minor {change}" for side in sides)
    return f"; update ledger.balance set {changed} where account_id = {account}"


def _amount(change: str) -> str:
    where = f"not is_debit and seq = {SEQ}"
    return f"update ledger.posting set amount_minor = amount_minor {change} where {where}"


def _ending(state: str) -> str:
    facts = f'facts || \'{{"after": "{state}"}}\''
    return f"update payments.history set facts = {facts} where position = {LINE}"


FORGERIES = (
    Forgery(
        "an entry with one side",
        FORGE + _posting(ACCOUNT, "credit") + _totals(ACCOUNT, "+ 700", "credits"),
        UNFORGE + _totals(ACCOUNT, "- 700", "credits"),
        ("I1", "I9"),
        f"select {FORGED}::uuid",
    ),
    Forgery("an entry with no postings", FORGE, UNFORGE, ("I1", "I9"), f"select {FORGED}::uuid"),
    Forgery(
        "an entry that balances and that nobody asked for",
        f"{FORGE}{_posting(ACCOUNT, 'credit')}{_posting(CLEARING, 'debit')}"
        f"{_totals(ACCOUNT, '+ 700', 'credits')}{_totals(CLEARING, '+ 700', 'debits')}",
        f"{UNFORGE}{_totals(ACCOUNT, '- 700', 'credits')}{_totals(CLEARING, '- 700', 'debits')}",
        ("I3",),
        "payments",
    ),
    Forgery(
        "a posting with a larger amount",
        _amount("+ 1"),
        _amount("- 1"),
        ("I1", "I9"),
        f"select {ENTRY}",
    ),
    Forgery(
        "a larger total",
        _totals(ACCOUNT, "+ 1", "credits"),
        _totals(ACCOUNT, "- 1", "credits"),
        ("I1",),
        f"select {ACCOUNT}",
    ),
    Forgery(
        "the totals of both sides",
        _totals(ACCOUNT, "+ 7", "credits", "debits"),
        _totals(ACCOUNT, "- 7", "credits", "debits"),
        ("I1",),
        f"select {ACCOUNT}",
    ),
    Forgery(
        "a payment that says it was refunded",
        "update payments.payment set state = 'refunded', refunded_minor = captured_minor"
        f" where id = {PAYMENT}",
        f"update payments.payment set state = 'captured', refunded_minor = 0 where id = {REFUNDED}",
        ("I6", "I7"),
        f"select {REFUNDED}",
    ),
    Forgery(
        "a history with another end",
        _ending("authorized"),
        _ending("captured"),
        ("I7",),
        f"select {PAYMENT}",
    ),
)


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform of its own, whose book may be spoiled."""
    with running_solo(tmp_path_factory.mktemp("tampering") / "home") as running:
        yield running


@pytest.fixture
async def role(solo: Solo) -> AsyncGenerator[asyncpg.Connection]:
    """A session of the role that the application uses."""
    connection = await asyncpg.connect(embedded_url(solo.home).reveal())
    yield connection
    await connection.close()


@pytest.fixture
async def superuser(solo: Solo) -> AsyncGenerator[asyncpg.Connection]:
    """A session of the superuser in the application's database, with every trigger off."""
    cluster = find_running(solo.home)
    assert cluster is not None
    url = replace(cluster, database=DATABASE).url()
    connection = await asyncpg.connect(url.reveal())
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
async def _trade(caller: Caller) -> None:
    """Something to rewrite: a payment that stays as it is, and one with a refund."""
    assert (await caller.pay(10_00)).status == 201
    paid = (await caller.pay(20_00)).json
    path = f"/v1/payments/{paid['id']}/refund"
    assert (await caller.post(path, {"amount_minor": 5_00})).status == 201


@pytest.mark.proves("S12", "I9")
@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_what_was_written_stays_written(role: Any, table: str) -> None:
    before = await _contents(role, table)
    assert before
    changes = (
        f"update {table} set {APPEND_ONLY[table]}",
        f"delete from {table}",
        f"truncate {table}",
        f"truncate {table} cascade",
    )
    taken = [change for change in changes if not await _is_refused(role, change)]
    assert taken == []
    assert await _contents(role, table) == before


@pytest.mark.proves("S12", "I9")
@pytest.mark.parametrize("table", NEVER_GONE)
async def test_what_is_there_is_never_gone(role: Any, table: str) -> None:
    before = await _contents(role, table)
    assert before
    changes = (f"delete from {table}", f"truncate {table}", f"truncate {table} cascade")
    taken = [change for change in changes if not await _is_refused(role, change)]
    assert taken == []
    assert await _contents(role, table) == before


@pytest.mark.proves("S12", "I9")
async def test_the_application_cannot_turn_the_triggers_off(role: Any) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await role.execute("set session_replication_role = replica")


@pytest.mark.proves("S12", "I1", "I6", "I7", "I9")
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.id)
async def test_a_forgery_is_found_and_named(superuser: Any, solo: Solo, forgery: Forgery) -> None:
    assert await asyncio.to_thread(solo.verify) == (0, [])
    await superuser.execute(forgery.done)
    try:
        named = await _names_of(superuser, forgery)
        status, findings = await asyncio.to_thread(solo.verify)
    finally:
        await superuser.execute(forgery.undone)
    found = tuple(one["invariant"] for one in findings if one["subject"] in named)
    assert (status, found) == (1, forgery.found), findings
    assert all(one["sentence"] for one in findings)
    assert await asyncio.to_thread(solo.verify) == (0, [])


async def _names_of(superuser: Any, forgery: Forgery) -> set[str]:
    """The forged row's public id, whichever kind it is of."""
    if not forgery.row.startswith("select"):
        return {forgery.row}
    forged = await superuser.fetchval(forgery.row)
    return {str(kind(forged)) for kind in (EntryId, AccountId, PaymentId)}


async def _is_refused(role: Any, statement: str) -> bool:
    """Whether the database refuses; a statement that is not refused is undone.

    A truncation needs the table for itself, so it may have to try again while others work.
    """
    for _ in range(10):
        transaction = role.transaction()
        await transaction.start()
        try:
            await role.execute(statement)
        except REFUSED:
            return True
        except asyncpg.DeadlockDetectedError:
            continue
        finally:
            await transaction.rollback()
        return False
    raise AssertionError(f"{statement!r} never got so far")


async def _contents(role: Any, table: str) -> list[str]:
    """All rows of a table, but for how far each has come."""
    asked = f"select (to_jsonb(one) - $1::text[])::text from {table} as one order by 1"
    return [row[0] for row in await role.fetch(asked, PROGRESS)]
