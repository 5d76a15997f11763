"""Change a webhook endpoint: rotate its secret, enable it again, delete it, disable it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from guilder.kernel.ids import EndpointId
from guilder.kernel.scope import Scope
from guilder.kernel.secret import Secret
from guilder.plumbing import outbox
from guilder.plumbing.db import Tx
from guilder.webhooks import events, store
from guilder.webhooks.actions.create_endpoint import new_secret
from guilder.webhooks.errors import WebhookEndpointNotFound
from guilder.webhooks.model import Endpoint
from guilder.webhooks.states import EndpointState, move_endpoint

FORMER_SECRET_VALID = timedelta(hours=24)  # Time for a receiver's own rollout and a mistake in it.
GONE = "the receiver answered 410 Gone"
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Change:
    """Which endpoint, who asks, and when."""

    scope: Scope
    endpoint_id: EndpointId
    asked_by: str
    now: datetime


async def rotate_secret(tx: Tx, change: Change) -> tuple[Endpoint, Secret]:
    """A new secret, shown this once; the former one signs beside it for a day.

    Raises `WebhookEndpointNotFound`.
    """
    endpoint = await _find(tx, change)
    secret = new_secret()
    until = change.now + FORMER_SECRET_VALID
    saved = await store.save_secret(
        tx, endpoint, secret, former_until=until, moved_by=change.asked_by, now=change.now
    )
    assert saved is not None, "the row is locked"
    told = events.WebhookSecretRotated(
        endpoint_id=saved.id,
        merchant_id=saved.merchant_id,
        is_test=saved.is_test,
        url=saved.place,
        happened_at=change.now,
        former_secret_until=until,
    )
    await outbox.put(tx, [told])
    return saved, secret


async def enable_endpoint(tx: Tx, change: Change) -> Endpoint:
    """The endpoint, enabled; one that is enabled already stays as it is.

    What was given up meanwhile is sent again by the merchant's own wish, not by this.
    Raises `WebhookEndpointNotFound`.
    """
    endpoint = await _find(tx, change)
    if endpoint.state is EndpointState.ENABLED:
        return endpoint
    saved = await _save(tx, endpoint, EndpointState.ENABLED, change)
    await outbox.put(tx, [_told(events.WebhookEndpointEnabled, saved, change.now)])
    return saved


async def delete_endpoint(tx: Tx, change: Change) -> Endpoint:
    """The endpoint, gone for good with its secret; its deliveries stay, and can be read.

    One that is gone already stays so. Raises `WebhookEndpointNotFound`.
    """
    endpoint = await _find(tx, change, even_deleted=True)
    if endpoint.state is EndpointState.DELETED:
        return endpoint
    saved = await _save(tx, endpoint, EndpointState.DELETED, change)
    await store.save_given_up(tx, [saved.id], trouble="the endpoint was deleted", now=change.now)
    await outbox.put(tx, [_told(events.WebhookEndpointDeleted, saved, change.now)])
    return saved


async def disable_gone(tx: Tx, endpoints: Collection[Endpoint], now: datetime) -> None:
    """Disable endpoints that answered 410; their rows are locked already.

    Nothing else is queued for them, and what waits is given up.
    """
    told: list[events.WebhookEndpointDisabled] = []
    for endpoint in endpoints:
        if endpoint.state is not EndpointState.ENABLED:
            continue
        after = move_endpoint(endpoint.state, EndpointState.DISABLED)
        saved = await store.save_endpoint_state(
            tx, endpoint, after, reason=GONE, moved_by=WORKER, now=now
        )
        assert saved is not None, "the row is locked"
        told.append(
            events.WebhookEndpointDisabled(
                endpoint_id=saved.id,
                merchant_id=saved.merchant_id,
                is_test=saved.is_test,
                url=saved.place,
                happened_at=now,
                reason=GONE,
            )
        )
    if told:
        await store.save_given_up(tx, [one.endpoint_id for one in told], trouble=GONE, now=now)
        await outbox.put(tx, told)


async def _find(tx: Tx, change: Change, *, even_deleted: bool = False) -> Endpoint:
    for endpoint in await store.list_endpoints_for_update(tx, [change.endpoint_id]):
        is_there = even_deleted or endpoint.state is not EndpointState.DELETED
        if is_there and endpoint.is_within(change.scope):
            return endpoint
    raise WebhookEndpointNotFound(f"there is no webhook endpoint {change.endpoint_id}")


async def _save(tx: Tx, endpoint: Endpoint, after: EndpointState, change: Change) -> Endpoint:
    saved = await store.save_endpoint_state(
        tx,
        endpoint,
        move_endpoint(endpoint.state, after),
        reason=None,
        moved_by=change.asked_by,
        now=change.now,
    )
    assert saved is not None, "the row is locked"
    return saved


def _told(
    kind: type[events.WebhookEndpointEnabled] | type[events.WebhookEndpointDeleted],
    endpoint: Endpoint,
    now: datetime,
) -> events.WebhookEndpointEnabled | events.WebhookEndpointDeleted:
    return kind(
        endpoint_id=endpoint.id,
        merchant_id=endpoint.merchant_id,
        is_test=endpoint.is_test,
        url=endpoint.place,
        happened_at=now,
    )
