"""Accounts, postings and entries; an entry that does not balance cannot be made."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from guilder.kernel.ids import AccountId, EntryId
from guilder.kernel.money import Currency, Money


class AccountStatus(StrEnum):
    """Whether an account takes postings."""

    OPEN = "open"
    FROZEN = "frozen"  # For a while: its balance stands, nothing is posted.
    CLOSED = "closed"  # For good.


class Side(StrEnum):
    """The two sides of the book."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class AccountName:
    """What an account is for; the name decides the id, so posting needs no look-up.

    `owner_id` is a tenant. What is available on an account never goes below its `floor_minor`, on
    the normal side; None lets it go anywhere. `id` is a UUIDv8 (RFC 9562) made from the name.
    """

    is_test: bool
    owner_id: UUID
    purpose: str
    currency: Currency
    normal_side: Side
    floor_minor: int | None
    id: AccountId = field(init=False, compare=False)

    def __post_init__(self) -> None:
        words = f"{self.is_test}|{self.owner_id}|{self.purpose}|{self.currency.code}"
        number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(0x3 << 62) | 2 << 62
        object.__setattr__(self, "id", AccountId(UUID(int=number)))


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account that exists, by its id; what it is for, the book knows."""

    id: AccountId


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands, with its two growing totals in minor units of its currency."""

    id: AccountId
    is_test: bool
    owner_id: UUID
    purpose: str
    currency: Currency
    normal_side: Side
    floor_minor: int | None
    status: AccountStatus
    debits_minor: int
    credits_minor: int
    pending_debits_minor: int
    pending_credits_minor: int
    version: int
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

    account: AccountName | AccountRef
    side: Side
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError(f"a posting's amount is positive, not {self.amount}")
        account = self.account
        if isinstance(account, AccountName) and self.amount.currency != account.currency:
            raise ValueError(f"{self.amount} does not belong on a {account.currency} account")


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be so for an entry to be posted: an account's version, or what is available."""

    account_id: AccountId
    expected_version: int | None = None
    available_at_least_minor: int | None = None


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
    metadata: str | None = None  # A JSON object in PostgreSQL's own form of it (`canonical_json`).
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        totals: defaultdict[Currency, int] = defaultdict(int)
        lines: set[tuple[AccountId, Side]] = set()
        for posting in self.postings:
            sign = 1 if posting.side is Side.DEBIT else -1
            totals[posting.amount.currency] += sign * posting.amount.amount_minor
            lines.add((posting.account.id, posting.side))
            account = posting.account
            if isinstance(account, AccountName) and account.is_test is not self.is_test:
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

    seq: int
    id: EntryId
    source_system: str
    source_event_id: str
    reason: str
    effective_at: datetime
    recorded_at: datetime
    lines: tuple[PostedLine, ...]


@dataclass(frozen=True, slots=True)
class ChainLink:
    """An entry as the chain has it; lines are (account in hex, is debit, amount, currency,
    (debits after, credits after), place of the account's entry before)."""

    seq: int
    id: UUID
    facts: tuple[bool, str, str, str, str | None, str | None]
    effective_at: datetime
    recorded_at: datetime
    hash: bytes
    lines: tuple[tuple[str, bool, int, str, tuple[int, int], int | None], ...]


@dataclass(slots=True)
class Standing:
    """What an account's postings come to, in minor units."""

    debits: int = 0
    credits: int = 0
    version: int = 0
    last_seq: int | None = None

    def take(self, amount: int, seq: int, *, is_debit: bool) -> None:
        """Add a posting of the entry at this place."""
        if is_debit:
            self.debits += amount
        else:
            self.credits += amount
        self.version += 1
        self.last_seq = seq


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One currency of the trial balance: all debits and all credits, which must be equal."""

    currency: Currency
    debits_minor: int
    credits_minor: int
    accounts: int


def debit(account: AccountName | AccountRef, amount: Money) -> Posting:
    """A line on the debit side."""
    return Posting(account, Side.DEBIT, amount)


def credit(account: AccountName | AccountRef, amount: Money) -> Posting:
    """A line on the credit side."""
    return Posting(account, Side.CREDIT, amount)


def entry(
    *, is_test: bool, source: tuple[str, str], reason: str, at: datetime, lines: Sequence[Posting]
) -> Entry:
    """A new entry. `source` is (system, event id), unique for ever; `at` is UTC.

    Raises ValueError when the lines do not balance in each currency.
    """
    return Entry(EntryId.new(), is_test, source[0], source[1], reason, at, tuple(lines))
