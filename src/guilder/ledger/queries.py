"""SQL that reads the book, always within a scope; `verify_book` sees all of it."""

from collections.abc import Sequence
from uuid import UUID

from guilder.kernel.finding import Finding
from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.ledger.model import Account, PostedEntry, PostedLine, Side, TrialLine
from guilder.ledger.store import account_of
from guilder.plumbing.db import ReadTx, Row

FINDINGS_MAX = 100  # Of each kind: enough to see what happened, few enough to read.


async def list_accounts(tx: ReadTx, scope: Scope, page: PageRequest) -> Page[Account]:
    """The caller's own accounts; the platform sees all of its side. Newest first."""
    rows = await tx.rows(
        """
        select id, is_test, owner_id, purpose, currency, normal_side, has_floor, debits_minor,
               credits_minor, created_at
          from ledger.account
         where is_test = $1
           and ($2::uuid is null or owner_id = $2)
           and ($3::uuid is null or (created_at, id) <
                (select created_at, id from ledger.account where id = $3))
           and ($4::uuid is null or (created_at, id) >
                (select created_at, id from ledger.account where id = $4))
         order by case when $4::uuid is null then created_at end desc,
                  case when $4::uuid is null then id end desc,
                  created_at, id
         limit $5
        """,
        scope.is_test,
        _owner(scope),
        page.after,
        page.before,
        page.limit + 1,
    )
    return page_of([account_of(row) for row in rows], page)


async def find_account(tx: ReadTx, scope: Scope, account_id: AccountId) -> Account | None:
    """One of the caller's accounts, or None."""
    row = await tx.find(
        """
        select id, is_test, owner_id, purpose, currency, normal_side, has_floor, debits_minor,
               credits_minor, created_at
          from ledger.account
         where id = $1
           and is_test = $2
           and ($3::uuid is null or owner_id = $3)
        """,
        account_id.value,
        scope.is_test,
        _owner(scope),
    )
    return account_of(row) if row else None


async def trial_balance(tx: ReadTx, scope: Scope) -> list[TrialLine]:
    """All debits and all credits of each currency, over every account in the scope."""
    rows = await tx.rows(
        """
        select currency, sum(debits_minor)::bigint as debits, sum(credits_minor)::bigint as credits,
               count(*) as accounts
          from ledger.account
         where is_test = $1
           and ($2::uuid is null or owner_id = $2)
         group by currency
         order by currency
        """,
        scope.is_test,
        _owner(scope),
    )
    return [
        TrialLine(Currency.of(row["currency"]), row["debits"], row["credits"], row["accounts"])
        for row in rows
    ]


async def list_entries_by_source(
    tx: ReadTx, scope: Scope, source_system: str, source_event_ids: Sequence[str]
) -> list[PostedEntry]:
    """Entries of these source events, in the order in which they were recorded.

    A tenant below the platform sees the lines on its own accounts only.
    """
    rows = await tx.rows(
        """
        select entry.id, source_system, source_event_id, reason, effective_at, recorded_at,
               account_id, owner_id, purpose, side, amount_minor, posting.currency
          from ledger.entry
          join ledger.posting on posting.entry_id = entry.id
          join ledger.account on account.id = posting.account_id
         where source_system = $1
           and source_event_id = any($2::text[])
           and entry.is_test = $3
           and ($4::uuid is null or owner_id = $4)
         order by recorded_at, entry.id, side desc, account_id
        """,
        source_system,
        list(source_event_ids),
        scope.is_test,
        _owner(scope),
    )
    return _gathered(rows)


async def amounts_by_source(
    tx: ReadTx, source_system: str, source_event_ids: Sequence[str]
) -> dict[str, Money]:
    """What each of these source events' entries moved: the sum of its debits, in one currency."""
    rows = await tx.rows(
        """
        select source_event_id, currency, sum(amount_minor)::bigint as amount_minor
          from ledger.entry
          join ledger.posting on posting.entry_id = entry.id
         where source_system = $1
           and source_event_id = any($2::text[])
           and side = 'debit'
         group by source_event_id, currency
        """,
        source_system,
        list(source_event_ids),
    )
    return {row["source_event_id"]: Money.of(row["amount_minor"], row["currency"]) for row in rows}


