"""Capture, void or refund: one way for all three, because only the question differs."""

from guilder.connectors.psp.contract import Operation
from guilder.payments.actions.ask import finish, unbroken
from guilder.payments.actions.kit import Kit
from guilder.payments.model import Answered, Instruction, NewOperation, Show


async def operate(kit: Kit, operation: Operation, told: Instruction, show: Show) -> Answered:
    """Have an operation on a payment done in three beats.

    Raises `KeyReused`, `KeyInProgress`, `PaymentNotFound` and the refusals of
    `rules.guarding.amount_of`, all before the provider is asked, and `OperationDeclined` when it
    refuses a capture or a void. A repeat with the same key is given the same answer.
    """
    return await unbroken(kit, _operate(kit, NewOperation(operation, told), show))


async def _operate(kit: Kit, order: NewOperation, show: Show) -> Answered:
    begun = await kit.new_operations.put(order)
    return await finish(kit, begun, order.told.key, show)
