"""The book as callers see it."""

from typing import Literal, Self

import msgspec

from guilder.kernel.clock import rfc3339
from guilder.kernel.money import Money
from guilder.ledger.model import Account, TrialLine


class AccountView(msgspec.Struct, frozen=True):
    """An account with its two growing totals and its balance on the normal side."""

    object: Literal["ledger_account"]
    id: str
    livemode: bool
    purpose: str
    currency: str
    currency_exponent: int
    normal_side: str
    debits_minor: int
    credits_minor: int
    balance_minor: int
    display_balance: str
    created_at: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """The view of one account."""
        return cls(
            object="ledger_account",
            id=str(account.id),
            livemode=not account.is_test,
            purpose=account.purpose,
            currency=account.currency.code,
            currency_exponent=account.currency.exponent,
            normal_side=account.normal_side.value,
            debits_minor=account.debits_minor,
            credits_minor=account.credits_minor,
            balance_minor=account.balance_minor,
            display_balance=str(Money(account.balance_minor, account.currency)),
            created_at=rfc3339(account.created_at),
        )


class TrialLineView(msgspec.Struct, frozen=True):
    """One currency: debits, credits, and their difference, which is zero in a sound book."""

    currency: str
    debits_minor: int
    credits_minor: int
    difference_minor: int
    accounts: int


class TrialBalanceView(msgspec.Struct, frozen=True):
    """The trial balance of everything the caller may see."""

    object: Literal["trial_balance"]
    lines: list[TrialLineView]

    @classmethod
    def of(cls, lines: list[TrialLine]) -> Self:
        """The view of a trial balance."""
        return cls(
            object="trial_balance",
            lines=[
                TrialLineView(
                    line.currency.code,
                    line.debits_minor,
                    line.credits_minor,
                    line.debits_minor - line.credits_minor,
                    line.accounts,
                )
                for line in lines
            ],
        )
