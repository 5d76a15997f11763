"""SQL that keeps endpoints, queues deliveries and sends them along; sets, not rows."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from guilder.kernel.ids import DeliveryId, EndpointId, EventId, MerchantId, ResellerId
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Row, Tx
from guilder.plumbing.outbox import Message
from guilder.webhooks.model import Endpoint, Errand, Listener, NewEndpoint, QueuedMessage, TryRecord
from guilder.webhooks.states import EndpointState

ENDPOINTS_MAX = 50  # Of one merchant in one mode: each event costs a row for each of them.


async def insert_endpoint(
    tx: Tx, order: NewEndpoint, reseller_id: ResellerId | None, *, secret: Secret, now: datetime
) -> Endpoint | None:
    """Keep a new endpoint with its secret; None when its merchant has all it may of this mode."""
    row = await tx.find(
        """
        insert into webhooks.endpoint as endpoint
               (id, is_test, merchant_id, reseller_id, url, topics, description, secret,
                created_at, moved_at, moved_by)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10
         where $11 > (select count(*) from webhooks.endpoint as other
                       where other.merchant_id = $3
                         and other.is_test = $2
                         and other.state <> 'deleted')
        returning endpoint.*
        """,
        EndpointId.new().value,
        order.is_test,
        order.merchant_id.value,
        reseller_id.value if reseller_id else None,
        order.url,
        list(order.topics),
        order.description,
        secret.reveal(),
        now,
        order.asked_by,
        ENDPOINTS_MAX,
    )
    return endpoint_of(row) if row else None


async def list_endpoints_for_update(tx: Tx, ids: Collection[EndpointId]) -> list[Endpoint]:
    """These endpoints, locked in the order of their ids."""
    rows = await tx.rows(
        """
        select * from webhooks.endpoint where id = any($1::uuid[]) order by id for no key update
        """,
        [endpoint_id.value for endpoint_id in ids],
    )
    return [endpoint_of(row) for row in rows]


async def save_endpoint_state(
    tx: Tx,
    before: Endpoint,
    after: EndpointState,
    *,
    reason: str | None,
    moved_by: str,
    now: datetime,
) -> Endpoint | None:
    """The endpoint in its new state; a deleted one forgets its secrets.

    None when someone changed it since we read it.
    """
    row = await tx.find(
        """
        update webhooks.endpoint as endpoint
           set state = $3, reason = $4, moved_by = $5, moved_at = $6, version = version + 1,
               failing_since = case when $3 <> 'enabled' then failing_since end,
               secret = case when $3 <> 'deleted' then secret end,
               former_secret = case when $3 <> 'deleted' then former_secret end,
               former_secret_until = case when $3 <> 'deleted' then former_secret_until end
         where id = $1
           and version = $2
        returning endpoint.*
        """,
        before.id.value,
        before.version,
        after.value,
        reason,
        moved_by,
        now,
    )
    return endpoint_of(row) if row else None


async def save_secret(
    tx: Tx,
    before: Endpoint,
    secret: Secret,
    *,
    former_until: datetime,
    moved_by: str,
    now: datetime,
) -> Endpoint | None:
    """The endpoint with a new secret; the one it had signs beside it until `former_until`.

    None when someone changed it since we read it.
    """
    row = await tx.find(
        """
        update webhooks.endpoint as endpoint
           set secret = $3, former_secret = secret, former_secret_until = $4, moved_by = $5,
               moved_at = $6, version = version + 1
         where id = $1
           and version = $2
        returning endpoint.*
        """,
        before.id.value,
        before.version,
        secret.reveal(),
        former_until,
        moved_by,
        now,
    )
    return endpoint_of(row) if row else None


async def save_health(
    tx: Tx, *, failing: Collection[EndpointId], healthy: Collection[EndpointId], now: datetime
) -> None:
    """Note since when endpoints fail, or that they do not; their rows are locked already."""
    await tx.run(
        """
        update webhooks.endpoint
           set failing_since = case when id = any($1::uuid[]) then coalesce(failing_since, $3) end
         where id = any($1::uuid[] || $2::uuid[])
           and (failing_since is null) = (id = any($1::uuid[]))
        """,
        [endpoint_id.value for endpoint_id in failing],
        [endpoint_id.value for endpoint_id in healthy],
        now,
    )


async def list_listeners(tx: Tx, messages: Sequence[Message]) -> list[Listener]:
    """Who is to be told of which of these messages, in the order of endpoints.

    The endpoints are held against being disabled or deleted until this transaction ends, so that
    no delivery is queued behind the one that gives up the rest.
    """
    rows = await tx.rows(
        """
        select given.place::int - 1 as place, endpoint.id as endpoint_id,
               coalesce((select max(message.sequence) from webhooks.message as message
                          where message.subject = given.subject), 0) as last_sequence
          from unnest($1::uuid[], $2::bool[], $3::text[], $4::text[])
               with ordinality as given (merchant_id, is_test, topic, subject, place)
          join webhooks.endpoint using (merchant_id, is_test)
         where endpoint.state = 'enabled'
           and (endpoint.topics = '{*}' or given.topic = any(endpoint.topics))
         order by endpoint.id, given.place
           for share of endpoint
        """,
        [message.merchant_id.value for message in messages],
        [message.is_test for message in messages],
        [message.topic for message in messages],
        [message.subject for message in messages],
    )
    return [
        Listener(row["place"], EndpointId(row["endpoint_id"]), row["last_sequence"]) for row in rows
    ]


async def insert_deliveries(
    tx: Tx,
    messages: Sequence[QueuedMessage],
    deliveries: Sequence[tuple[DeliveryId, EndpointId, EventId]],
    *,
    tries_max: int,
    now: datetime,
) -> int:
    """Keep each message once, and queue its deliveries, due at once; returns how many were new."""
    return await tx.run(
        """
        with kept as (
            insert into webhooks.message
                   (event_id, is_test, merchant_id, topic, subject, sequence, happened_at, body)
            select * from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::text[], $5::text[],
                                 $6::bigint[], $7::timestamptz[], $8::bytea[])
            on conflict (event_id) do nothing)
        insert into webhooks.delivery
               (id, endpoint_id, event_id, is_test, merchant_id, reseller_id, tries_left,
                next_try_at, created_at, moved_at)
        select given.id, endpoint.id, given.event_id, endpoint.is_test, endpoint.merchant_id,
               endpoint.reseller_id, $12, $13, $13, $13
          from unnest($9::uuid[], $10::uuid[], $11::uuid[]) as given (id, endpoint_id, event_id)
          join webhooks.endpoint on endpoint.id = given.endpoint_id
        on conflict on constraint each_event_once_per_endpoint do nothing
        """,
        [message.event_id.value for message in messages],
        [message.is_test for message in messages],
        [message.merchant_id.value for message in messages],
        [message.topic for message in messages],
        [message.subject for message in messages],
        [message.sequence for message in messages],
        [message.happened_at for message in messages],
        [message.body for message in messages],
        [delivery_id.value for delivery_id, _, _ in deliveries],
        [endpoint_id.value for _, endpoint_id, _ in deliveries],
        [event_id.value for _, _, event_id in deliveries],
        tries_max,
        now,
    )


async def claim_due(
    tx: Tx, now: datetime, *, lease: timedelta, limit: int, at_once: int, failing_at_once: int
) -> list[Errand]:
    """Deliveries that are due, for this worker alone until the lease ends.

    Of one endpoint so many are out at a time, and those that do well go first.
    """
    rows = await tx.rows(
        """
        with due as (
            select chosen.id
              from webhooks.list_waiting_endpoints() as waiting (endpoint_id)
              join webhooks.endpoint on endpoint.id = waiting.endpoint_id
             cross join lateral (
                   select delivery.id, delivery.next_try_at
                     from webhooks.delivery
                    where delivery.endpoint_id = waiting.endpoint_id
                      and delivery.state = 'pending'
                      and delivery.next_try_at <= $1
                      and (delivery.claimed_until is null or delivery.claimed_until <= $1)
                    order by delivery.next_try_at
                    limit greatest(0,
                              case when endpoint.failing_since is null then $4::int else $5::int end
                              - (select count(*) from webhooks.delivery as busy
                                  where busy.endpoint_id = waiting.endpoint_id
                                    and busy.claimed_until > $1))
                      for update skip locked) as chosen
             order by endpoint.failing_since is not null, chosen.next_try_at
             limit $3)
        update webhooks.delivery as delivery
           set tries = tries + 1, claimed_until = $1 + $2
          from due, webhooks.endpoint as endpoint, webhooks.message as message
         where delivery.id = due.id
           and endpoint.id = delivery.endpoint_id
           and message.event_id = delivery.event_id
        returning delivery.id, delivery.endpoint_id, delivery.event_id, delivery.tries,
                  delivery.tries_left, endpoint.url, endpoint.secret, endpoint.former_secret,
                  endpoint.former_secret_until, endpoint.failing_since, message.body
        """,
        now,
        lease,
        limit,
        at_once,
        failing_at_once,
    )
    return [_errand(row, now) for row in rows]


async def save_tries(tx: Tx, records: Sequence[TryRecord]) -> int:
    """Log tries and write what follows from them; returns how many deliveries this changed.

    A delivery that was given up or claimed by another worker meanwhile keeps what it has.
    """
    ordered = sorted(records, key=lambda record: record.errand.delivery_id)
    return await tx.run(
        """
        with given as (
            select *
              from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::int[], $5::int[],
                          $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
                   as given (id, number, tried_at, duration_ms, status, trouble, state, ended_at,
                             next_try_at)),
        logged as (
            insert into webhooks.delivery_try
                   (delivery_id, number, tried_at, duration_ms, status, trouble)
            select id, number, tried_at, duration_ms, status, trouble from given)
        update webhooks.delivery as delivery
           set state = given.state,
               moved_at = case when given.state = 'pending' then moved_at else given.ended_at end,
               delivered_at = case when given.state = 'delivered' then given.ended_at end,
               tries_left = tries_left - 1,
               next_try_at = coalesce(given.next_try_at, delivery.next_try_at),
               claimed_until = null,
               last_status = given.status,
               trouble = given.trouble
          from given
         where delivery.id = given.id
           and delivery.tries = given.number
           and delivery.state = 'pending'
        """,
        [record.errand.delivery_id.value for record in ordered],
        [record.errand.number for record in ordered],
        [record.tried_at for record in ordered],
        [record.answer.duration_ms for record in ordered],
        [record.answer.status for record in ordered],
        [record.answer.trouble for record in ordered],
        [record.state.value for record in ordered],
        [record.ended_at for record in ordered],
        [record.next_try_at for record in ordered],
    )


async def save_given_up(
    tx: Tx, endpoint_ids: Collection[EndpointId], *, trouble: str, now: datetime
) -> int:
    """Give up whatever waits for these endpoints, whose rows are locked; returns how many."""
    return await tx.run(
        """
        with waiting as (
            select id
              from webhooks.delivery
             where endpoint_id = any($1::uuid[])
               and state = 'pending'
             order by id
               for no key update)
        update webhooks.delivery as delivery
           set state = 'failed', trouble = $2, moved_at = $3, claimed_until = null
          from waiting
         where delivery.id = waiting.id
        """,
        [endpoint_id.value for endpoint_id in endpoint_ids],
        trouble,
        now,
    )


async def save_resent(tx: Tx, delivery_id: DeliveryId, *, tries_max: int, now: datetime) -> None:
    """Make a delivery due at once, with all its tries before it.

    One that is out at this moment stays with the worker that has it.
    """
    await tx.run(
        """
        update webhooks.delivery
           set state = 'pending',
               moved_at = case when state = 'pending' then moved_at else $3 end,
               delivered_at = null,
               tries_left = $2,
               next_try_at = $3,
               claimed_until = case when state = 'pending' then claimed_until end
         where id = $1
        """,
        delivery_id.value,
        tries_max,
        now,
    )


def endpoint_of(row: Row) -> Endpoint:
    """An endpoint from its columns, which never include its secrets."""
    return Endpoint(
        id=EndpointId(row["id"]),
        is_test=row["is_test"],
        merchant_id=MerchantId(row["merchant_id"]),
        reseller_id=ResellerId(row["reseller_id"]) if row["reseller_id"] else None,
        url=row["url"],
        topics=tuple(row["topics"]),
        description=row["description"],
        state=EndpointState(row["state"]),
        reason=row["reason"],
        failing_since=row["failing_since"],
        former_secret_until=row["former_secret_until"],
        created_at=row["created_at"],
        version=row["version"],
    )


def _errand(row: Row, now: datetime) -> Errand:
    secrets = [Secret(row["secret"])]
    if row["former_secret"] is not None and row["former_secret_until"] > now:
        secrets.append(Secret(row["former_secret"]))
    return Errand(
        delivery_id=DeliveryId(row["id"]),
        endpoint_id=EndpointId(row["endpoint_id"]),
        event_id=EventId(row["event_id"]),
        number=row["tries"],
        tries_left=row["tries_left"],
        url=row["url"],
        secrets=tuple(secrets),
        body=bytes(row["body"]),
        is_failing=row["failing_since"] is not None,
    )
