"""What the ledger refuses."""

from guilder.kernel.errors import Kind, Refusal


class InsufficientFunds(Refusal):
    """The entry would take an account with a floor below zero."""

    code = "insufficient_funds"
    kind = Kind.REFUSED


class EntryReused(Refusal):
    """This source event was posted before with other postings."""

    code = "entry_reused"
    kind = Kind.CONFLICT


class AccountNotFound(Refusal):
    """No account of the caller's has this id."""

    code = "account_not_found"
    kind = Kind.NOT_FOUND
