"""Find out what became of attempts nobody answered for. It trusts only the rows."""

import asyncio
from datetime import datetime, timedelta

from guilder.connectors.psp.contract import Answer, Verdict
from guilder.connectors.psp.registry import ProviderNotConfigured
from guilder.payments import store
from guilder.payments.actions.ask import ask_of
from guilder.payments.actions.kit import Kit
from guilder.payments.model import Attempt, Conclusion, Standing
from guilder.payments.rules.concluding import CREATING

AT_ONCE = 32  # Enough to clear a backlog soon, few enough for a provider that is coming back.
LEASE = timedelta(seconds=60)  # Longer than a look-up can last: nobody asks twice at once.


async def resolve_attempts(kit: Kit, now: datetime, *, limit: int = AT_ONCE) -> int:
    """Look up the attempts that are due and conclude them; returns how many were looked at.

    Run it once or ten times, early or late, in two processes at once: the end is the same.
    """
    async with kit.db.transaction() as tx:
        due = await store.claim_due_attempts(tx, now, lease=LEASE, limit=limit)
    await asyncio.gather(*(resolve_attempt(kit, attempt) for attempt in due))
    return len(due)


async def resolve_attempt(kit: Kit, attempt: Attempt) -> Standing:
    """Ask the provider what became of one attempt, and conclude as it says."""
    answer = await _find_out(kit, attempt)
    return await kit.conclusions.put(
        Conclusion(attempt.id, attempt.payment_id, answer, kit.clock.now())
    )


async def _find_out(kit: Kit, attempt: Attempt) -> Answer:
    try:
        psp = kit.providers.get(attempt.provider, is_test=attempt.is_test)
    except ProviderNotConfigured as trouble:
        return Answer(Verdict.UNKNOWN, detail=trouble.message)
    answer = await psp.look_up(ask_of(attempt))
    if answer.verdict is Verdict.NEVER_SEEN and _is_to_be_sent(kit, attempt):
        return await psp.ask(ask_of(attempt))
    return answer


def _is_to_be_sent(kit: Kit, attempt: Attempt) -> bool:
    """A capture, void or refund that never arrived is sent again, under the same id.

    A payment is not: its payer may be gone. An undoing attempt has nobody else to send it.
    """
    if attempt.operation in CREATING:
        return False
    if attempt.undoes_id is not None:
        return True
    return kit.clock.now() - attempt.asked_at >= kit.patience
