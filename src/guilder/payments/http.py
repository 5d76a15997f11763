"""The payments desk: it translates, and decides nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from guilder.edge.endpoint import Call, Reply, get, post
from guilder.edge.once import REPLAYED
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel import codec
from guilder.kernel.ids import MalformedId, MerchantId, PaymentId, RefundId
from guilder.kernel.money import Money, UnknownCurrency
from guilder.merchants.public import MerchantNotFound, MerchantSuspended
from guilder.payments import queries
from guilder.payments.actions.capture_payment import capture_payment
from guilder.payments.actions.create_payment import create_payment
from guilder.payments.actions.kit import Kit
from guilder.payments.actions.refund_payment import refund_payment
from guilder.payments.actions.void_payment import void_payment
from guilder.payments.errors import (
    CaptureExceedsAuthorized,
    MerchantRequired,
    NoProvider,
    OperationDeclined,
    OperationInProgress,
    PaymentNotCapturable,
    PaymentNotFound,
    PaymentNotRefundable,
    PaymentNotVoidable,
    RefundExceedsCaptured,
    RefundNotFound,
)
from guilder.payments.model import (
    Answered,
    CaptureMethod,
    Instruction,
    NewPayment,
    PaymentFilter,
    Standing,
)
from guilder.payments.states import AttemptState, PaymentState
from guilder.payments.wire import (
    CaptureRequest,
    PaymentRequest,
    PaymentView,
    Reference,
    RefundRequest,
    RefundView,
    VoidRequest,
)
from guilder.plumbing.idempotency import Answer


class PaymentsQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which payments to list."""

    state: PaymentState | None = None
    merchant_id: MerchantId | None = None
    reference: Reference | None = None
    created_from: Annotated[datetime, Meta(tz=True)] | None = None
    created_to: Annotated[datetime, Meta(tz=True)] | None = None
    metadata: dict[str, str] | None = None


