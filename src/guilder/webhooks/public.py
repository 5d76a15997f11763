"""The front door of webhooks. Everything else in this folder is private."""

from guilder.webhooks.actions.post_message import Sender
from guilder.webhooks.actions.send_due import Courier
from guilder.webhooks.model import Delivery
from guilder.webhooks.queries import list_deliveries_about
from guilder.webhooks.rules.signature import verify
from guilder.webhooks.states import DeliveryState

__all__ = ["Courier", "Delivery", "DeliveryState", "Sender", "list_deliveries_about", "verify"]
