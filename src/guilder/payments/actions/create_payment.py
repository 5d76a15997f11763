"""Take a payment: authorize it, and capture it at once unless the merchant captures later."""

from guilder.payments.actions.ask import finish, unbroken
from guilder.payments.actions.kit import Kit
from guilder.payments.model import Answered, NewPayment, Show


async def create_payment(kit: Kit, order: NewPayment, show: Show) -> Answered:
    """Take a payment in three beats; a repeat with the same key is given the same answer.

    Raises `KeyReused`, `KeyInProgress`, `MerchantNotFound`, `MerchantSuspended`, `NoProvider`,
    all before any provider is asked. A decline is an answer. When the provider stays silent the
    payment is shown as processing, and `resolve_attempts` finds out.
    """
    return await unbroken(kit, _create(kit, order, show))


async def _create(kit: Kit, order: NewPayment, show: Show) -> Answered:
    begun = await kit.new_payments.put(order)
    return await finish(kit, begun, order.key, show, token=order.token)
