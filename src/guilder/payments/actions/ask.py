"""The second and third beat together: ask the provider, then write down what it said."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from guilder.connectors.psp.contract import Ask
from guilder.kernel.ids import AttemptId
from guilder.payments import store
from guilder.payments.actions.begin import Begun
from guilder.payments.actions.kit import Kit
from guilder.payments.errors import OperationDeclined
from guilder.payments.model import Answered, Attempt, Conclusion, Show, Standing
from guilder.payments.rules.concluding import is_refused
from guilder.payments.states import AttemptState
from guilder.plumbing import idempotency

T = TypeVar("T")


async def finish(
    kit: Kit, begun: Begun, key: idempotency.Key, show: Show, *, token: str | None = None
) -> Answered:
    """Take a begun order to its answer, or give a repeated one the answer it had.

    Raises `KeyInProgress` while the first request with the key is still at work.
    """
    if begun.kept is not None:
        return await _repeat(kit, begun.kept, key, show)
    assert begun.standing is not None, "what was begun is to be asked"
    standing = await _ask_and_conclude(kit, begun.standing, key, show, token)
    _raise_if_refused(standing)
    return Answered(show(standing), is_replay=False)


async def unbroken(kit: Kit, work: Coroutine[Any, Any, T]) -> T:
    """Run work to its end even if the caller hangs up; a stopping process waits for it."""
    task = asyncio.create_task(work)
    kit.going.add(task)
    task.add_done_callback(kit.going.discard)
    return await asyncio.shield(task)


def ask_of(attempt: Attempt, *, token: str | None = None) -> Ask:
    """What to ask a provider for this attempt; the token is never kept, so only beat two has it."""
    return Ask(
        attempt_id=attempt.id,
        operation=attempt.operation,
        amount=attempt.amount,
        asked_at=attempt.asked_at,
        provider_ref=attempt.payment_ref,
        token=token,
        hints={"guilder_payment": str(attempt.payment_id)},
    )


async def _ask_and_conclude(
    kit: Kit, standing: Standing, key: idempotency.Key, show: Show, token: str | None
) -> Standing:
    attempt = standing.attempt
    psp = kit.providers.get(attempt.provider, is_test=attempt.is_test)
    answer = await psp.ask(ask_of(attempt, token=token))
    return await kit.conclusions.put(
        Conclusion(
            attempt_id=attempt.id,
            payment_id=attempt.payment_id,
            answer=answer,
            at=kit.clock.now(),
            key=key,
            show=show,
        )
    )


async def _repeat(
    kit: Kit, kept: idempotency.KeptKey, key: idempotency.Key, show: Show
) -> Answered:
    if kept.answer is not None:
        return Answered(kept.answer, is_replay=True)
    assert kept.subject_id is not None, "a key of a payment names its attempt"
    async with kit.db.reading() as tx:
        standing = await store.load_standing(tx, AttemptId(kept.subject_id))
    is_open = standing.attempt.state is AttemptState.ASKED
    if is_open and not kept.is_abandoned(kit.clock.now()):
        raise idempotency.KeyInProgress(
            "the first request with this Idempotency-Key is still being worked on",
            retry_after_seconds=1,
        )
    _raise_if_refused(standing)
    async with kit.db.transaction() as tx:
        await idempotency.answer(tx, [key], [show(standing)])
        settled = await idempotency.find(tx, key)
    assert settled is not None, "a key that was just answered is kept"
    assert settled.answer is not None, "a key that was just answered has an answer"
    return Answered(settled.answer, is_replay=True)


def _raise_if_refused(standing: Standing) -> None:
    attempt = standing.attempt
    if is_refused(attempt):
        raise OperationDeclined(
            f"{attempt.provider} refused the {attempt.operation}: {attempt.detail}; "
            f"the payment is still {standing.payment.state}"
        )
