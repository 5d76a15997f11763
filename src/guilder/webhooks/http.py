"""The desk of webhooks: a merchant's endpoints, and what was sent to them."""

from guilder.edge.endpoint import Call, Reply, delete, get, post
from guilder.edge.errors import FieldMissing
from guilder.edge.once import once
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel.ids import DeliveryId, EndpointId, EventId, MerchantId
from guilder.merchants.public import MerchantNotFound
from guilder.plumbing.db import Database, Tx
from guilder.webhooks import queries
from guilder.webhooks.actions.change_endpoint import (
    Change,
    delete_endpoint,
    enable_endpoint,
    rotate_secret,
)
from guilder.webhooks.actions.create_endpoint import create_endpoint
from guilder.webhooks.actions.resend_delivery import resend_delivery
from guilder.webhooks.errors import (
    TooManyWebhookEndpoints,
    WebhookDeliveryNotFound,
    WebhookEndpointNotEnabled,
    WebhookEndpointNotFound,
    WebhookTopicsRefused,
    WebhookUrlRefused,
)
from guilder.webhooks.model import NewEndpoint
from guilder.webhooks.queries import DeliveryFilter
from guilder.webhooks.states import DeliveryState
from guilder.webhooks.wire import (
    CreateWebhookEndpointRequest,
    WebhookDeliveryView,
    WebhookEndpointView,
)

ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"


class ListDeliveriesQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which deliveries."""

    endpoint_id: EndpointId | None = None
    event_id: EventId | None = None
    state: DeliveryState | None = None


class WebhooksDesk:
    """Webhook endpoints and deliveries over HTTP."""

    def __init__(self, db: Database, *, allow_private_receivers: bool) -> None:
        self._db = db
        self._allow_private = allow_private_receivers

    @post(
        ENDPOINTS,
        scope="webhooks:write",
        takes=CreateWebhookEndpointRequest,
        gives={201: WebhookEndpointView},
        refuses=(
            MerchantNotFound,
            WebhookUrlRefused,
            WebhookTopicsRefused,
            TooManyWebhookEndpoints,
        ),
        summary="Create a webhook endpoint",
    )
    async def create_webhook_endpoint(
        self, call: Call, body: CreateWebhookEndpointRequest
    ) -> Reply:
        order = NewEndpoint(
            is_test=call.caller.scope.is_test,
            merchant_id=_merchant_id(call, body.merchant_id),
            url=body.url,
            topics=tuple(body.topics),
            description=body.description,
            asked_by=str(call.caller.key_id),
        )

        async def create(tx: Tx) -> Reply:
            endpoint, secret = await create_endpoint(
                tx, call.caller.scope, order, allow_private=self._allow_private, now=call.now
            )
            view = WebhookEndpointView.of(endpoint, secret=secret)
            return Reply.of(201, view).keeping(WebhookEndpointView.of(endpoint))

        return await once(call, self._db, create)

    @get(
        ENDPOINTS,
        scope="webhooks:read",
        query=ListQuery,
        gives={200: ListView[WebhookEndpointView]},
        summary="List webhook endpoints",
    )
    async def list_webhook_endpoints(self, call: Call, query: ListQuery) -> Reply:
        asked = query.page(EndpointId)
        async with self._db.reading() as tx:
            page = await queries.list_endpoints(tx, call.caller.scope, asked)
        views = [WebhookEndpointView.of(endpoint) for endpoint in page.rows]
        return Reply.of(200, listed(ENDPOINTS, views, has_more=page.has_more))

    @get(
        ENDPOINTS + "/{endpoint_id}",
        scope="webhooks:read",
        gives={200: WebhookEndpointView},
        refuses=(WebhookEndpointNotFound,),
        summary="Show a webhook endpoint",
    )
    async def show_webhook_endpoint(self, call: Call) -> Reply:
        endpoint_id = _endpoint_id(call)
        async with self._db.reading() as tx:
            endpoint = await queries.find_endpoint(tx, call.caller.scope, endpoint_id)
        if endpoint is None:
            raise WebhookEndpointNotFound(f"there is no webhook endpoint {endpoint_id}")
        return Reply.of(200, WebhookEndpointView.of(endpoint))

    @delete(
        ENDPOINTS + "/{endpoint_id}",
        scope="webhooks:write",
        gives={200: WebhookEndpointView},
        refuses=(WebhookEndpointNotFound,),
        summary="Delete a webhook endpoint; what waits for it is given up",
    )
    async def delete_webhook_endpoint(self, call: Call) -> Reply:
        async with self._db.transaction() as tx:
            endpoint = await delete_endpoint(tx, _change(call))
        return Reply.of(200, WebhookEndpointView.of(endpoint))

    @post(
        ENDPOINTS + "/{endpoint_id}/rotate-secret",
        scope="webhooks:write",
        takes=None,
        gives={200: WebhookEndpointView},
        refuses=(WebhookEndpointNotFound,),
        summary="Give a webhook endpoint a new secret; the former one signs beside it for a day",
    )
    async def rotate_webhook_secret(self, call: Call) -> Reply:
        change = _change(call)

        async def rotate(tx: Tx) -> Reply:
            endpoint, secret = await rotate_secret(tx, change)
            view = WebhookEndpointView.of(endpoint, secret=secret)
            return Reply.of(200, view).keeping(WebhookEndpointView.of(endpoint))

        return await once(call, self._db, rotate)

    @post(
        ENDPOINTS + "/{endpoint_id}/enable",
        scope="webhooks:write",
        takes=None,
        gives={200: WebhookEndpointView},
        refuses=(WebhookEndpointNotFound,),
        summary="Enable a webhook endpoint that was disabled",
    )
    async def enable_webhook_endpoint(self, call: Call) -> Reply:
        change = _change(call)

        async def enable(tx: Tx) -> Reply:
            return Reply.of(200, WebhookEndpointView.of(await enable_endpoint(tx, change)))

        return await once(call, self._db, enable)

    @get(
        DELIVERIES,
        scope="webhooks:read",
        query=ListDeliveriesQuery,
        gives={200: ListView[WebhookDeliveryView]},
        summary="List webhook deliveries",
    )
    async def list_webhook_deliveries(self, call: Call, query: ListDeliveriesQuery) -> Reply:
        wanted = DeliveryFilter(query.endpoint_id, query.event_id, query.state)
        asked = query.page(DeliveryId)
        async with self._db.reading() as tx:
            page = await queries.list_deliveries(tx, call.caller.scope, wanted, asked)
        views = [WebhookDeliveryView.of(delivery) for delivery in page.rows]
        return Reply.of(200, listed(DELIVERIES, views, has_more=page.has_more))

    @get(
        DELIVERIES + "/{delivery_id}",
        scope="webhooks:read",
        gives={200: WebhookDeliveryView},
        refuses=(WebhookDeliveryNotFound,),
        summary="Show a webhook delivery with its tries",
    )
    async def show_webhook_delivery(self, call: Call) -> Reply:
        delivery_id = _delivery_id(call)
        async with self._db.reading() as tx:
            delivery = await queries.find_delivery(tx, call.caller.scope, delivery_id)
            tries = await queries.list_tries(tx, call.caller.scope, delivery_id)
        if delivery is None:
            raise WebhookDeliveryNotFound(f"there is no webhook delivery {delivery_id}")
        return Reply.of(200, WebhookDeliveryView.of(delivery, tries=tries))

    @post(
        DELIVERIES + "/{delivery_id}/resend",
        scope="webhooks:write",
        takes=None,
        gives={200: WebhookDeliveryView},
        refuses=(WebhookDeliveryNotFound, WebhookEndpointNotEnabled),
        summary="Send a webhook delivery again, with all its tries",
    )
    async def resend_webhook_delivery(self, call: Call) -> Reply:
        delivery_id = _delivery_id(call)

        async def resend(tx: Tx) -> Reply:
            delivery = await resend_delivery(tx, call.caller.scope, delivery_id, now=call.now)
            return Reply.of(200, WebhookDeliveryView.of(delivery))

        return await once(call, self._db, resend)


def _merchant_id(call: Call, named: MerchantId | None) -> MerchantId:
    merchant_id = named or call.caller.scope.merchant_id
    if merchant_id is None:
        raise FieldMissing(
            "merchant_id: say whose endpoint it is; your key has more than one merchant",
            param="merchant_id",
        )
    return merchant_id


def _change(call: Call) -> Change:
    return Change(call.caller.scope, _endpoint_id(call), str(call.caller.key_id), call.now)


def _endpoint_id(call: Call) -> EndpointId:
    return EndpointId.parse(call.path["endpoint_id"], param="endpoint_id")


def _delivery_id(call: Call) -> DeliveryId:
    return DeliveryId.parse(call.path["delivery_id"], param="delivery_id")
