"""The front door of payments. Everything else in this folder is private."""

from guilder.payments.actions.kit import Kit, kit
from guilder.payments.actions.record_news import NewsOutcome, record_news
from guilder.payments.actions.resolve_attempts import resolve_attempts
from guilder.payments.errors import PaymentNotFound
from guilder.payments.model import Attempt, Payment, Refund, Story
from guilder.payments.queries import find_story, list_moved, verify_payments
from guilder.payments.rules.booking import SYSTEM

__all__ = [
    "SYSTEM",
    "Attempt",
    "Kit",
    "NewsOutcome",
    "Payment",
    "PaymentNotFound",
    "Refund",
    "Story",
    "find_story",
    "kit",
    "list_moved",
    "record_news",
    "resolve_attempts",
    "verify_payments",
]
