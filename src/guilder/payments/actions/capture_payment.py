"""Capture an authorized payment, whole or in part; what is not captured is let go."""

from guilder.connectors.psp.contract import Operation
from guilder.payments.actions.kit import Kit
from guilder.payments.actions.operate import operate
from guilder.payments.model import Answered, Instruction, Show


async def capture_payment(kit: Kit, told: Instruction, show: Show) -> Answered:
    """Capture the instruction's amount, in minor units of the payment's currency."""
    return await operate(kit, Operation.CAPTURE, told, show)
