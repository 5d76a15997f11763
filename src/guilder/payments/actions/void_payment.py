"""Void an authorized payment: all of the reserved money is let go."""

from guilder.connectors.psp.contract import Operation
from guilder.payments.actions.kit import Kit
from guilder.payments.actions.operate import operate
from guilder.payments.model import Answered, Instruction, Show


async def void_payment(kit: Kit, told: Instruction, show: Show) -> Answered:
    """Let the reserved money go; a void takes no amount."""
    return await operate(kit, Operation.VOID, told, show)
