"""Refund captured money, whole or in part, as often as there is some left."""

from guilder.connectors.psp.contract import Operation
from guilder.payments.actions.kit import Kit
from guilder.payments.actions.operate import operate
from guilder.payments.model import Answered, Instruction, Show


async def refund_payment(kit: Kit, told: Instruction, show: Show) -> Answered:
    """Refund the instruction's amount, in minor units of the payment's currency."""
    return await operate(kit, Operation.REFUND, told, show)
