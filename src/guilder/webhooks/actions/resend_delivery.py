"""Send a delivery again: at once, with all its tries, under the id it always had."""

from datetime import datetime

from guilder.kernel.ids import DeliveryId
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Tx
from guilder.webhooks import queries, store
from guilder.webhooks.errors import WebhookDeliveryNotFound, WebhookEndpointNotEnabled
from guilder.webhooks.model import Delivery
from guilder.webhooks.rules.schedule import TRIES_MAX
from guilder.webhooks.states import DeliveryState, EndpointState, move_delivery


async def resend_delivery(
    tx: Tx, scope: Scope, delivery_id: DeliveryId, *, now: datetime
) -> Delivery:
    """The delivery, pending and due. Its receiver may get it once more: it keeps its id.

    Raises `WebhookDeliveryNotFound` or `WebhookEndpointNotEnabled`.
    """
    delivery = await _find(tx, scope, delivery_id)
    [endpoint] = await store.list_endpoints_for_update(tx, [delivery.endpoint_id])
    if endpoint.state is not EndpointState.ENABLED:
        raise WebhookEndpointNotEnabled(
            f"the endpoint {endpoint.id} is {endpoint.state}; enable it first, if it is yours still"
        )
    if delivery.state is not DeliveryState.PENDING:
        move_delivery(delivery.state, DeliveryState.PENDING)
    await store.save_resent(tx, delivery_id, tries_max=TRIES_MAX, now=now)
    return await _find(tx, scope, delivery_id)


async def _find(tx: Tx, scope: Scope, delivery_id: DeliveryId) -> Delivery:
    delivery = await queries.find_delivery(tx, scope, delivery_id)
    if delivery is None:
        raise WebhookDeliveryNotFound(f"there is no webhook delivery {delivery_id}")
    return delivery
