"""Which entries may be posted, and what they make of the accounts: pure, in the order given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import AccountId, EntryId
from guilder.ledger.errors import (
    AccountClosed,
    AccountMissing,
    ConditionFailed,
    CurrencyDiffers,
    InsufficientFunds,
    LinkedEntryRefused,
)
from guilder.ledger.model import AccountStatus, Entry, Side
from guilder.ledger.rules.chain import Line, first_place, hash_of, microseconds

MILESTONE_EVERY = 128
"""Changes of an account between two milestones; a power of two."""


@dataclass(slots=True)
class State:
    """An account while entries are decided; minor units of `currency`."""

    account_id: UUID
    hex: str
    is_test: bool
    currency: str
    sign: int
    floor_minor: int | None
    status: AccountStatus
    debits: int
    credits: int
    pending_debits: int
    pending_credits: int
    version: int
    last_seq: int | None

    @property
    def available_minor(self) -> int:
        """What may still be taken: the balance less what is held, on the normal side."""
        held = self.pending_credits if self.sign == 1 else self.pending_debits
        return self.sign * (self.debits - self.credits) - held


@dataclass(slots=True)
class Head:
    """The end of the chain, and the instant of this posting by the database's clock (UTC)."""

    seq: int
    hash: bytes
    at: datetime


@dataclass(slots=True)
class Batch:
    """Rows to append: entries, postings, sources and milestones, in their tables' columns."""

    entries: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    postings: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    sources: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    milestones: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    changed: dict[UUID, State] = field(default_factory=dict[UUID, State])


def decide(
    head: Head, states: Mapping[UUID, State], groups: Sequence[Sequence[Entry]]
) -> tuple[Batch, list[list[EntryId | Refusal]]]:
    """Take the entries of each group or none of them; moves `head` and `states` along.

    Returns what to append and an outcome for each entry. Of a refused group, the guilty entry has
    its own refusal and the others `LinkedEntryRefused`.
    """
    batch = Batch()
    head.seq = max(head.seq, first_place(head.at))
    recorded = microseconds(head.at)
    outcomes: list[list[EntryId | Refusal]] = []
    for group in groups:
        refusal, guilty = _refusal_of(group, states)
        if refusal is not None:
            outcomes.append(
                [refusal if entry is guilty else LinkedEntryRefused(_LINKED) for entry in group]
            )
            continue
        for entry in group:
            _take(entry, head, recorded, states, batch)
        outcomes.append([entry.id for entry in group])
    return batch, outcomes


def _refusal_of(
    group: Sequence[Entry], states: Mapping[UUID, State]
) -> tuple[Refusal | None, Entry | None]:
    """The first reason not to take this group, and the entry that gives it."""
    moved: dict[UUID, int] = {}
    steps: dict[UUID, int] = {}
    for entry in group:
        refusal = _unfit(entry, states) or _unmet(entry, states, moved, steps)
        if refusal is not None:
            return refusal, entry
        for posting in entry.postings:
            state = states[posting.account.id.value]
            amount = posting.amount.amount_minor
            change = amount if (posting.side is Side.DEBIT) == (state.sign == 1) else -amount
            moved[state.account_id] = moved.get(state.account_id, 0) + change
            steps[state.account_id] = steps.get(state.account_id, 0) + 1
        for posting in entry.postings:
            state = states[posting.account.id.value]
            change = moved[state.account_id]
            if state.floor_minor is None or change >= 0:
                continue
            if state.available_minor + change < state.floor_minor:
                return _short(state), entry
    return None, None


def _unfit(entry: Entry, states: Mapping[UUID, State]) -> Refusal | None:
    for posting in entry.postings:
        state = states.get(posting.account.id.value)
        if state is None or state.is_test is not entry.is_test:
            return AccountMissing(f"there is no account {posting.account.id}", param="postings")
        if state.status is not AccountStatus.OPEN:
            return AccountClosed(
                f"the account {posting.account.id} is {state.status}", param="postings"
            )
        if state.currency != posting.amount.currency.code:
            return CurrencyDiffers(
                f"the account {posting.account.id} is in {state.currency}", param="postings"
            )
    return None


def _unmet(
    entry: Entry, states: Mapping[UUID, State], moved: dict[UUID, int], steps: dict[UUID, int]
) -> Refusal | None:
    for condition in entry.conditions:
        state = states.get(condition.account_id.value)
        if state is None:
            return AccountMissing(f"there is no account {condition.account_id}")
        version = state.version + steps.get(state.account_id, 0)
        if condition.expected_version not in {None, version}:
            return ConditionFailed(
                f"the account {condition.account_id} is at version {version}, "
                f"not {condition.expected_version}",
                param="conditions",
            )
        available = state.available_minor + moved.get(state.account_id, 0)
        wanted = condition.available_at_least_minor
        if wanted is not None and available < wanted:
            return ConditionFailed(
                f"{available} is available on the account {condition.account_id}, "
                f"less than the {wanted} asked for",
                param="conditions",
            )
    return None


def _take(
    entry: Entry, head: Head, recorded: int, states: Mapping[UUID, State], batch: Batch
) -> None:
    """Move the accounts, link the entry to the chain, and write its rows."""
    head.seq = seq = head.seq + 1
    lines: list[Line] = []
    for line, posting in enumerate(entry.postings):
        state = states[posting.account.id.value]
        amount, is_debit = posting.amount.amount_minor, posting.side is Side.DEBIT
        if is_debit:
            state.debits += amount
        else:
            state.credits += amount
        batch.postings.append(
            (
                *(seq, line, state.account_id, is_debit, amount, state.currency),
                *(state.debits, state.credits, state.last_seq),
            )
        )
        state.last_seq = seq
        state.version += 1
        if state.version % MILESTONE_EVERY == 0:
            batch.milestones.append((state.account_id, state.version, seq, head.at))
        batch.changed[state.account_id] = state
        lines.append((state.hex, is_debit, amount, state.currency))
    corrects = entry.corrects_id.value if entry.corrects_id else None
    facts = (
        entry.is_test,
        entry.source_system,
        entry.source_event_id,
        entry.reason,
        corrects.hex if corrects else None,
        entry.metadata,
    )
    times = (microseconds(entry.effective_at), recorded)
    head.hash = hash_of(head.hash, seq, entry.id.value, facts, times, lines)
    batch.entries.append(
        (
            *(seq, entry.id.value, entry.is_test, entry.source_system, entry.source_event_id),
            *(entry.reason, corrects, entry.effective_at, head.at, entry.metadata, head.hash),
        )
    )
    batch.sources.append((entry.source_system, entry.source_event_id, seq))


def _short(state: State) -> InsufficientFunds:
    return InsufficientFunds(
        f"the entry would take the account {AccountId(state.account_id)} below its floor",
        param="postings",
    )


_LINKED = "another entry of the same group was refused, so none of them was posted"
