"""Posting to the book, in the caller's transaction."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import AccountId, EntryId
from guilder.ledger import store
from guilder.ledger.errors import EntryReused, InsufficientFunds
from guilder.ledger.model import Account, AccountName, Entry, Side
from guilder.plumbing.db import Tx


async def post_entries(
    tx: Tx, entries: Sequence[Entry], now: datetime
) -> list[EntryId | Refusal | None]:
    """Post entries in order; call it last in a transaction, because it locks accounts.

    Each slot is the entry's id; None when its source event had been posted before with the same
    postings; or a refusal (`InsufficientFunds`, `EntryReused`), and then nothing of it was posted.
    Accounts that are missing are opened.
    """
    accounts = await _lock(tx, entries, now)
    outcomes: list[EntryId | Refusal | None] = [None] * len(entries)
    allowed: list[Entry] = []
    totals = {
        key: [account.debits_minor, account.credits_minor] for key, account in accounts.items()
    }
    for position, entry in enumerate(entries):
        short = _first_short(entry, accounts, totals)
        if short is not None:
            outcomes[position] = InsufficientFunds(
                f"the entry would take the account {short.id} below zero", param="amount_minor"
            )
            continue
        allowed.append(entry)
        _add(entry, totals)
    fresh = await store.insert_entries(tx, allowed)
    new = [entry for entry in allowed if entry.id.value in fresh]
    if new:
        await store.insert_postings(tx, new)
        await store.add_to_totals(tx, _sums(new))
    for position, entry in enumerate(entries):
        if entry.id.value in fresh:
            outcomes[position] = entry.id
        elif not await store.same_postings(tx, entry):
            outcomes[position] = outcomes[position] or _reused(entry)
        else:
            outcomes[position] = None
    return outcomes


async def post(tx: Tx, entry: Entry, now: datetime) -> EntryId | None:
    """Post one entry; None when it had been posted before. Raises what `post_entries` returns."""
    (outcome,) = await post_entries(tx, [entry], now)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def _lock(tx: Tx, entries: Sequence[Entry], now: datetime) -> dict[AccountId, Account]:
    names: dict[AccountId, AccountName] = {
        posting.account.id: posting.account for entry in entries for posting in entry.postings
    }
    found = await store.lock_accounts(tx, names.keys())
    missing = [name for account_id, name in names.items() if account_id not in found]
    if missing:
        await store.insert_accounts(tx, missing, now)
        found = await store.lock_accounts(tx, names.keys())
    return found


def _first_short(
    entry: Entry, accounts: dict[AccountId, Account], totals: dict[AccountId, list[int]]
) -> Account | None:
    """The first account with a floor that this entry would take below it."""
    after: dict[AccountId, list[int]] = {}
    for posting in entry.postings:
        pair = after.setdefault(posting.account.id, list(totals[posting.account.id]))
        pair[posting.side is Side.CREDIT] += posting.amount.amount_minor
    for account_id, (debits, credits) in after.items():
        account = accounts[account_id]
        balance = debits - credits if account.normal_side is Side.DEBIT else credits - debits
        before = totals[account_id][0] - totals[account_id][1]
        before = before if account.normal_side is Side.DEBIT else -before
        if account.has_floor and balance < 0 and balance < before:
            return account
    return None


def _add(entry: Entry, totals: dict[AccountId, list[int]]) -> None:
    for posting in entry.postings:
        totals[posting.account.id][posting.side is Side.CREDIT] += posting.amount.amount_minor


def _sums(entries: Sequence[Entry]) -> dict[AccountId, tuple[int, int]]:
    sums: defaultdict[AccountId, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        for posting in entry.postings:
            sums[posting.account.id][posting.side is Side.CREDIT] += posting.amount.amount_minor
    return {account_id: (debits, credits) for account_id, (debits, credits) in sums.items()}


def _reused(entry: Entry) -> EntryReused:
    return EntryReused(
        f"{entry.source_system} {entry.source_event_id} was posted before with other postings"
    )
