"""SQL that reads the book, always within a scope; what `guilder verify` asks sees all of it."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from guilder.kernel.finding import Finding
from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.ledger.model import (
    Account,
    AccountStatus,
    ChainLink,
    PostedEntry,
    PostedLine,
    Side,
    Standing,
    TrialLine,
)
from guilder.plumbing.db import ReadTx, Row

FINDINGS_MAX = 100  # Of each kind: enough to see what happened, few enough to read.


async def list_accounts(tx: ReadTx, scope: Scope, page: PageRequest) -> Page[Account]:
    """The caller's own accounts; the platform sees all of its side. Newest first."""
    rows = await tx.rows(
        """
        select id, is_test, owner_id, purpose, currency, exponent, normal_side, floor_minor,
               status, debits_minor, credits_minor, pending_debits_minor, pending_credits_minor,
               version, created_at
          from ledger.account
          join ledger.balance on balance.account_id = account.id
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
    return page_of([_account(row) for row in rows], page)


async def find_account(tx: ReadTx, scope: Scope, account_id: AccountId) -> Account | None:
    """One of the caller's accounts, or None."""
    row = await tx.find(
        """
        select id, is_test, owner_id, purpose, currency, exponent, normal_side, floor_minor,
               status, debits_minor, credits_minor, pending_debits_minor, pending_credits_minor,
               version, created_at
          from ledger.account
          join ledger.balance on balance.account_id = account.id
         where id = $1
           and is_test = $2
           and ($3::uuid is null or owner_id = $3)
        """,
        account_id.value,
        scope.is_test,
        _owner(scope),
    )
    return _account(row) if row else None


async def trial_balance(tx: ReadTx, scope: Scope) -> list[TrialLine]:
    """All debits and all credits of each currency, over every account in the scope."""
    rows = await tx.rows(
        """
        select currency, exponent, sum(debits_minor)::bigint as debits,
               sum(credits_minor)::bigint as credits, count(*) as accounts
          from ledger.account
          join ledger.balance on balance.account_id = account.id
         where is_test = $1
           and ($2::uuid is null or owner_id = $2)
         group by currency, exponent
         order by currency
        """,
        scope.is_test,
        _owner(scope),
    )
    return [
        TrialLine(
            Currency(row["currency"], row["exponent"]),
            row["debits"],
            row["credits"],
            row["accounts"],
        )
        for row in rows
    ]


async def list_entries_by_source(
    tx: ReadTx, scope: Scope, source_system: str, source_event_ids: Sequence[str]
) -> list[PostedEntry]:
    """Entries of these source events, in the order of the chain.

    A tenant below the platform sees the lines on its own accounts only.
    """
    rows = await tx.rows(
        """
        select entry.seq, entry.id, entry.source_system, entry.source_event_id, reason,
               effective_at, recorded_at, posting.account_id, owner_id, purpose, is_debit,
               amount_minor, posting.currency, exponent
          from ledger.source
          join ledger.entry on entry.seq = source.seq
          join ledger.posting on posting.seq = source.seq
          join ledger.account on account.id = posting.account_id
         where source.source_system = $1
           and source.source_event_id = any($2::text[])
           and entry.is_test = $3
           and ($4::uuid is null or owner_id = $4)
         order by entry.seq, line
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
        select source_event_id, posting.currency, exponent, sum(amount_minor)::bigint as amount
          from ledger.source
          join ledger.posting on posting.seq = source.seq
          join ledger.account on account.id = posting.account_id
         where source_system = $1
           and source_event_id = any($2::text[])
           and is_debit
         group by source_event_id, posting.currency, exponent
        """,
        source_system,
        list(source_event_ids),
    )
    return {
        row["source_event_id"]: Money(row["amount"], Currency(row["currency"], row["exponent"]))
        for row in rows
    }


async def count_entries(tx: ReadTx, source_system: str) -> int:
    """How many entries a system has posted."""
    return await tx.value(
        "select count(*) from ledger.source where source_system = $1", source_system
    )


async def take_all_the_time(tx: ReadTx) -> None:
    """Let this transaction's statements last: a proof reads the whole book."""
    await tx.value("select set_config('statement_timeout', '0', true)")


async def read_chain(tx: ReadTx, after: int, *, limit: int) -> list[ChainLink]:
    """The entries after this place of the chain, with their lines, in order."""
    entries = await tx.rows(
        """
        select seq, id, is_test, source_system, source_event_id, reason, corrects_id,
               effective_at, recorded_at, metadata, hash
          from ledger.entry
         where seq > $1
         order by seq
         limit $2
        """,
        after,
        limit,
    )
    if not entries:
        return []
    postings = await tx.rows(
        """
        select seq, account_id, is_debit, amount_minor, currency, debits_after, credits_after,
               prior_seq
          from ledger.posting
         where seq between $1 and $2
         order by seq, line
        """,
        entries[0]["seq"],
        entries[-1]["seq"],
    )
    lines: dict[int, list[tuple[str, bool, int, str, tuple[int, int], int | None]]] = {}
    for row in postings:
        lines.setdefault(row["seq"], []).append(
            (
                row["account_id"].hex,
                row["is_debit"],
                row["amount_minor"],
                row["currency"],
                (row["debits_after"], row["credits_after"]),
                row["prior_seq"],
            )
        )
    return [_link(row, lines.get(row["seq"], [])) for row in entries]


async def read_head(tx: ReadTx) -> tuple[int, bytes]:
    """The place and the hash at the end of the chain."""
    row = await tx.row("select seq, hash from ledger.chain")
    return row["seq"], bytes(row["hash"])


async def read_standings(tx: ReadTx) -> AsyncGenerator[tuple[UUID, Standing]]:
    """What every account says of itself, a page at a time."""
    after: UUID | None = None
    while rows := await tx.rows(
        """
        select account_id, debits_minor, credits_minor, version, last_seq
          from ledger.balance
         where $1::uuid is null or account_id > $1
         order by account_id
         limit 5000
        """,
        after,
    ):
        for row in rows:
            yield (
                row["account_id"],
                Standing(
                    row["debits_minor"], row["credits_minor"], row["version"], row["last_seq"]
                ),
            )
        after = rows[-1]["account_id"]


async def list_wrong_sources(tx: ReadTx, *, limit: int) -> list[int]:
    """Places where the dedupe table and the entries do not name the same source event."""
    rows = await tx.rows(
        """
        select coalesce(entry.seq, source.seq) as seq
          from ledger.entry
          full join ledger.source
            on source.seq = entry.seq
           and source.source_system = entry.source_system
           and source.source_event_id = entry.source_event_id
         where entry.seq is null
            or source.seq is null
         limit $1
        """,
        limit,
    )
    return [row["seq"] for row in rows]


async def verify_balances(tx: ReadTx) -> list[Finding]:
    """Check that no account is below its floor (I5) and that each currency balances (I1)."""
    return [*await _below_floor(tx), *await _unbalanced_currencies(tx)]


async def _below_floor(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select account_id
          from ledger.balance
         where floor_minor is not null
           and sign * (debits_minor - credits_minor)
               - case sign when 1 then pending_credits_minor else pending_debits_minor end
               < floor_minor
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding("I5", str(AccountId(row["account_id"])), "the account is below its floor")
        for row in rows
    ]


async def _unbalanced_currencies(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select is_test, currency, sum(debits_minor) - sum(credits_minor) as off
          from ledger.account
          join ledger.balance on balance.account_id = account.id
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


def _account(row: Row) -> Account:
    return Account(
        id=AccountId(row["id"]),
        is_test=row["is_test"],
        owner_id=row["owner_id"],
        purpose=row["purpose"],
        currency=Currency(row["currency"], row["exponent"]),
        normal_side=Side(row["normal_side"]),
        floor_minor=row["floor_minor"],
        status=AccountStatus(row["status"]),
        debits_minor=row["debits_minor"],
        credits_minor=row["credits_minor"],
        pending_debits_minor=row["pending_debits_minor"],
        pending_credits_minor=row["pending_credits_minor"],
        version=row["version"],
        created_at=row["created_at"],
    )


def _link(
    row: Row, lines: Sequence[tuple[str, bool, int, str, tuple[int, int], int | None]]
) -> ChainLink:
    corrects = row["corrects_id"]
    return ChainLink(
        seq=row["seq"],
        id=row["id"],
        facts=(
            row["is_test"],
            row["source_system"],
            row["source_event_id"],
            row["reason"],
            corrects.hex if corrects else None,
            row["metadata"],
        ),
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
        hash=bytes(row["hash"]),
        lines=tuple(lines),
    )


def _gathered(rows: Sequence[Row]) -> list[PostedEntry]:
    lines: dict[int, list[PostedLine]] = {}
    heads: dict[int, Row] = {}
    for row in rows:
        heads.setdefault(row["seq"], row)
        currency = Currency(row["currency"], row["exponent"])
        lines.setdefault(row["seq"], []).append(
            PostedLine(
                AccountId(row["account_id"]),
                row["owner_id"],
                row["purpose"],
                Side.DEBIT if row["is_debit"] else Side.CREDIT,
                Money(row["amount_minor"], currency),
            )
        )
    return [
        PostedEntry(
            seq,
            EntryId(head["id"]),
            head["source_system"],
            head["source_event_id"],
            head["reason"],
            head["effective_at"],
            head["recorded_at"],
            tuple(lines[seq]),
        )
        for seq, head in heads.items()
    ]
