"""A small desk that shows every shape of endpoint, and its callers."""

from typing import Annotated, Literal

import msgspec
from litestar import Litestar
from msgspec import Meta

from guilder.edge.app import build_app
from guilder.edge.caller import Caller
from guilder.edge.endpoint import Call, Reply, delete, get, patch, post
from guilder.edge.errors import Unauthenticated
from guilder.edge.once import once
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel.clock import Clock
from guilder.kernel.errors import Kind, Refusal
from guilder.kernel.ids import ApiKeyId, MerchantId, PaymentId
from guilder.kernel.money import AMOUNT_MAX, Currency
from guilder.kernel.scope import Scope
from guilder.plumbing.db import Database, Tx


class SoldOut(Refusal):
    """There is none left."""

    code = "sold_out"
    kind = Kind.REFUSED


class Overrun(Refusal):
    """Too many at once."""

    code = "overrun"
    kind = Kind.BUSY
    retryable = True


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of an order."""

    sku: Annotated[str, Meta(min_length=1, max_length=20, examples=["tulip"])]
    count: Annotated[int, Meta(ge=1, le=100, examples=[2])]


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order."""

    amount_minor: Annotated[int, Meta(ge=1, le=AMOUNT_MAX, examples=[1050])]
    currency: Currency
    lines: list[Line] = []
    merchant_id: MerchantId | None = None
    note: str | None = None
    metadata: dict[str, str] = {}


class NoteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Perhaps a note."""

    note: str | None = None


class OrderView(msgspec.Struct, frozen=True):
    """An order."""

    object: Literal["order"]
    id: PaymentId
    amount_minor: int
    note: str | None


class OrderQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which orders."""

    paid: bool | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class OrdersDesk:
    """Orders of nothing."""

    def __init__(self) -> None:
        self.made = 0

    @post(
        "/v1/orders",
        scope="orders:write",
        takes=OrderRequest,
        gives={201: OrderView},
        summary="Create an order",
        refuses=(SoldOut, Overrun),
        tag="orders",
    )
    async def create(self, _: Call, body: OrderRequest) -> Reply:
        if body.note == "sold out":
            raise SoldOut("there is none left")
        if body.note == "overrun":
            raise Overrun("one at a time", retry_after_seconds=7)
        if body.note == "fault":
            raise RuntimeError("the secret reason")
        self.made += 1
        return Reply.of(201, OrderView("order", PaymentId.new(), body.amount_minor, body.note))

    @patch(
        "/v1/orders/{payment_id}",
        scope="orders:write",
        takes=NoteRequest,
        gives={200: OrderView},
        summary="Change an order's note",
        tag="orders",
    )
    async def change(self, call: Call, body: NoteRequest) -> Reply:
        payment_id = PaymentId.parse(call.path["payment_id"], param="payment_id")
        return Reply.of(200, OrderView("order", payment_id, 1, body.note))

    @post(
        "/v1/orders/{payment_id}/close",
        scope="orders:write",
        takes=None,
        gives={200: OrderView},
        summary="Close an order",
        tag="orders",
    )
    async def close(self, call: Call) -> Reply:
        payment_id = PaymentId.parse(call.path["payment_id"], param="payment_id")
        return Reply.of(200, OrderView("order", payment_id, 1, None))

    @delete(
        "/v1/orders/{payment_id}",
        scope="orders:write",
        gives={200: OrderView},
        summary="Delete an order",
        tag="orders",
    )
    async def drop(self, call: Call) -> Reply:
        payment_id = PaymentId.parse(call.path["payment_id"], param="payment_id")
        return Reply.of(200, OrderView("order", payment_id, 1, None))

    @get(
        "/v1/orders",
        scope="orders:read",
        query=OrderQuery,
        gives={200: ListView[OrderView]},
        summary="List orders",
        tag="orders",
    )
    async def list_orders(self, _: Call, query: OrderQuery) -> Reply:
        page = query.page(PaymentId)
        shown = f"{page.limit} {query.paid} {query.metadata}"
        views = [OrderView("order", PaymentId.new(), 1, shown)]
        return Reply.of(200, listed("/v1/orders", views, has_more=False))

    @post(
        "/v1/orders/inbound",
        scope=None,
        takes=None,
        gives={200: OrderView},
        summary="Take a message as it comes",
        tag="orders",
    )
    async def inbound(self, call: Call) -> Reply:
        note = f"{len(call.raw)} {call.headers.get('x-signature')} {call.key}"
        return Reply.of(200, OrderView("order", PaymentId.new(), 1, note))


class KeptDesk:
    """Orders that leave a row, so that what was done can be counted."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @post(
        "/v1/kept",
        scope="orders:write",
        takes=OrderRequest,
        gives={201: OrderView},
        summary="Create an order once",
        refuses=(SoldOut,),
        tag="kept",
    )
    async def create(self, call: Call, body: OrderRequest) -> Reply:
        async def work(tx: Tx) -> Reply:
            order_id = PaymentId.new()
            await tx.run(
                "insert into plumbing.inbox (consumer, message_id) values ('orders', $1)",
                order_id.value,
            )
            if body.note == "sold out":
                raise SoldOut("there is none left")
            reply = Reply.of(201, OrderView("order", order_id, body.amount_minor, body.note))
            if body.note == "secret":
                return reply.keeping(OrderView("order", order_id, body.amount_minor, None))
            return reply

        return await once(call, self._db, work)


ONE_MERCHANT = MerchantId.new()
OTHER_MERCHANT = MerchantId.new()
CALLERS = {
    "writer": Caller(
        ApiKeyId.new(),
        Scope(is_test=True, merchant_id=ONE_MERCHANT),
        frozenset({"orders:write", "orders:read"}),
    ),
    "reader": Caller(
        ApiKeyId.new(), Scope(is_test=True, merchant_id=ONE_MERCHANT), frozenset({"orders:read"})
    ),
    "other": Caller(
        ApiKeyId.new(), Scope(is_test=True, merchant_id=OTHER_MERCHANT), frozenset({"orders:write"})
    ),
    "live": Caller(
        ApiKeyId.new(), Scope(is_test=False, merchant_id=ONE_MERCHANT), frozenset({"orders:write"})
    ),
}


async def authenticate(presented: str) -> Caller:
    """The callers above, each by its name."""
    if presented not in CALLERS:
        raise Unauthenticated("this API key is not known here")
    return CALLERS[presented]


def app_of(*desks: object, body_seconds_max: int = 2) -> Litestar:
    """An app of these desks with the callers above."""
    return build_app(
        desks, authenticate=authenticate, clock=Clock(), body_seconds_max=body_seconds_max
    )
