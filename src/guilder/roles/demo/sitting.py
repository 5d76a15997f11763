"""One sitting: an installation, the merchants' systems, and the runs that are worked through."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from guilder.kernel.errors import Refusal
from guilder.kernel.finding import Finding
from guilder.plumbing.db import Database
from guilder.roles.demo.caller import Caller
from guilder.roles.demo.installation import Installation, Ready
from guilder.roles.demo.journal import Journal, Story
from guilder.roles.demo.looking import Comparison, Looking, side_by_side
from guilder.roles.demo.orders import Order, OrderFile
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
    """What all runs of one sitting share, and what came of them."""

    settings: Settings
    home: Path
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
        if not run.orders.orders:
            return
        scene = SceneMaker(self.caller, run=run.id, platform_key=self.ready.platform_key)
        merchants = await scene.merchants(run.orders.orders)
        ids = {merchant.name: merchant.id for merchant in merchants.values()}
        self.journal.opened(run.id, ids, self.receiver.port)
        await scene.endpoints(list(merchants.values()), self.receiver)
        till = Till(self.caller, self.journal, run=run.id, merchants=merchants)
        worked = await self._work_all(till, run.orders.orders)
        payments = [one.payment.id for one in worked if one.payment]
        trails, lost = await self._looking.webhooks_arrive(
            payments, self.receiver, self.journal.events
        )
        self.worked += worked
        self.trails |= trails
        self.lost_events += lost
        await scene.close_endpoints(list(merchants.values()))
        await self._forget_faults(run.story)

    async def compare(self) -> Comparison:
        """The three books, once they are quiet: what differs is looked at again for a while."""
        comparison = await self._compare(self.trails)
        for _ in range(QUIET_TRIES):
            if not comparison.differences:
                break
            await asyncio.sleep(QUIET_SECONDS)
            comparison = await self._compare({})
        return comparison

    async def findings(self) -> list[Finding]:
        """What `guilder verify` says, by the same function on the same database."""
        url = self.settings.database_url or embedded_url(self.home)
        for left in range(VERIFY_TRIES - 1, -1, -1):
            try:
                db = await Database.open(url, connections_max=1, name="guilder demo")
                try:
                    return await verify(db)
                finally:
                    await db.close()
            except (Refusal, OSError):
                if left == 0:
                    raise
            await asyncio.sleep(QUIET_SECONDS)
        raise AssertionError("the last try returns or raises")

    @property
    def _looking(self) -> Looking:
        return Looking(self.caller, platform_key=self.ready.platform_key)

    async def _compare(self, trails: Mapping[str, TrailSeen]) -> Comparison:
        looking = self._looking
        return await looking.compare(self.journal, is_ours=self._is_ours, trails=trails)

    async def _work_all(self, till: Till, orders: tuple[Order, ...]) -> list[Worked]:
        through = 0

        async def work(order: Order) -> Worked:
            nonlocal through
            worked = await till.work(order)
            through += 1
            return worked

        def standing() -> tuple[int, str]:
            return through, (
                f"{till.waiting} waiting for the provider, "
                f"{len(self.receiver.verified)} webhooks, {self.scale.rss_now // MB} MB"
            )

        async with self.screen.progress(len(orders), standing):
            return await side_by_side(orders, work)

    async def _forget_faults(self, story: Story) -> None:
        """Drop the faults that this run has asked for and that were not played to their end."""
        while story.rules:
            await self.caller.sandbox("DELETE", f"/control/faults/{story.rules.pop()}")

    def _is_ours(self, payment: PaymentSeen) -> bool:
        """A database of one's own holds only what is ours; a shared one, others' payments too."""
        if self.settings.database_url is None:
            return True
        own = self.journal.merchants() | {self.ready.merchant_id}
        return payment.merchant_id in own
