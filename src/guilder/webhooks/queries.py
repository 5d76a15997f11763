"""SQL that reads endpoints, deliveries and tries, always within a scope."""

from collections.abc import Sequence
from dataclasses import dataclass

from guilder.kernel.ids import DeliveryId, EndpointId, EventId
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.plumbing.db import ReadTx, Row
from guilder.webhooks.model import Delivery, Endpoint, Try
from guilder.webhooks.states import DeliveryState
from guilder.webhooks.store import endpoint_of

ABOUT_MAX = 1000  # A payment has a handful of events; this only bounds the answer.


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are asked for; None leaves that side open."""

    endpoint_id: EndpointId | None = None
    event_id: EventId | None = None
    state: DeliveryState | None = None


async def find_endpoint(tx: ReadTx, scope: Scope, endpoint_id: EndpointId) -> Endpoint | None:
    """One of the caller's endpoints, or None; a deleted one is none."""
    row = await tx.find(
        """
        select id, is_test, merchant_id, reseller_id, url, topics, description, state, reason,
               failing_since, former_secret_until, created_at, version
          from webhooks.endpoint
         where id = $1
           and is_test = $2
           and ($3::uuid is null or merchant_id = $3)
           and ($4::uuid is null or reseller_id = $4)
           and state <> 'deleted'
        """,
        endpoint_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
    )
    return endpoint_of(row) if row else None


async def list_endpoints(tx: ReadTx, scope: Scope, page: PageRequest) -> Page[Endpoint]:
    """The caller's endpoints without the deleted ones, newest first."""
    rows = await tx.rows(
        """
        select id, is_test, merchant_id, reseller_id, url, topics, description, state, reason,
               failing_since, former_secret_until, created_at, version
          from webhooks.endpoint
         where is_test = $1
           and ($2::uuid is null or merchant_id = $2)
           and ($3::uuid is null or reseller_id = $3)
           and state <> 'deleted'
           and ($4::uuid is null or id < $4)
           and ($5::uuid is null or id > $5)
         order by case when $5::uuid is null then id end desc, id
         limit $6
        """,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
        page.after,
        page.before,
        page.limit + 1,
    )
    return page_of([endpoint_of(row) for row in rows], page)


async def find_delivery(tx: ReadTx, scope: Scope, delivery_id: DeliveryId) -> Delivery | None:
    """One of the caller's deliveries, or None."""
    row = await tx.find(
        """
        select delivery.id, delivery.is_test, endpoint_id, url, delivery.event_id, topic, subject,
               delivery.state, tries, next_try_at, last_status, trouble, delivery.created_at,
               delivered_at
          from webhooks.delivery
          join webhooks.endpoint on endpoint.id = delivery.endpoint_id
          join webhooks.message on message.event_id = delivery.event_id
         where delivery.id = $1
           and delivery.is_test = $2
           and ($3::uuid is null or delivery.merchant_id = $3)
           and ($4::uuid is null or delivery.reseller_id = $4)
        """,
        delivery_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
    )
    return _delivery(row) if row else None


async def list_deliveries(
    tx: ReadTx, scope: Scope, wanted: DeliveryFilter, page: PageRequest
) -> Page[Delivery]:
    """The caller's deliveries that pass the filter, newest first."""
    rows = await tx.rows(
        """
        select delivery.id, delivery.is_test, endpoint_id, url, delivery.event_id, topic, subject,
               delivery.state, tries, next_try_at, last_status, trouble, delivery.created_at,
               delivered_at
          from webhooks.delivery
          join webhooks.endpoint on endpoint.id = delivery.endpoint_id
          join webhooks.message on message.event_id = delivery.event_id
         where delivery.is_test = $1
           and ($2::uuid is null or delivery.merchant_id = $2)
           and ($3::uuid is null or delivery.reseller_id = $3)
           and ($4::uuid is null or delivery.endpoint_id = $4)
           and ($5::uuid is null or delivery.event_id = $5)
           and ($6::text is null or delivery.state = $6)
           and ($7::uuid is null or delivery.id < $7)
           and ($8::uuid is null or delivery.id > $8)
         order by case when $8::uuid is null then delivery.id end desc, delivery.id
         limit $9
        """,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
        wanted.endpoint_id.value if wanted.endpoint_id else None,
        wanted.event_id.value if wanted.event_id else None,
        wanted.state.value if wanted.state else None,
        page.after,
        page.before,
        page.limit + 1,
    )
    return page_of([_delivery(row) for row in rows], page)


async def list_tries(tx: ReadTx, scope: Scope, delivery_id: DeliveryId) -> list[Try]:
    """The log of one of the caller's deliveries, first try first."""
    rows = await tx.rows(
        """
        select number, tried_at, duration_ms, status, delivery_try.trouble
          from webhooks.delivery_try
          join webhooks.delivery on delivery.id = delivery_try.delivery_id
         where delivery_id = $1
           and is_test = $2
           and ($3::uuid is null or merchant_id = $3)
           and ($4::uuid is null or reseller_id = $4)
         order by number
        """,
        delivery_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
    )
    return [
        Try(row["number"], row["tried_at"], row["duration_ms"], row["status"], row["trouble"])
        for row in rows
    ]


async def list_deliveries_about(
    tx: ReadTx, scope: Scope, event_ids: Sequence[EventId]
) -> list[Delivery]:
    """The caller's deliveries of these events, in the order they were queued."""
    rows = await tx.rows(
        """
        select delivery.id, delivery.is_test, endpoint_id, url, delivery.event_id, topic, subject,
               delivery.state, tries, next_try_at, last_status, trouble, delivery.created_at,
               delivered_at
          from webhooks.delivery
          join webhooks.endpoint on endpoint.id = delivery.endpoint_id
          join webhooks.message on message.event_id = delivery.event_id
         where delivery.event_id = any($1::uuid[])
           and delivery.is_test = $2
           and ($3::uuid is null or delivery.merchant_id = $3)
           and ($4::uuid is null or delivery.reseller_id = $4)
         order by delivery.id
         limit $5
        """,
        [event_id.value for event_id in event_ids],
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
        ABOUT_MAX,
    )
    return [_delivery(row) for row in rows]


def _delivery(row: Row) -> Delivery:
    state = DeliveryState(row["state"])
    return Delivery(
        id=DeliveryId(row["id"]),
        is_test=row["is_test"],
        endpoint_id=EndpointId(row["endpoint_id"]),
        url=row["url"],
        event_id=EventId(row["event_id"]),
        topic=row["topic"],
        subject=row["subject"],
        state=state,
        tries=row["tries"],
        next_try_at=row["next_try_at"] if state is DeliveryState.PENDING else None,
        last_status=row["last_status"],
        trouble=row["trouble"],
        created_at=row["created_at"],
        delivered_at=row["delivered_at"],
    )