async def count_entries(tx: ReadTx, source_system: str) -> int:
    """How many entries a system has posted."""
    return await tx.value(
        "select count(*) from ledger.entry where source_system = $1", source_system
    )


async def verify_book(tx: ReadTx) -> list[Finding]:
    """Check I1 and I5 over the whole book, from the postings up."""
    return [
        *await _unbalanced_entries(tx),
        *await _wrong_totals(tx),
        *await _below_floor(tx),
        *await _unbalanced_currencies(tx),
    ]


async def _unbalanced_entries(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select entry.id, posting.currency,
               sum(case side when 'debit' then amount_minor else -amount_minor end) as off
          from ledger.entry
          left join ledger.posting on posting.entry_id = entry.id
         group by entry.id, posting.currency
        having count(posting.entry_id) < 2
            or sum(case side when 'debit' then amount_minor else -amount_minor end) <> 0
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding(
            "I1", str(EntryId(row["id"])), f"the entry is off by {row['off']} {row['currency']}"
        )
        for row in rows
    ]


async def _wrong_totals(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        with replayed as (
            select account_id,
                   coalesce(sum(amount_minor) filter (where side = 'debit'), 0) as debits,
                   coalesce(sum(amount_minor) filter (where side = 'credit'), 0) as credits
              from ledger.posting
             group by account_id)
        select id, debits_minor, credits_minor, debits, credits
          from ledger.account
          left join replayed on replayed.account_id = account.id
         where debits_minor <> coalesce(debits, 0)
            or credits_minor <> coalesce(credits, 0)
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding(
            "I1",
            str(AccountId(row["id"])),
            f"the account says {row['debits_minor']} debits and {row['credits_minor']} credits; "
            f"its postings say {row['debits'] or 0} and {row['credits'] or 0}",
        )
        for row in rows
    ]


async def _below_floor(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select id
          from ledger.account
         where has_floor
           and case normal_side
                   when 'debit' then debits_minor < credits_minor
                   else credits_minor < debits_minor
               end
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding("I5", str(AccountId(row["id"])), "the account is below its floor") for row in rows
    ]


async def _unbalanced_currencies(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select is_test, currency, sum(debits_minor) - sum(credits_minor) as off
          from ledger.account
         group by is_test, currency
        having sum(debits_minor) <> sum(credits_minor)
        """
    )
    return [
        Finding(
            "I1",
            f"{'test' if row['is_test'] else 'live'} {row['currency']}",
            f"the trial balance is off by {row['off']} minor units",
        )
        for row in rows
    ]


def _owner(scope: Scope) -> UUID | None:
    """Whose accounts a caller may see: its own; the platform's caller sees all."""
    if scope.merchant_id is not None:
        return scope.merchant_id.value
    if scope.reseller_id is not None:
        return scope.reseller_id.value
    return None


def _gathered(rows: Sequence[Row]) -> list[PostedEntry]:
    lines: dict[UUID, list[PostedLine]] = {}
    heads: dict[UUID, Row] = {}
    for row in rows:
        heads.setdefault(row["id"], row)
        lines.setdefault(row["id"], []).append(
            PostedLine(
                AccountId(row["account_id"]),
                row["owner_id"],
                row["purpose"],
                Side(row["side"]),
                Money.of(row["amount_minor"], row["currency"]),
            )
        )
    return [
        PostedEntry(
            EntryId(head["id"]),
            head["source_system"],
            head["source_event_id"],
            head["reason"],
            head["effective_at"],
            head["recorded_at"],
            tuple(lines[entry_id]),
        )
        for entry_id, head in heads.items()
    ]
