"""What the worker does for intake."""

from collections.abc import Mapping

from guilder.intake.actions.apply_message import Tools, apply_message
from guilder.intake.actions.receive_message import APPLY_JOB, QUEUE
from guilder.kernel.clock import Clock
from guilder.kernel.ids import InboundId
from guilder.plumbing.jobs import Job

TRIES_MAX = 2  # Troubles are counted on the message's row; only an absent database is retried here.


def jobs(tools: Tools, clock: Clock) -> list[Job]:
    """The jobs of this context; `apply_due` beside them makes up for one that was lost."""

    async def apply(arguments: Mapping[str, str]) -> None:
        message_id = InboundId.parse(arguments["message_id"])
        await apply_message(tools, message_id=message_id, now=clock.now())

    return [Job(APPLY_JOB, QUEUE, apply, TRIES_MAX)]
