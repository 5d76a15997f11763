"""A provider's own message reaches the same third beat as everything else."""

from datetime import datetime
from enum import StrEnum

from guilder.connectors.psp.contract import News
from guilder.payments import store
from guilder.payments.actions.kit import Kit
from guilder.payments.model import Attempt, Conclusion


class NewsOutcome(StrEnum):
    """What became of a provider's message."""

    DONE = "done"
    UNKNOWN_PAYMENT = "unknown_payment"  # Nothing here matches it yet; try again later.


async def record_news(
    kit: Kit, provider: str, news: News, now: datetime, *, is_test: bool
) -> NewsOutcome:
    """Conclude the attempt that the message is about; a repeat finds nothing left to do."""
    attempt = await _find(kit, provider, news, is_test=is_test)
    if attempt is None:
        return NewsOutcome.UNKNOWN_PAYMENT
    await kit.conclusions.put(Conclusion(attempt.id, attempt.payment_id, news.answer, now))
    return NewsOutcome.DONE


async def _find(kit: Kit, provider: str, news: News, *, is_test: bool) -> Attempt | None:
    async with kit.db.reading() as tx:
        if news.our_ref is not None:
            named = (await store.load_attempts(tx, [news.our_ref])).get(news.our_ref)
            if named and (named.provider, named.is_test) == (provider, is_test):
                return named if named.operation is news.operation else None
        return await store.find_attempt_for_news(
            tx, provider, news.payment_ref, news.operation, is_test=is_test
        )
