"""Work that goes on until the process is asked to stop."""

import asyncio
from collections.abc import Awaitable, Callable

from guilder.kernel.errors import Refusal
from guilder.plumbing.logs import logger

log = logger(__name__)

PAUSE_AFTER_TROUBLE_SECONDS = 1.0


async def keep_doing(
    name: str,
    step: Callable[[], Awaitable[int]],
    *,
    pause_seconds: float,
    stopping: asyncio.Event,
) -> None:
    """Do a step again and again: at once while it finds work, else after a pause.

    A step that fails is logged and done again; only `stopping` ends this, between two steps.
    """
    while not stopping.is_set():
        pause = pause_seconds
        try:
            if await step() > 0:
                pause = 0
        except Refusal as trouble:
            log.warning("a part is away; going on when it is back", loop=name, why=str(trouble))
            pause = PAUSE_AFTER_TROUBLE_SECONDS
        except Exception:
            log.exception("a step failed; it will be done again", loop=name)
            pause = PAUSE_AFTER_TROUBLE_SECONDS
        await sleep_or_stop(pause, stopping)


async def sleep_or_stop(seconds: float, stopping: asyncio.Event) -> None:
    """Wait that long, or until the process is asked to stop."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
    except TimeoutError:
        return