class PaymentsDesk:
    """Takes orders about payments and shows what came of them."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    @post(
        "/v1/payments",
        scope="payments:write",
        takes=PaymentRequest,
        gives={201: PaymentView, 202: PaymentView},
        refuses=(
            MalformedId,
            UnknownCurrency,
            MerchantRequired,
            MerchantNotFound,
            MerchantSuspended,
            NoProvider,
        ),
        summary="Take a payment: authorize and capture, or authorize only",
    )
    async def create_payment(self, call: Call, body: PaymentRequest) -> Reply:
        order = NewPayment(
            scope=call.caller.scope,
            merchant_id=body.merchant_id or _own_merchant(call),
            amount=Money(body.amount_minor, body.currency),
            capture_method=CaptureMethod(body.capture_method),
            method_type="card",
            token=body.payment_method.token,
            reference=body.reference,
            description=body.description,
            metadata=body.metadata,
            key=call.reserved,
        )
        return _reply(await create_payment(self._kit, order, _show_created))

    @get(
        "/v1/payments",
        scope="payments:read",
        gives={200: ListView[PaymentView]},
        query=PaymentsQuery,
        refuses=(MalformedId,),
        summary="List payments, newest first",
    )
    async def list_payments(self, call: Call, query: PaymentsQuery) -> Reply:
        wanted = PaymentFilter(
            state=query.state,
            merchant_id=query.merchant_id,
            reference=query.reference,
            created_from=query.created_from,
            created_to=query.created_to,
            metadata=query.metadata,
        )
        page = query.page(PaymentId)
        async with self._kit.db.reading() as tx:
            found = await queries.list_payments(tx, call.caller.scope, wanted, page)
        views = [PaymentView.of(payment) for payment in found.rows]
        return Reply.of(200, listed("/v1/payments", views, has_more=found.has_more))

    @get(
        "/v1/payments/{payment_id}",
        scope="payments:read",
        gives={200: PaymentView},
        refuses=(MalformedId, PaymentNotFound),
        summary="Show a payment",
    )
    async def show_payment(self, call: Call) -> Reply:
        payment_id = _payment_id(call.path)
        async with self._kit.db.reading() as tx:
            payment = await queries.find_payment(tx, call.caller.scope, payment_id)
        if payment is None:
            raise PaymentNotFound(f"there is no payment {payment_id}")
        return Reply.of(200, PaymentView.of(payment))

    @post(
        "/v1/payments/{payment_id}/capture",
        scope="payments:write",
        takes=CaptureRequest,
        gives={200: PaymentView, 202: PaymentView},
        refuses=(
            MalformedId,
            PaymentNotFound,
            PaymentNotCapturable,
            OperationInProgress,
            CaptureExceedsAuthorized,
            OperationDeclined,
        ),
        summary="Capture an authorized payment, whole or in part",
    )
    async def capture_payment(self, call: Call, body: CaptureRequest) -> Reply:
        told = _instruction(call, body.amount_minor)
        return _reply(await capture_payment(self._kit, told, _show_changed))

    @post(
        "/v1/payments/{payment_id}/void",
        scope="payments:write",
        takes=VoidRequest,
        gives={200: PaymentView, 202: PaymentView},
        refuses=(
            MalformedId,
            PaymentNotFound,
            PaymentNotVoidable,
            OperationInProgress,
            OperationDeclined,
        ),
        summary="Void an authorized payment",
    )
    async def void_payment(self, call: Call, body: VoidRequest) -> Reply:  # noqa: ARG002
        return _reply(await void_payment(self._kit, _instruction(call), _show_changed))

    @post(
        "/v1/payments/{payment_id}/refund",
        scope="refunds:write",
        takes=RefundRequest,
        gives={201: RefundView, 202: RefundView},
        refuses=(MalformedId, PaymentNotFound, PaymentNotRefundable, RefundExceedsCaptured),
        summary="Refund captured money, whole or in part",
    )
    async def refund_payment(self, call: Call, body: RefundRequest) -> Reply:
        told = _instruction(call, body.amount_minor, body.reason)
        return _reply(await refund_payment(self._kit, told, _show_refund))

    @get(
        "/v1/payments/{payment_id}/refunds",
        scope="payments:read",
        gives={200: ListView[RefundView]},
        query=ListQuery,
        refuses=(MalformedId, PaymentNotFound),
        summary="List the refunds of a payment, newest first",
    )
    async def list_refunds(self, call: Call, query: ListQuery) -> Reply:
        payment_id, page = _payment_id(call.path), query.page(RefundId)
        async with self._kit.db.reading() as tx:
            if await queries.find_payment(tx, call.caller.scope, payment_id) is None:
                raise PaymentNotFound(f"there is no payment {payment_id}")
            found = await queries.list_refunds(tx, call.caller.scope, payment_id, page)
        url = f"/v1/payments/{payment_id}/refunds"
        views = [RefundView.of(refund) for refund in found.rows]
        return Reply.of(200, listed(url, views, has_more=found.has_more))

    @get(
        "/v1/refunds/{refund_id}",
        scope="payments:read",
        gives={200: RefundView},
        refuses=(MalformedId, RefundNotFound),
        summary="Show a refund",
    )
    async def show_refund(self, call: Call) -> Reply:
        refund_id = RefundId.parse(call.path["refund_id"], param="refund_id")
        async with self._kit.db.reading() as tx:
            refund = await queries.find_refund(tx, call.caller.scope, refund_id)
        if refund is None:
            raise RefundNotFound(f"there is no refund {refund_id}")
        return Reply.of(200, RefundView.of(refund))


def _own_merchant(call: Call) -> MerchantId:
    own = call.caller.scope.merchant_id
    if own is None:
        raise MerchantRequired(
            "merchant_id: this key belongs to no single merchant; say whose payment it is",
            param="merchant_id",
        )
    return own


def _payment_id(path: Mapping[str, str]) -> PaymentId:
    return PaymentId.parse(path["payment_id"], param="payment_id")


def _instruction(
    call: Call, amount_minor: int | UnsetType = UNSET, reason: str | None = None
) -> Instruction:
    return Instruction(
        scope=call.caller.scope,
        payment_id=_payment_id(call.path),
        key=call.reserved,
        amount_minor=None if amount_minor is UNSET else amount_minor,
        reason=reason,
    )


def _show_created(standing: Standing) -> Answer:
    status = 202 if standing.payment.state is PaymentState.PROCESSING else 201
    return Answer(status, codec.to_json(PaymentView.of(standing.payment)))


def _show_changed(standing: Standing) -> Answer:
    status = 202 if standing.attempt.state is AttemptState.ASKED else 200
    return Answer(status, codec.to_json(PaymentView.of(standing.payment)))


def _show_refund(standing: Standing) -> Answer:
    assert standing.refund is not None, "a refund's attempt has its refund"
    status = 202 if standing.attempt.state is AttemptState.ASKED else 201
    return Answer(status, codec.to_json(RefundView.of(standing.refund)))


def _reply(answered: Answered) -> Reply:
    headers = (REPLAYED,) if answered.is_replay else ()
    return Reply(answered.answer.status, answered.answer.body, headers)
