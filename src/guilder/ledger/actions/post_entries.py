"""Posting to the book, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from guilder.kernel.errors import Refusal
from guilder.kernel.ids import EntryId
from guilder.ledger import store
from guilder.ledger.errors import EntryReused
from guilder.ledger.model import AccountName, Entry
from guilder.ledger.rules.deciding import State, decide
from guilder.plumbing.db import Tx

Source = tuple[str, str]


async def post(tx: Tx, entry: Entry, now: datetime) -> EntryId | None:
    """Post one entry; None when it had been posted before. Raises what `post_entries` returns."""
    (outcome,) = await post_entries(tx, [entry], now)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def post_entries(
    tx: Tx, entries: Sequence[Entry], now: datetime
) -> list[EntryId | Refusal | None]:
    """Post entries in order, each on its own; call it last in a transaction (see `post_groups`)."""
    return [outcome for (outcome,) in await post_groups(tx, [[entry] for entry in entries], now)]


async def post_groups(
    tx: Tx, groups: Sequence[Sequence[Entry]], now: datetime
) -> list[list[EntryId | Refusal | None]]:
    """Post groups of entries in order, each group as a whole or not at all.

    Call it last in a transaction: it holds the head of the chain until the commit. Each slot is
    the entry's id; None when its source event had been posted before with the same postings; or a
    refusal, and then nothing of its group was posted. Accounts given by name are opened when they
    are missing.
    """
    head = await store.lock_head(tx)
    kept = await store.find_sources(tx, [entry for group in groups for entry in group])
    fresh, repeats = _sorted_out(groups, kept)
    states = await _states(tx, [groups[place] for place in fresh], now)
    batch, decided = decide(head, states, [groups[place] for place in fresh])
    if batch.entries:
        await store.append(tx, head, batch)
    outcomes: dict[int, list[EntryId | Refusal | None]] = {
        place: list(told) for place, told in zip(fresh, decided, strict=True)
    }
    for place in repeats:
        outcomes[place] = [await _repeat(tx, entry, kept) for entry in groups[place]]
    return [outcomes[place] for place in range(len(groups))]


def _sorted_out(
    groups: Sequence[Sequence[Entry]], kept: Mapping[Source, int]
) -> tuple[list[int], list[int]]:
    """The places of groups that are new, and of those with a source that was there before."""
    fresh: list[int] = []
    repeats: list[int] = []
    seen: set[Source] = set()
    for place, group in enumerate(groups):
        sources = {(entry.source_system, entry.source_event_id) for entry in group}
        if len(sources) < len(group) or any(one in kept or one in seen for one in sources):
            repeats.append(place)
        else:
            fresh.append(place)
            seen |= sources
    return fresh, repeats


async def _repeat(tx: Tx, entry: Entry, kept: Mapping[Source, int]) -> EntryReused | None:
    """None for the same entry again; `kept` knows nothing of sources new in this very call."""
    seq = kept.get((entry.source_system, entry.source_event_id))
    if seq is None:
        found = await store.find_sources(tx, [entry])
        seq = found.get((entry.source_system, entry.source_event_id))
    if seq is not None and await store.same_postings(tx, entry, seq):
        return None
    return EntryReused(
        f"{entry.source_system} {entry.source_event_id} was posted before with other postings, "
        "or its first posting in this call was refused"
    )


async def _states(tx: Tx, groups: Sequence[Sequence[Entry]], now: datetime) -> dict[UUID, State]:
    named: dict[UUID, AccountName | None] = {}
    for group in groups:
        for entry in group:
            for posting in entry.postings:
                account = posting.account
                named[account.id.value] = account if isinstance(account, AccountName) else None
            for condition in entry.conditions:
                named.setdefault(condition.account_id.value, None)
    states = await store.load_states(tx, named.keys())
    missing = [name for one, name in named.items() if name is not None and one not in states]
    if missing:
        await store.insert_accounts(tx, missing, now)
        states = await store.load_states(tx, named.keys())
    return states
