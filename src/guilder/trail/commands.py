"""What the operator's console does with trails."""

from guilder.kernel import codec
from guilder.kernel.ids import PaymentId
from guilder.kernel.scope import Scope
from guilder.payments.public import PaymentNotFound
from guilder.plumbing.db import Database
from guilder.trail.actions.tell_trail import tell_trail
from guilder.trail.model import Trail
from guilder.trail.wire import TrailView


async def find_trail(db: Database, payment_id: PaymentId) -> Trail:
    """A payment's trail, on whichever side of the wall it is. Raises `PaymentNotFound`."""
    try:
        return await tell_trail(db, Scope(is_test=True), payment_id)
    except PaymentNotFound:
        return await tell_trail(db, Scope(is_test=False), payment_id)


def as_json(trail: Trail) -> str:
    """The trail as the API shows it."""
    return codec.to_json(TrailView.of(trail)).decode()
