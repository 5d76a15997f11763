"""The ledger's front door. Everything else in this folder is private."""

from guilder.ledger.actions.post_entries import post, post_entries, post_groups
from guilder.ledger.actions.prove_book import prove_book
from guilder.ledger.actions.reserve_months import reserve_months
from guilder.ledger.errors import EntryReused, InsufficientFunds
from guilder.ledger.model import (
    AccountName,
    AccountRef,
    Entry,
    PostedEntry,
    Posting,
    Side,
    credit,
    debit,
    entry,
)
from guilder.ledger.queries import (
    amounts_by_source,
    count_entries,
    list_entries_by_source,
    trial_balance,
)

__all__ = [
    "AccountName",
    "AccountRef",
    "Entry",
    "EntryReused",
    "InsufficientFunds",
    "PostedEntry",
    "Posting",
    "Side",
    "amounts_by_source",
    "count_entries",
    "credit",
    "debit",
    "entry",
    "list_entries_by_source",
    "post",
    "post_entries",
    "post_groups",
    "prove_book",
    "reserve_months",
    "trial_balance",
]
