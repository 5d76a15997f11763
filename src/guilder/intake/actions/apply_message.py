"""Let what a kept message tells have its effect: once, however often it is looked at."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guilder.connectors.psp.contract import News
from guilder.connectors.psp.registry import Providers
from guilder.intake import store
from guilder.intake.model import Claim, Conclusion
from guilder.intake.rules import LEASE, TRIES_MAX, next_look, next_try
from guilder.intake.states import MessageState, move
from guilder.kernel.ids import InboundId
from guilder.plumbing.db import Database, DatabaseAway
from guilder.plumbing.logs import logger, redact

log = logger(__name__)

AT_ONCE = 8  # Each look may need a connection of the pool; jobs need some too.
TROUBLE_MAX = 500
NO_NEWS = "no_news"
UNKNOWN_PAYMENT = "unknown_payment"


class RecordNews(Protocol):
    """Payments' door: what a provider tells goes in, an outcome comes out."""

    async def __call__(self, provider: str, news: News, now: datetime, /, *, is_test: bool) -> str:
        """The outcome in a word; `unknown_payment` says that nothing here matches it yet."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What applying a message needs: the database, who can read it, and who believes it."""

    db: Database
    providers: Providers
    record_news: RecordNews


async def apply_message(tools: Tools, *, message_id: InboundId, now: datetime) -> None:
    """Apply one message; does nothing when it is concluded or another worker has it."""
    async with tools.db.transaction() as tx:
        claim = await store.claim_message(tx, message_id, now, now + LEASE)
    if claim is not None:
        await _conclude(tools.db, [await _look(tools, claim, now)], now)


async def apply_due(tools: Tools, *, now: datetime, limit: int = 100) -> int:
    """Look again at what is due: parked messages, troubled ones, and those whose job was lost.

    Returns how many were looked at.
    """
    async with tools.db.transaction() as tx:
        claims = await store.claim_due(tx, now, now + LEASE, limit=limit)
    for start in range(0, len(claims), AT_ONCE):
        some = claims[start : start + AT_ONCE]
        looks = await asyncio.gather(*(_look(tools, claim, now) for claim in some))
        await _conclude(tools.db, looks, now)
    return len(claims)


async def _look(tools: Tools, claim: Claim, now: datetime) -> Conclusion:
    """Read the raw message again, tell payments, and say what is to become of the message."""
    if claim.state is MessageState.RECEIVED and claim.tries > TRIES_MAX:
        return _set_aside(claim, "every try ended before it had a result")
    try:
        outcome = await _tell(tools, claim, now)
    except DatabaseAway:
        raise
    except Exception as trouble:  # The row keeps the trouble, and is tried again or set aside.
        log.warning("a message could not be applied", message=str(claim.id), exc_info=True)
        return _after_trouble(claim, f"{type(trouble).__name__}: {trouble}", now)
    if outcome == UNKNOWN_PAYMENT:
        return _parked(claim, now)
    return Conclusion(claim, move(claim.state, MessageState.PROCESSED), outcome=outcome)


async def _tell(tools: Tools, claim: Claim, now: datetime) -> str:
    """The signature's age counts from when the message came, not from when it is read again."""
    psp = tools.providers.get(claim.provider, is_test=claim.is_test)
    message = psp.read_message(claim.headers, claim.payload, claim.received_at)
    if message.news is None:
        return NO_NEWS
    return await tools.record_news(claim.provider, message.news, now, is_test=claim.is_test)


def _parked(claim: Claim, now: datetime) -> Conclusion:
    look_at = next_look(claim.received_at, now)
    if look_at is None:
        return _set_aside(claim, "no payment of ours became known that it could be about")
    after = (
        claim.state
        if claim.state is MessageState.PARKED
        else move(claim.state, MessageState.PARKED)
    )
    return Conclusion(
        claim, after, trouble="it is about a payment we do not know yet", next_try_at=look_at
    )


def _after_trouble(claim: Claim, trouble: str, now: datetime) -> Conclusion:
    at = (
        next_try(claim.tries, now)
        if claim.state is MessageState.RECEIVED
        else next_look(claim.received_at, now)
    )
    if at is None:
        return _set_aside(claim, trouble)
    return Conclusion(claim, claim.state, trouble=_short(trouble), next_try_at=at)


def _set_aside(claim: Claim, trouble: str) -> Conclusion:
    log.error("a message was set aside", message=str(claim.id), trouble=_short(trouble))
    return Conclusion(claim, move(claim.state, MessageState.FAILED), trouble=_short(trouble))


def _short(trouble: str) -> str:
    return redact(trouble).replace("\0", "")[:TROUBLE_MAX]


async def _conclude(db: Database, conclusions: Sequence[Conclusion], now: datetime) -> None:
    async with db.transaction() as tx:
        await store.save_conclusions(tx, conclusions, now)
