"""The desk where providers hand in their messages."""

from guilder.connectors.psp.contract import ForgedMessage, MalformedMessage
from guilder.connectors.psp.registry import Providers, UnknownProvider
from guilder.edge.endpoint import Call, Key, Reply, post
from guilder.intake.actions.receive_message import Inbound, keeper, receive_message
from guilder.intake.wire import ReceiptView
from guilder.plumbing.db import Database


class IntakeDesk:
    """One per process: messages that arrive together share a commit."""

    def __init__(self, db: Database, providers: Providers) -> None:
        self._providers = providers
        self._keeper = keeper(db)

    @post(
        "/v1/webhooks/psp/{provider}",
        scope=None,
        takes=None,
        key=Key.UNUSED,
        gives={200: ReceiptView},
        refuses=(UnknownProvider, ForgedMessage, MalformedMessage),
        summary="Take in a provider's message",
    )
    async def receive(self, call: Call) -> Reply:
        """Answered 200 once the message is durably kept; a repeat of one that is, likewise.

        The provider's signature over the raw body decides; the secret that made it says whether
        the message is test or live.
        """
        inbound = Inbound(call.path["provider"], call.headers, call.raw)
        receipt = await receive_message(
            self._providers, self._keeper, inbound=inbound, now=call.now
        )
        return Reply.of(200, ReceiptView.of(receipt))
