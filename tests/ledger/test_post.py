"""Posting: balanced or not at all, once for each source, never below a floor."""

import asyncio
import random
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import PLATFORM, EntryId, MerchantId
from guilder.kernel.money import Currency, Money
from guilder.kernel.scope import Scope
from guilder.ledger.actions.post_entries import post, post_entries
from guilder.ledger.actions.prove_book import prove_book
from guilder.ledger.errors import EntryReused, InsufficientFunds
from guilder.ledger.model import AccountName, Entry, Side, credit, debit, entry
from guilder.ledger.queries import list_entries_by_source, trial_balance
from guilder.plumbing.db import Database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EUR = Currency.of("EUR")
EVERYWHERE = Scope(is_test=True)


def account(
    purpose: str = "wallet",
    *,
    owner: MerchantId | None = None,
    floor: int | None = None,
    currency: Currency = EUR,
    is_test: bool = True,
) -> AccountName:
    owner_id = owner.value if owner else PLATFORM.value
    return AccountName(is_test, owner_id, purpose, currency, Side.CREDIT, floor)


BANK = AccountName(True, PLATFORM.value, "bank", EUR, Side.DEBIT, None)  # noqa: FBT003


def paid_in(to: AccountName, minor: int, source: str) -> Entry:
    amount = Money(minor, EUR)
    return entry(
        is_test=True,
        source=("test", source),
        reason="paid in",
        at=NOW,
        lines=[debit(BANK, amount), credit(to, amount)],
    )


def paid_out(of: AccountName, minor: int, source: str) -> Entry:
    amount = Money(minor, EUR)
    return entry(
        is_test=True,
        source=("test", source),
        reason="paid out",
        at=NOW,
        lines=[debit(of, amount), credit(BANK, amount)],
    )


async def _post(db: Database, *entries: Entry) -> list[EntryId | Refusal | None]:
    async with db.transaction() as tx:
        return await post_entries(tx, entries, NOW)


async def _balance(db: Database, name: AccountName) -> int:
    async with db.reading() as tx:
        row = await tx.find(
            """
            select credits_minor - debits_minor as balance from ledger.balance where account_id = $1
            """,
            name.id.value,
        )
    return row["balance"] if row else 0


@pytest.mark.proves("S4-10", "S1-08", "I1")
async def test_an_entry_moves_both_totals_and_the_trial_balance_is_zero(database: Database) -> None:
    wallet = account()
    outcome = await _post(database, paid_in(wallet, 10_00, "a"))
    assert isinstance(outcome[0], EntryId)
    assert await _balance(database, wallet) == 10_00
    async with database.reading() as tx:
        (line,) = await trial_balance(tx, EVERYWHERE)
        (posted,) = await list_entries_by_source(tx, EVERYWHERE, "test", ["a"])
        assert (await prove_book(tx)).findings == []
    assert (line.debits_minor, line.credits_minor) == (10_00, 10_00)
    assert {(one.purpose, one.side, one.amount.amount_minor) for one in posted.lines} == {
        ("bank", Side.DEBIT, 10_00),
        ("wallet", Side.CREDIT, 10_00),
    }


@pytest.mark.proves("S4-10", "S4-23", "I3")
async def test_the_same_source_posts_once_and_other_postings_under_it_are_refused(
    database: Database,
) -> None:
    wallet = account()
    await _post(database, paid_in(wallet, 10_00, "a"))
    assert await _post(database, paid_in(wallet, 10_00, "a")) == [None]
    (refused,) = await _post(database, paid_in(wallet, 11_00, "a"))
    assert isinstance(refused, EntryReused)
    same = paid_in(wallet, 1_00, "b")
    first, second = await _post(database, same, paid_in(wallet, 1_00, "b"))
    assert first == same.id
    assert second is None
    assert await _balance(database, wallet) == 11_00


@pytest.mark.proves("I5", "S05")
async def test_an_account_with_a_floor_never_owes(database: Database) -> None:
    wallet = account(floor=0)
    await _post(database, paid_in(wallet, 100, "in"))
    outcomes = await _post(
        database,
        paid_out(wallet, 60, "one"),
        paid_out(wallet, 60, "two"),
        paid_out(wallet, 40, "three"),
    )
    assert [isinstance(outcome, EntryId) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], InsufficientFunds)
    assert await _balance(database, wallet) == 0


@pytest.mark.proves("S05", "I5")
@pytest.mark.parametrize("seed", range(25))
async def test_thirty_two_callers_withdraw_sixty_from_a_hundred_and_one_succeeds(
    database: Database, seed: int
) -> None:
    wallet = account(f"wallet_{seed}", floor=0)
    await _post(database, paid_in(wallet, 100, f"in {seed}"))

    async def withdraw(number: int) -> bool:
        async with database.transaction() as tx:
            try:
                await post(tx, paid_out(wallet, 60, f"{seed} {number}"), NOW)
            except InsufficientFunds:
                return False
        return True

    results = await asyncio.gather(*(withdraw(number) for number in range(32)))
    assert sum(results) == 1
    assert await _balance(database, wallet) == 40


