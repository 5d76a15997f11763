"""One sitting: an installation, the merchants' systems, and the runs that are worked through."""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from guilder.kernel.clock import Clock
from guilder.kernel.errors import Refusal
from guilder.kernel.finding import Finding
from guilder.plumbing.db import Database
from guilder.roles.demo.caller import Caller, open_session
from guilder.roles.demo.installation import Installation, Ready
from guilder.roles.demo.journal import Journal, Story
from guilder.roles.demo.looking import Comparison, Looking, side_by_side
from guilder.roles.demo.orders import OrderFile, read_orders
from guilder.roles.demo.outcome import Outcome
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.scale import MB, Scale
from guilder.roles.demo.scene import SceneMaker
from guilder.roles.demo.screen import Screen
from guilder.roles.demo.till import Till, Worked
from guilder.roles.demo.views import PaymentSeen, TrailSeen
from guilder.roles.parts import embedded_url
from guilder.roles.settings import Settings
from guilder.roles.verify import verify

QUIET_TRIES = 6
QUIET_SECONDS = 2.0  # What was overtaken is being undone for a moment.
VERIFY_TRIES = 5


@dataclass(frozen=True, slots=True)
class Run:
    """Orders to be worked through under keys of their own."""

    id: str
    orders: OrderFile
    story: Story
    is_resumed: bool


@dataclass(slots=True)
class Sitting:
    """What every run of one sitting shares."""

    settings: Settings
    screen: Screen
    scale: Scale
    journal: Journal
    installation: Installation
    ready: Ready
    caller: Caller
    receiver: Receiver
    worked: list[Worked] = field(default_factory=list[Worked])
    trails: dict[str, TrailSeen] = field(default_factory=dict[str, TrailSeen])
    lost_events: list[str] = field(default_factory=list[str])

    async def work(self, run: Run) -> None:
        """Work a run's orders through, and wait until everybody has heard of it."""
        await self._forget_faults(run.story)
        orders = run.orders.orders
        if not orders:
            return
        scene = SceneMaker(self.caller, run=run.id, platform_key=self.ready.platform_key)
        merchants = await scene.merchants(orders)
        self.journal.opened(
            run.id, {one.name: one.id for one in merchants.values()}, self.receiver.port
        )
        await scene.endpoints(list(merchants.values()), self.receiver)
        till = Till(self.caller, self.journal, run=run.id, merchants=merchants)
        worked: list[Worked] = []

        async def work(order: Order) -> None:
            worked.append(await till.work(order))
"""
