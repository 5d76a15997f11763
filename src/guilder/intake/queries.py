"""SQL that reads providers' messages: for a money trail, and for people who look after them."""

from collections.abc import Sequence
from datetime import datetime

from guilder.intake.model import KeptMessage
from guilder.intake.states import MessageState
from guilder.kernel.ids import InboundId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import ReadTx, Row

ABOUT_MAX = 1000  # A payment has a handful; this only bounds the answer.


async def list_messages_about(
    tx: ReadTx, scope: Scope, *, provider: str, payment_refs: Sequence[str]
) -> list[KeptMessage]:
    """Messages about these payments of one provider, in the order they came.

    `payment_refs` are the provider's ids of payments the caller may see: messages belong to the
    installation, and only the payment they are about says whose they are.
    """
    rows = await tx.rows(
        """
        select id, provider, provider_event_id, topic, payment_ref, state, tries, outcome, trouble,
               happened_at, received_at, processed_at
          from intake.message
         where is_test = $1
           and provider = $2
           and payment_ref = any($3::text[])
         order by sequence
         limit $4
        """,
        scope.is_test,
        provider,
        list(payment_refs),
        ABOUT_MAX,
    )
    return [_kept(row) for row in rows]


async def list_set_aside(tx: ReadTx, scope: Scope, *, limit: int) -> list[KeptMessage]:
    """The oldest messages of one mode that were set aside, each with its trouble.

    Empty for a caller below the platform: they belong to the installation.
    """
    rows = await tx.rows(
        """
        select id, provider, provider_event_id, topic, payment_ref, state, tries, outcome, trouble,
               happened_at, received_at, processed_at
          from intake.message
         where is_test = $1
           and $2
           and state = 'failed'
         order by id
         limit $3
        """,
        scope.is_test,
        scope.merchant_id is None and scope.reseller_id is None,
        limit,
    )
    return [_kept(row) for row in rows]


async def count_lingering(tx: ReadTx, scope: Scope, *, before: datetime) -> int:
    """Messages of one mode received before this instant and not applied, parked or set aside."""
    return await tx.value(
        """
        select count(*)
          from intake.message
         where is_test = $1
           and state = 'received'
           and received_at < $2
        """,
        scope.is_test,
        before,
    )


def _kept(row: Row) -> KeptMessage:
    return KeptMessage(
        id=InboundId(row["id"]),
        provider=row["provider"],
        provider_event_id=row["provider_event_id"],
        topic=row["topic"],
        payment_ref=row["payment_ref"],
        state=MessageState(row["state"]),
        tries=row["tries"],
        outcome=row["outcome"],
        trouble=row["trouble"],
        happened_at=row["happened_at"],
        received_at=row["received_at"],
        processed_at=row["processed_at"],
    )