@pytest.mark.proves("S05")
async def test_transfers_both_ways_at_once_do_not_deadlock(database: Database) -> None:
    one, two = account("one"), account("two")

    async def transfer(number: int) -> None:
        ends = (one, two) if number % 2 else (two, one)
        amount = Money(1, EUR)
        lines = [debit(ends[0], amount), credit(ends[1], amount)]
        made = entry(
            is_test=True, source=("test", f"t{number}"), reason="transfer", at=NOW, lines=lines
        )
        async with database.transaction() as tx:
            await post(tx, made, NOW)

    await asyncio.gather(*(transfer(number) for number in range(200)))
    assert await _balance(database, one) == 0
    async with database.reading() as tx:
        assert (await prove_book(tx)).findings == []


@pytest.mark.proves("I1")
def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    wallet, five, six = account(), Money(5, EUR), Money(6, EUR)
    yen = account("yen", currency=Currency.of("JPY"))
    live = account("live", is_test=False)
    for lines in (
        [debit(BANK, five), credit(wallet, six)],
        [debit(BANK, five)],
        [],
        [debit(BANK, five), credit(yen, Money(5, yen.currency))],
        [debit(BANK, five), debit(BANK, five), credit(wallet, Money(10, EUR))],
        [debit(BANK, five), credit(live, five)],
    ):
        with pytest.raises(ValueError, match=r"balance|two lines|wall"):
            entry(is_test=True, source=("test", "x"), reason="x", at=NOW, lines=lines)
    for amount in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            debit(BANK, Money(amount, EUR))


@pytest.mark.proves("I1", "I9", "S12")
@pytest.mark.parametrize(
    "statement",
    [
        "update ledger.entry set reason = 'x'",
        "delete from ledger.entry",
        "truncate ledger.entry cascade",
        "update ledger.posting set amount_minor = amount_minor + 1",
        "delete from ledger.posting",
        "truncate ledger.posting",
        "delete from ledger.source",
        "truncate ledger.source",
        "do $$ begin execute 'truncate ledger.posting_' || to_char(now(), 'YYYYMM'); end $$",
        "update ledger.account set owner_id = gen_random_uuid()",
        "update ledger.balance set debits_minor = debits_minor - 1 where debits_minor > 0",
        "delete from ledger.balance",
        """insert into ledger.posting
           select seq, 9, account_id, true, 5, currency, 5, 5, null
             from ledger.posting where not is_debit""",
    ],
)
async def test_the_database_itself_refuses_to_rewrite_the_book(
    database: Database, statement: str
) -> None:
    await _post(database, paid_in(account(), 10_00, "a"))

    async def rewrite() -> None:
        async with database.transaction() as tx:
            await tx.script(statement)

    with pytest.raises(Exception, match=r"append-only|only grow|does not balance"):
        await rewrite()


@pytest.mark.proves("S12", "I1")
async def test_verify_names_what_was_altered_behind_its_back(database: Database) -> None:
    wallet = account()
    outcome = await _post(database, paid_in(wallet, 10_00, "a"), paid_in(wallet, 5_00, "b"))
    async with database.transaction() as tx:
        await tx.script(
            "set local session_replication_role = replica; "
            "update ledger.posting set amount_minor = amount_minor + 1 "
            "where not is_debit and seq = (select seq from ledger.entry "
            f"where id = '{_uuid(outcome[0])}'); "
            "update ledger.balance set debits_minor = debits_minor + 7 "
            f"where account_id = '{BANK.id.value}'"
        )
    async with database.reading() as tx:
        findings = (await prove_book(tx)).findings
    told = {finding.subject for finding in findings}
    assert told == {str(outcome[0]), str(BANK.id), "test EUR"}
    assert any(str(wallet.id) in finding.sentence for finding in findings)


@pytest.mark.proves("S07", "I1")
async def test_a_thousand_random_entries_agree_with_plain_arithmetic(database: Database) -> None:
    dice = random.Random(20261120)
    names = [account(f"w{number}") for number in range(20)]
    wanted: defaultdict[AccountName, int] = defaultdict(int)
    entries: list[Entry] = []
    for number in range(1000):
        source, target = dice.sample(names, 2)
        parts = [
            part for part in Money(dice.randint(3, 10**9), EUR).split([1, 2]) if part.amount_minor
        ]
        total = Money(sum(part.amount_minor for part in parts), EUR)
        other = dice.choice([name for name in names if name not in (source, target)])
        lines = [debit(source, total), credit(target, parts[0]), credit(other, parts[1])]
        entries.append(
            entry(is_test=True, source=("test", f"r{number}"), reason="r", at=NOW, lines=lines)
        )
        wanted[source] -= total.amount_minor
        wanted[target] += parts[0].amount_minor
        wanted[other] += parts[1].amount_minor
    while entries:
        size = dice.randint(1, 100)
        batch, entries = entries[:size], entries[size:]
        await _post(database, *batch)
    for name in names:
        assert await _balance(database, name) == wanted[name]
    async with database.reading() as tx:
        assert (await prove_book(tx)).findings == []


def _uuid(outcome: EntryId | Refusal | None) -> str:
    assert isinstance(outcome, EntryId)
    return str(outcome.value)
