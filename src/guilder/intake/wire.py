"""What a provider is told when its message is kept."""

from typing import Literal, Self

import msgspec

from guilder.intake.model import Receipt


class ReceiptView(msgspec.Struct, frozen=True):
    """The id under which the message is kept; a repeat is told the same."""

    object: Literal["inbound_message"]
    id: str

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """The view of one receipt."""
        return cls("inbound_message", str(receipt.message_id))
