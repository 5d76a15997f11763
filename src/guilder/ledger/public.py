"""The ledger's front door. Everything else in this folder is private."""

from guilder.ledger.actions import post, post_entries
from guilder.ledger.errors import EntryReused, InsufficientFunds
from guilder.ledger.model import (
    AccountName,
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
    verify_book,
)

__all__ = [
    "AccountName",
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
    "trial_balance",
    "verify_book",
]
