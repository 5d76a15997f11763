"""What the ledger refuses."""

from guilder.kernel.errors import Kind, Refusal


class InsufficientFunds(Refusal):
    """The entry would take an account below its floor."""

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


class AccountMissing(Refusal):
    """A posting names an account that is not there, or is on the other side of the wall."""

    code = "account_missing"
    kind = Kind.UNPROCESSABLE


class AccountClosed(Refusal):
    """A posting names an account that is frozen or closed."""

    code = "account_closed"
    kind = Kind.CONFLICT


class CurrencyDiffers(Refusal):
    """A posting is in another currency than its account."""

    code = "currency_differs"
    kind = Kind.UNPROCESSABLE


class ConditionFailed(Refusal):
    """What the caller made a condition of the entry is not so."""

    code = "condition_failed"
    kind = Kind.CONFLICT


class LinkedEntryRefused(Refusal):
    """Another entry of the same group was refused, so none of the group was posted."""

    code = "linked_entry_refused"
    kind = Kind.CONFLICT
