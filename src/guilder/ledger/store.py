"""SQL that changes the book. Everything takes many and keeps their order."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from guilder.kernel.ids import AccountId
from guilder.kernel.money import Currency
from guilder.ledger.model import Account, AccountName, Entry, Side
from guilder.plumbing.db import Row, Tx


async def lock_accounts(tx: Tx, ids: Collection[AccountId]) -> dict[AccountId, Account]:
    """The accounts that exist among these, locked in the order of their ids."""
    rows = await tx.rows(
        """
        select id, is_test, owner_id, purpose, currency, normal_side, has_floor, debits_minor,
               credits_minor, created_at
          from ledger.account
         where id = any($1::uuid[])
         order by id
           for no key update
        """,
        [account_id.value for account_id in ids],
    )
    return {AccountId(row["id"]): account_of(row) for row in rows}


async def insert_accounts(tx: Tx, names: Sequence[AccountName], now: datetime) -> None:
    """Open accounts that do not exist yet; one that someone else opened meanwhile stays."""
    ordered = sorted(names, key=lambda name: name.id)
    await tx.run(
        """
        insert into ledger.account
               (id, is_test, owner_id, purpose, currency, normal_side, has_floor, created_at)
        select given.*, $8::timestamptz
          from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                      $7::bool[]) as given
        on conflict do nothing
        """,
        [name.id.value for name in ordered],
        [name.is_test for name in ordered],
        [name.owner_id for name in ordered],
        [name.purpose for name in ordered],
        [name.currency.code for name in ordered],
        [name.normal_side.value for name in ordered],
        [name.has_floor for name in ordered],
        now,
    )


async def insert_entries(tx: Tx, entries: Sequence[Entry]) -> set[UUID]:
    """Insert entries whose source event is new; returns the ids of those that were.

    Their postings must follow in this transaction. Entries go in the order of their source, so
    that two transactions with the same sources cannot wait on each other.
    """
    ordered = sorted(entries, key=lambda entry: (entry.source_system, entry.source_event_id))
    rows = await tx.rows(
        """
        insert into ledger.entry
               (id, is_test, source_system, source_event_id, reason, corrects_id, effective_at)
        select * from unnest($1::uuid[], $2::bool[], $3::text[], $4::text[], $5::text[],
                             $6::uuid[], $7::timestamptz[])
        on conflict (source_system, source_event_id) do nothing
        returning id
        """,
        [entry.id.value for entry in ordered],
        [entry.is_test for entry in ordered],
        [entry.source_system for entry in ordered],
        [entry.source_event_id for entry in ordered],
        [entry.reason for entry in ordered],
        [entry.corrects_id.value if entry.corrects_id else None for entry in ordered],
        [entry.effective_at for entry in ordered],
    )
    return {row["id"] for row in rows}


async def insert_postings(tx: Tx, entries: Sequence[Entry]) -> None:
    """Insert all postings of these entries in one statement; the database checks the balance."""
    lines = [(entry, posting) for entry in entries for posting in entry.postings]
    await tx.run(
        """
        insert into ledger.posting (entry_id, account_id, side, amount_minor, currency)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[])
        """,
        [entry.id.value for entry, _ in lines],
        [posting.account.id.value for _, posting in lines],
        [posting.side.value for _, posting in lines],
        [posting.amount.amount_minor for _, posting in lines],
        [posting.amount.currency.code for _, posting in lines],
    )


async def add_to_totals(tx: Tx, sums: dict[AccountId, tuple[int, int]]) -> None:
    """Add (debits, credits) in minor units to locked accounts, each row once."""
    ids = sorted(sums)
    await tx.run(
        """
        update ledger.account
           set debits_minor = debits_minor + given.debits,
               credits_minor = credits_minor + given.credits
          from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as given (id, debits, credits)
         where account.id = given.id
        """,
        [account_id.value for account_id in ids],
        [sums[account_id][0] for account_id in ids],
        [sums[account_id][1] for account_id in ids],
    )


async def same_postings(tx: Tx, entry: Entry) -> bool:
    """Whether the entry kept under this entry's source event has the same postings."""
    rows = await tx.rows(
        """
        select account_id, side, amount_minor
          from ledger.posting
          join ledger.entry on entry.id = posting.entry_id
         where source_system = $1
           and source_event_id = $2
        """,
        entry.source_system,
        entry.source_event_id,
    )
    kept = {(row["account_id"], row["side"], row["amount_minor"]) for row in rows}
    asked = {
        (posting.account.id.value, posting.side.value, posting.amount.amount_minor)
        for posting in entry.postings
    }
    return kept == asked


def account_of(row: Row) -> Account:
    """An account from its row."""
    return Account(
        id=AccountId(row["id"]),
        is_test=row["is_test"],
        owner_id=row["owner_id"],
        purpose=row["purpose"],
        currency=Currency.of(row["currency"]),
        normal_side=Side(row["normal_side"]),
        has_floor=row["has_floor"],
        debits_minor=row["debits_minor"],
        credits_minor=row["credits_minor"],
        created_at=row["created_at"],
    )
