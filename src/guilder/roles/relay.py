"""The relay: news from the outbox to whoever named its topic."""

import asyncio

from guilder.plumbing.relay import relay_once
from guilder.roles.loops import keep_doing
from guilder.roles.parts import Parts
from guilder.webhooks import consumers as webhooks

PAUSE_SECONDS = 0.1


async def run_relay(parts: Parts, stopping: asyncio.Event) -> None:
    """Relay until asked to stop; of several relays one works and the others stand by."""
    consumers = [*webhooks.consumers(parts.clock)]

    async def step() -> int:
        return await relay_once(parts.db, consumers, parts.clock.now())

    await keep_doing("relay", step, pause_seconds=PAUSE_SECONDS, stopping=stopping)
