"""Accounts, postings and entries; an entry that does not balance cannot be made."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money


class Side(StrEnum):
    """The two sides of the book."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class AccountName:
    """What an account is for; the name decides the id, so posting needs no look-up.

    `owner_id` is a tenant. An account that `has_floor` can never owe: its balance on the normal
    side stays at zero or above.
    """

    is_test: bool
    owner_id: UUID
    purpose: str
    currency: Currency
    normal_side: Side
    has_floor: bool

    @property
    def id(self) -> AccountId:
        """A UUIDv8 (RFC 9562) made from the name."""
        words = f"{self.is_test}|{self.owner_id}|{self.purpose}|{self.currency.code}"
        number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(0x3 << 62) | 2 << 62
        return AccountId(UUID(int=number))


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands, with its two growing totals in minor units of its currency."""

    id: AccountId
    is_test: bool
    owner_id: UUID
    purpose: str
    currency: Currency
    normal_side: Side
    has_floor: bool
    debits_minor: int
    credits_minor: int
    created_at: datetime

    @property
    def balance_minor(self) -> int:
        """The balance on the normal side, in minor units; negative when it is overdrawn."""
        if self.normal_side is Side.DEBIT:
            return self.debits_minor - self.credits_minor
        return self.credits_minor - self.debits_minor


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: a positive amount on one side of one account."""

    account: AccountName
    side: Side
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError(f"a posting's amount is positive, not {self.amount}")
        if self.amount.currency != self.account.currency:
            raise ValueError(f"{self.amount} does not belong on a {self.account.currency} account")


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced entry. Posting the same source event again is harmless."""

    id: EntryId
    is_test: bool
    source_system: str
    source_event_id: str
    reason: str
    effective_at: datetime
    postings: tuple[Posting, ...]
    corrects_id: EntryId | None = None

    def __post_init__(self) -> None:
        totals: defaultdict[Currency, int] = defaultdict(int)
        lines: set[tuple[AccountId, Side]] = set()
        for posting in self.postings:
            sign = 1 if posting.side is Side.DEBIT else -1
            totals[posting.amount.currency] += sign * posting.amount.amount_minor
            lines.add((posting.account.id, posting.side))
            if posting.account.is_test != self.is_test:
                raise ValueError(f"entry {self.reason!r} crosses the wall between test and live")
        if not totals or any(totals.values()):
            raise ValueError(f"entry {self.reason!r} does not balance: {dict(totals)}")
        if len(lines) != len(self.postings):
            raise ValueError(f"entry {self.reason!r} has two lines on one side of one account")


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A posting as it is kept."""

    account_id: AccountId
    owner_id: UUID
    purpose: str
    side: Side
    amount: Money


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """An entry as it is kept."""

    id: EntryId
    source_system: str
    source_event_id: str
    reason: str
    effective_at: datetime
    recorded_at: datetime
    lines: tuple[PostedLine, ...]


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One currency of the trial balance: all debits and all credits, which must be equal."""

    currency: Currency
    debits_minor: int
    credits_minor: int
    accounts: int


def debit(account: AccountName, amount: Money) -> Posting:
    """A line on the debit side."""
    return Posting(account, Side.DEBIT, amount)


def credit(account: AccountName, amount: Money) -> Posting:
    """A line on the credit side."""
    return Posting(account, Side.CREDIT, amount)


def entry(
    *, is_test: bool, source: tuple[str, str], reason: str, at: datetime, lines: Sequence[Posting]
) -> Entry:
    """A new entry. `source` is (system, event id), unique for ever; `at` is UTC.

    Raises ValueError when the lines do not balance in each currency.
    """
    return Entry(EntryId.new(), is_test, source[0], source[1], reason, at, tuple(lines))
