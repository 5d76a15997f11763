"""The inbox: what a consumer has already done, so that twice is once."""

from collections.abc import Sequence
from uuid import UUID

from guilder.plumbing.db import Tx


async def first_times(tx: Tx, consumer: str, message_ids: Sequence[UUID]) -> set[UUID]:
    """Note these messages as done by this consumer; returns those it had not done before.

    Call it in the transaction of the work: if the work is undone, so is the note.
    """
    rows = await tx.rows(
        """
        insert into plumbing.inbox (consumer, message_id)
        select $1, message_id from unnest($2::uuid[]) as message_id order by message_id
        on conflict do nothing
        returning message_id
        """,
        consumer,
        list(message_ids),
    )
    return {row["message_id"] for row in rows}
