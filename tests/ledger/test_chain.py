"""The chain: without gaps, in commit order, proved from zero; groups, conditions and repeats."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money
from guilder.ledger.actions.post_entries import post_entries, post_groups
from guilder.ledger.actions.prove_book import prove_book
from guilder.ledger.actions.reserve_months import reserve_months
from guilder.ledger.errors import (
    AccountClosed,
    AccountMissing,
    ConditionFailed,
    CurrencyDiffers,
    EntryReused,
    InsufficientFunds,
    LinkedEntryRefused,
)
from guilder.ledger.model import AccountRef, Condition, Entry, credit, debit, entry
from guilder.ledger.rules.chain import NUMBERS, first_place
from guilder.plumbing.db import Database, Tx
from tests.ledger.test_post import BANK, EUR, NOW, account, paid_in, paid_out

TAMPERS = (
    "update ledger.entry set reason = 'other' where seq = {seq}",
    "update ledger.entry set source_event_id = 'other' where seq = {seq}",
    "update ledger.entry set effective_at = effective_at - interval '1 second' where seq = {seq}",
    "update ledger.entry set recorded_at = recorded_at - interval '1 us' where seq = {seq}",
    "update ledger.entry set hash = sha256('other') where seq = {seq}",
    "update ledger.entry set id = gen_random_uuid() where seq = {seq}",
    "update ledger.posting set amount_minor = amount_minor + 1 where seq = {seq} and line = 0",
    "update ledger.posting set amount_minor = amount_minor + 1 where seq = {seq}",
    "update ledger.posting set is_debit = not is_debit where seq = {seq}",
    "update ledger.posting set debits_after = debits_after + 1 where seq = {seq} and line = 1",
    "update ledger.posting set prior_seq = 7 where seq = {seq} and line = 0",
    "delete from ledger.posting where seq = {seq}",
    "delete from ledger.posting where seq = {seq} and line = 1",
    "delete from ledger.entry where seq = {seq}; delete from ledger.posting where seq = {seq}",
    "delete from ledger.source where seq = {seq}",
)


async def _post(db: Database, *entries: Entry) -> list[EntryId | Refusal | None]:
    async with db.transaction() as tx:
        return await post_entries(tx, entries, NOW)


async def _groups(db: Database, *groups: list[Entry]) -> list[list[EntryId | Refusal | None]]:
    async with db.transaction() as tx:
        return await post_groups(tx, groups, NOW)


async def _places(db: Database) -> list[int]:
    async with db.reading() as tx:
        return [row["seq"] for row in await tx.rows("select seq from ledger.entry order by seq")]


async def _sound(db: Database) -> bool:
    async with db.reading() as tx:
        return (await prove_book(tx)).findings == []


@pytest.mark.proves("S1-27", "I9")
async def test_places_have_no_gaps_whoever_posts_and_whoever_gives_up(database: Database) -> None:
    wallet = account()

    async def work(number: int) -> None:
        async with database.transaction() as tx:
            await post_entries(tx, [paid_in(wallet, 1, f"{number}")], NOW)
            if number % 3 == 0:
                raise ConditionFailed("given up")

    await asyncio.gather(*(work(number) for number in range(60)), return_exceptions=True)
    places = await _places(database)
    assert len(places) == 40
    assert [place % NUMBERS for place in places] == list(range(1, 41))
    assert await _sound(database)


@pytest.mark.proves("S12", "I9", "S4-10")
async def test_fifty_random_tampers_are_each_found_and_named(database: Database) -> None:
    dice = random.Random(20261120)
    wallets = [account(f"w{number}") for number in range(5)]
    await _post(database, *(paid_in(dice.choice(wallets), n + 1, f"{n}") for n in range(60)))
    places = await _places(database)
    for number in range(50):
        statement = TAMPERS[number % len(TAMPERS)]
        seq = dice.choice(places[:-1])
        async with database.reading() as tx:
            entry_id = await tx.value("select id from ledger.entry where seq = $1", seq)
            follower = await tx.value("select id from ledger.entry where seq = $1", seq + 1)
        async with _undone(database) as tx:
            await tx.script(
                "set local session_replication_role = replica; " + statement.format(seq=seq)
            )
            findings = (await prove_book(tx)).findings
        assert findings, f"{statement} at {seq} went unseen"
        told = " ".join(f"{one.subject} {one.sentence}" for one in findings)
        named = {str(EntryId(entry_id)), str(EntryId(follower)), str(seq)}
        assert any(name in told for name in named), f"{statement} at {seq}: {told}"
    assert await _sound(database)


@pytest.mark.proves("S4-23", "S4-27", "I3")
async def test_a_source_posted_last_month_is_not_posted_again_this_month(
    database: Database,
) -> None:
    await _post(database, paid_in(account(), 10, "a"))
    async with database.transaction() as tx:
        await tx.script(
            "set local session_replication_role = replica;"
            "update ledger.source set seq = seq - 1000000000000"
        )
        (outcome,) = await post_entries(tx, [paid_in(account(), 11, "a")], NOW)
    assert isinstance(outcome, EntryReused)


@pytest.mark.proves("S4-27")
async def test_the_months_to_come_have_room(database: Database) -> None:
    later = NOW.replace(year=2031, month=12, day=31)
    await reserve_months(database, later)
    await reserve_months(database, later)
    async with database.reading() as tx:
        rows = await tx.rows(
            "select inhrelid::regclass::text as name from pg_inherits "
            "where inhparent = 'ledger.posting'::regclass"
        )
    assert {f"ledger.posting_{month}" for month in ("203112", "203201", "203202")} <= {
        row["name"] for row in rows
    }


async def test_a_group_is_posted_whole_or_not_at_all(database: Database) -> None:
    wallet = account(floor=0)
    first, second = await _groups(
        database,
        [paid_in(wallet, 100, "a"), paid_out(wallet, 60, "b"), paid_out(wallet, 60, "c")],
        [paid_in(wallet, 50, "d"), paid_out(wallet, 50, "e")],
    )
    assert [type(one) for one in first] == [
        LinkedEntryRefused,
        LinkedEntryRefused,
        InsufficientFunds,
    ]
    assert all(isinstance(one, EntryId) for one in second)
    assert len(await _places(database)) == 2
    (again,) = await _groups(database, [paid_in(wallet, 50, "d"), paid_out(wallet, 50, "e")])
    assert again == [None, None]
    assert await _sound(database)


async def test_conditions_are_judged_where_the_entry_stands(database: Database) -> None:
    wallet = account()
    await _post(database, paid_in(wallet, 100, "in"))
    plenty = Condition(wallet.id, available_at_least_minor=100)
    exact = Condition(wallet.id, expected_version=1)
    outcomes = await _post(
        database,
        replace(paid_out(wallet, 1, "a"), conditions=(plenty, exact)),
        replace(paid_out(wallet, 1, "b"), conditions=(plenty,)),
        replace(paid_out(wallet, 1, "c"), conditions=(exact,)),
        replace(paid_out(wallet, 1, "d"), conditions=(Condition(wallet.id, expected_version=2),)),
    )
    assert [type(one) for one in outcomes] == [EntryId, ConditionFailed, ConditionFailed, EntryId]


async def test_accounts_that_are_missing_frozen_or_in_another_currency_take_nothing(
    database: Database,
) -> None:
    wallet, frozen = account("wallet"), account("frozen")
    await _post(database, paid_in(wallet, 10, "a"), paid_in(frozen, 10, "b"))
    async with database.transaction() as tx:
        await tx.run(
            "update ledger.balance set status = 'frozen' where account_id = $1", frozen.id.value
        )
    yen = Money(5, Currency.of("JPY"))
    lines = [debit(AccountRef(wallet.id), yen), credit(AccountRef(BANK.id), yen)]
    outcomes = await _post(
        database,
        paid_in(frozen, 1, "c"),
        entry(is_test=True, source=("test", "d"), reason="d", at=NOW, lines=lines),
        _to(AccountRef(AccountId.new()), "e"),
        _to(AccountRef(wallet.id), "f"),
    )
    assert [type(one) for one in outcomes] == [
        AccountClosed,
        CurrencyDiffers,
        AccountMissing,
        EntryId,
    ]
    assert await _sound(database)


async def test_a_milestone_stands_at_every_128th_change(database: Database) -> None:
    wallet = account()
    await _post(database, *(paid_in(wallet, 1, f"{n}") for n in range(300)))
    async with database.reading() as tx:
        rows = await tx.rows(
            "select version, seq from ledger.milestone where account_id = $1 order by version",
            wallet.id.value,
        )
    places = await _places(database)
    assert [(row["version"], row["seq"]) for row in rows] == [
        (128, places[127]),
        (256, places[255]),
    ]


def test_places_of_a_month_come_before_those_of_the_next() -> None:
    assert first_place(NOW) == 202611 * NUMBERS
    assert first_place(NOW + timedelta(days=31)) > first_place(NOW) + NUMBERS - 1


def _to(target: AccountRef, source: str) -> Entry:
    one = Money(1, EUR)
    lines = [debit(BANK, one), credit(target, one)]
    return entry(is_test=True, source=("test", source), reason="to", at=NOW, lines=lines)


class _Undo(Exception):  # noqa: N818 - it is no error.
    """Ends a transaction without its work."""


@asynccontextmanager
async def _undone(db: Database) -> AsyncGenerator[Tx]:
    """A transaction whose work is undone."""
    with suppress(_Undo):
        async with db.transaction() as tx:
            yield tx
            raise _Undo
