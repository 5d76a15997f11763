"""Prove the book: replay it from zero, entry by entry, and name the first thing that is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from guilder.kernel.finding import Finding
from guilder.kernel.ids import AccountId, EntryId
from guilder.ledger import queries
from guilder.ledger.model import ChainLink, Standing
from guilder.ledger.rules.chain import GENESIS, NUMBERS, hash_of, microseconds
from guilder.plumbing.db import ReadTx

BATCH = 5000
FINDINGS_MAX = 20  # After the chain is broken once, every later hash tells nothing new.


@dataclass(slots=True)
class Replay:
    """What the entries so far come to, and what was wrong with them."""

    seq: int = 0
    hash: bytes = GENESIS
    entries: int = 0
    accounts: dict[UUID, Standing] = field(default_factory=dict[UUID, Standing])
    findings: list[Finding] = field(default_factory=list[Finding])


async def prove_book(tx: ReadTx, tell: Callable[[int], None] = lambda _: None) -> Replay:
    """Recompute the chain, running totals, balances and dedupe from zero (I1, I5, I9).

    `tell` hears how many entries have been replayed. Findings name the entry or the account; an
    empty list is a sound book.
    """
    replay = Replay()
    await queries.take_all_the_time(tx)
    while links := await queries.read_chain(tx, replay.seq, limit=BATCH):
        for link in links:
            _take(replay, link)
        tell(replay.entries)
        if len(replay.findings) >= FINDINGS_MAX:
            return replay
    replay.findings += await _against_head(tx, replay)
    replay.findings += await _against_balances(tx, replay)
    replay.findings += await _against_sources(tx)
    replay.findings += await queries.verify_balances(tx)
    return replay


def _take(replay: Replay, link: ChainLink) -> None:
    wrong = _wrong_place(replay, link)
    off: dict[str, int] = {}
    for account, is_debit, amount, currency, after, prior in link.lines:
        off[currency] = off.get(currency, 0) + (amount if is_debit else -amount)
        account_id = UUID(hex=account)
        standing = replay.accounts.setdefault(account_id, Standing())
        if standing.last_seq != prior:
            wrong.append(f"its line on {AccountId(account_id)} follows another entry than it says")
        standing.take(amount, link.seq, is_debit=is_debit)
        if after != (standing.debits, standing.credits):
            wrong.append(f"its running totals of {AccountId(account_id)} are not those")
            standing.debits, standing.credits = after  # Later entries are judged by themselves.
    entry = str(EntryId(link.id))
    if any(off.values()) or not link.lines:
        replay.findings.append(Finding("I1", entry, f"the entry does not balance: it is off {off}"))
    if wrong:
        told = f"at place {link.seq} of the chain: {'; '.join(wrong)}"
        replay.findings.append(Finding("I9", entry, told))
    replay.seq, replay.hash = link.seq, link.hash
    replay.entries += 1


def _wrong_place(replay: Replay, link: ChainLink) -> list[str]:
    wrong: list[str] = []
    if link.seq != replay.seq + 1 and link.seq % NUMBERS != 1:
        wrong.append(f"entries are missing after place {replay.seq}")
    told = hash_of(
        replay.hash,
        link.seq,
        link.id,
        link.facts,
        (microseconds(link.effective_at), microseconds(link.recorded_at)),
        [line[:4] for line in link.lines],
    )
    if told != link.hash:
        wrong.append("its hash is not that of its content and of the entries before it")
    return wrong


async def _against_head(tx: ReadTx, replay: Replay) -> list[Finding]:
    seq, digest = await queries.read_head(tx)
    if (seq, digest) == (replay.seq, replay.hash):
        return []
    return [Finding("I9", "chain", f"the head says place {seq}, the entries end at {replay.seq}")]


async def _against_balances(tx: ReadTx, replay: Replay) -> list[Finding]:
    found: list[Finding] = []
    async for account_id, kept in queries.read_standings(tx):
        told = replay.accounts.pop(account_id, Standing())
        if told != kept:
            found.append(
                Finding("I1", str(AccountId(account_id)), f"it says {kept}, its postings {told}")
            )
    found += [
        Finding("I1", str(AccountId(account_id)), "it has postings and no balance")
        for account_id in replay.accounts
    ]
    return found[:FINDINGS_MAX]


async def _against_sources(tx: ReadTx) -> list[Finding]:
    wrong: Sequence[int] = await queries.list_wrong_sources(tx, limit=FINDINGS_MAX)
    return [
        Finding("I3", f"entry at {seq}", "the dedupe table and the entry do not agree")
        for seq in wrong
    ]
