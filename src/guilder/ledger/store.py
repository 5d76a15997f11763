"""SQL that changes the book. Everything takes many and keeps their order."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from guilder.ledger.model import AccountName, AccountStatus, Entry
from guilder.ledger.rules.deciding import Batch, Head, State
from guilder.plumbing.db import Tx

ENTRY_COLUMNS = (
    "seq", "id", "is_test", "source_system", "source_event_id", "reason", "corrects_id",
    "effective_at", "recorded_at", "metadata", "hash",
)  # fmt: skip
POSTING_COLUMNS = (
    "seq", "line", "account_id", "is_debit", "amount_minor", "currency", "debits_after",
    "credits_after", "prior_seq",
)  # fmt: skip
SOURCE_COLUMNS = ("source_system", "source_event_id", "seq")
MILESTONE_COLUMNS = ("account_id", "version", "seq", "recorded_at")


async def lock_head(tx: Tx) -> Head:
    """The end of the chain, ours alone until the transaction ends; its time never goes back."""
    row = await tx.row(
        """
        select seq, hash, greatest(recorded_at, clock_timestamp()) as at
          from ledger.chain
           for no key update
        """
    )
    return Head(row["seq"], bytes(row["hash"]), row["at"])


async def load_states(tx: Tx, ids: Collection[UUID]) -> dict[UUID, State]:
    """Those of these accounts that exist. Whoever holds the head may change them."""
    rows = await tx.rows(
        """
        select account_id, is_test, currency, sign, floor_minor, status, debits_minor,
               credits_minor, pending_debits_minor, pending_credits_minor, version, last_seq
          from ledger.balance
          join ledger.account on account.id = balance.account_id
         where account_id = any($1::uuid[])
        """,
        list(ids),
    )
    return {
        row["account_id"]: State(
            account_id=row["account_id"],
            hex=row["account_id"].hex,
            is_test=row["is_test"],
            currency=row["currency"],
            sign=row["sign"],
            floor_minor=row["floor_minor"],
            status=AccountStatus(row["status"]),
            debits=row["debits_minor"],
            credits=row["credits_minor"],
            pending_debits=row["pending_debits_minor"],
            pending_credits=row["pending_credits_minor"],
            version=row["version"],
            last_seq=row["last_seq"],
        )
        for row in rows
    }


async def find_sources(tx: Tx, entries: Sequence[Entry]) -> dict[tuple[str, str], int]:
    """The places of those source events that were posted before."""
    rows = await tx.rows(
        """
        select source_system, source_event_id, seq
          from unnest($1::text[], $2::text[]) as given (source_system, source_event_id)
          join ledger.source using (source_system, source_event_id)
        """,
        [entry.source_system for entry in entries],
        [entry.source_event_id for entry in entries],
    )
    return {(row["source_system"], row["source_event_id"]): row["seq"] for row in rows}


async def same_postings(tx: Tx, entry: Entry, seq: int) -> bool:
    """Whether the entry at this place has the same postings, in whatever order."""
    rows = await tx.rows(
        "select account_id, is_debit, amount_minor from ledger.posting where seq = $1", seq
    )
    kept = {(row["account_id"], row["is_debit"], row["amount_minor"]) for row in rows}
    asked = {
        (posting.account.id.value, posting.side == "debit", posting.amount.amount_minor)
        for posting in entry.postings
    }
    return kept == asked


async def insert_accounts(tx: Tx, names: Sequence[AccountName], now: datetime) -> None:
    """Open accounts that do not exist yet; one that someone else opened meanwhile stays."""
    ordered = sorted(names, key=lambda name: name.id)
    await tx.run(
        """
        with opened as (
            insert into ledger.account
                   (id, is_test, owner_id, purpose, currency, exponent, normal_side, created_at)
            select id, is_test, owner_id, purpose, currency, exponent, normal_side, $9
              from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::text[], $5::text[], $6::int[],
                          $7::text[], $8::bigint[])
                   as given (id, is_test, owner_id, purpose, currency, exponent, normal_side, f)
            on conflict do nothing
            returning id, normal_side)
        insert into ledger.balance (account_id, sign, floor_minor)
        select id, case normal_side when 'debit' then 1 else -1 end, f
          from opened
          join unnest($1::uuid[], $8::bigint[]) as given (id, f) using (id)
        """,
        [name.id.value for name in ordered],
        [name.is_test for name in ordered],
        [name.owner_id for name in ordered],
        [name.purpose for name in ordered],
        [name.currency.code for name in ordered],
        [name.currency.exponent for name in ordered],
        [name.normal_side.value for name in ordered],
        [name.floor_minor for name in ordered],
        now,
    )


async def append(tx: Tx, head: Head, batch: Batch) -> None:
    """Write a decided batch and move the head; the database checks that every entry balances."""
    await tx.copy_rows("ledger", "source", SOURCE_COLUMNS, batch.sources)
    await tx.copy_rows("ledger", "entry", ENTRY_COLUMNS, batch.entries)
    await tx.copy_rows("ledger", "posting", POSTING_COLUMNS, batch.postings)
    if batch.milestones:
        await tx.copy_rows("ledger", "milestone", MILESTONE_COLUMNS, batch.milestones)
    changed = list(batch.changed.values())
    await tx.run(
        """
        with moved as (
            update ledger.balance
               set debits_minor = given.debits,
                   credits_minor = given.credits,
                   version = given.version,
                   last_seq = given.last_seq
              from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
                   as given (account_id, debits, credits, version, last_seq)
             where balance.account_id = given.account_id)
        update ledger.chain set seq = $6, hash = $7, recorded_at = $8
        """,
        [state.account_id for state in changed],
        [state.debits for state in changed],
        [state.credits for state in changed],
        [state.version for state in changed],
        [state.last_seq for state in changed],
        head.seq,
        head.hash,
        head.at,
    )


async def make_partitions(tx: Tx, month: date) -> None:
    """Make sure of the partitions of the month of this day; repeating is harmless."""
    await tx.run("select ledger.make_partitions(date_trunc('month', $1::date)::date)", month)
