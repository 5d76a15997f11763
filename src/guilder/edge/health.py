"""Health: whether the process lives, and whether every part it needs is there."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

from guilder.edge.endpoint import Call, Reply, get
from guilder.edge.errors import NotReady

Ask = Callable[[], Awaitable[bool]]


class HealthView(msgspec.Struct, frozen=True):
    """What answers, by the name of the part."""

    object: Literal["health"]
    status: Literal["live", "ready"]
    parts: dict[str, Literal["there"]]


class HealthDesk:
    """Two questions for whoever supervises the process; `parts` are asked when it says ready."""

    def __init__(self, parts: Mapping[str, Ask]) -> None:
        self._parts = parts

    @get(
        "/health/live",
        scope=None,
        gives={200: HealthView},
        summary="Is the process alive?",
        tag="health",
    )
    async def live(self, _: Call) -> Reply:
        """Yes, when it answers at all; no part is asked."""
        return Reply.of(200, HealthView("health", "live", {}))

    @get(
        "/health/ready",
        scope=None,
        gives={200: HealthView},
        refuses=(NotReady,),
        summary="Can it take requests?",
        tag="health",
    )
    async def ready(self, _: Call) -> Reply:
        """Yes, when every part it needs is there; otherwise the answer names those that are not."""
        away = [name for name, is_there in self._parts.items() if not await is_there()]
        if away:
            raise NotReady(f"not answering: {', '.join(away)}", retry_after_seconds=1)
        return Reply.of(200, HealthView("health", "ready", dict.fromkeys(self._parts, "there")))
