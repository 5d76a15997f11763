"""The trail desk."""

from guilder.edge.endpoint import Call, Reply, get
from guilder.kernel.ids import MalformedId, PaymentId
from guilder.payments.public import PaymentNotFound
from guilder.plumbing.db import Database
from guilder.trail.actions.tell_trail import tell_trail
from guilder.trail.wire import TrailView


class TrailDesk:
    """Shows trails."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @get(
        "/v1/payments/{payment_id}/trail",
        scope="payments:read",
        gives={200: TrailView},
        refuses=(MalformedId, PaymentNotFound),
        summary="Show everything that happened to a payment, in order",
        tag="payments",
    )
    async def show_trail(self, call: Call) -> Reply:
        payment_id = PaymentId.parse(call.path["payment_id"], param="payment_id")
        trail = await tell_trail(self._db, call.caller.scope, payment_id)
        return Reply.of(200, TrailView.of(trail))
