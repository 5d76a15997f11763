"""Intake's front door. Everything else in this folder is private."""

from guilder.intake.actions.apply_message import RecordNews, Tools, apply_due
from guilder.intake.model import KeptMessage
from guilder.intake.queries import count_lingering, list_messages_about, list_set_aside
from guilder.intake.states import MessageState

__all__ = [
    "KeptMessage",
    "MessageState",
    "RecordNews",
    "Tools",
    "apply_due",
    "count_lingering",
    "list_messages_about",
    "list_set_aside",
]
