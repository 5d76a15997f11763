"""Once: an effect that is one transaction, done under its key one time and answered alike after."""

from collections.abc import Awaitable, Callable

from guilder.edge.endpoint import Call, Reply
from guilder.plumbing import idempotency
from guilder.plumbing.db import Database, Tx
from guilder.plumbing.idempotency import Answer, KeyInProgress

REPLAYED = ("idempotent-replayed", "true")
RETRY_AFTER_SECONDS = 1  # An effect of one transaction takes milliseconds.


async def once(call: Call, db: Database, work: Callable[[Tx], Awaitable[Reply]]) -> Reply:
    """Reserve the call's key, do the work and keep its answer, all in one transaction.

    A replay answers the kept bytes with `Idempotent-Replayed: true`. A refusal inside undoes the
    reservation too. Raises `KeyReused` for another request under this key, `KeyInProgress` when
    the first one is still at work.
    """
    key = call.reserved
    async with db.transaction() as tx:
        [kept] = await idempotency.reserve(tx, [key], [None], call.now)
        if kept is not None:
            idempotency.check(kept, key)
            return replay(kept.answer)
        reply = await work(tx)
        kept_body = reply.body if reply.kept is None else reply.kept
        await idempotency.answer(tx, [key], [Answer(reply.status, kept_body)])
    return reply


def replay(kept: Answer | None) -> Reply:
    """The answer that was kept, byte for byte. Raises `KeyInProgress` when there is none yet."""
    if kept is None:
        raise KeyInProgress(
            "the first request with this Idempotency-Key is still at work; ask again shortly",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )
    return Reply(kept.status, kept.body, (REPLAYED,))
