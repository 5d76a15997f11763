"""Send what is due: many at a time, with no transaction open while receivers take their time."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from guilder.kernel.errors import Refusal
from guilder.plumbing.batch import Batcher
from guilder.plumbing.db import Database, Tx
from guilder.plumbing.logs import logger
from guilder.webhooks import store
from guilder.webhooks.actions.change_endpoint import disable_gone
from guilder.webhooks.actions.post_message import Sender
from guilder.webhooks.model import Errand, TryRecord
from guilder.webhooks.rules.schedule import after_try
from guilder.webhooks.rules.signature import sign
from guilder.webhooks.states import DeliveryState

log = logger(__name__)

LEASE = timedelta(seconds=60)  # Three times what a try can last; afterwards its worker is dead.
UNDER_WAY_MAX = 256  # A slow receiver holds a place for twenty seconds; a quick one for one.
FAILING_UNDER_WAY_MAX = 128  # Those that fail leave room for those that do not.
HEALTHY_AT_ONCE = 16  # To one endpoint: enough for some hundreds a second, few enough to bear.
FAILING_AT_ONCE = 1  # A knock is enough to learn whether it is back.
BATCH = 64


class Courier:
    """Claims due deliveries and sends them, each as a task of its own; one per process.

    A try that ends is recorded together with those that end at the same moment. If this process
    dies before that, the claim runs out and the message is sent again, under the same id.
    """

    def __init__(self, db: Database, sender: Sender) -> None:
        self._db = db
        self._sender = sender
        self._records: Batcher[TryRecord, None] = Batcher(db, record_tries)
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def send_due(self, now: datetime, *, limit: int = BATCH) -> int:
        """Begin to send at most `limit` due deliveries; returns how many, without awaiting them.

        Zero when nothing is due, or there is no room: then `rest` before asking again.
        """
        self._ended.clear()
        out = len(self._under_way)
        room = min(limit, UNDER_WAY_MAX - out)
        if room <= 0:
            return 0
        async with self._db.transaction() as tx:
            errands = await store.claim_due(
                tx,
                now,
                lease=LEASE,
                limit=room,
                at_once=HEALTHY_AT_ONCE,
                failing_at_once=FAILING_AT_ONCE if out < FAILING_UNDER_WAY_MAX else 0,
            )
        for errand in errands:
            task = asyncio.create_task(self._run(errand, now))
            self._under_way.add(task)
            task.add_done_callback(self._forget)
        return len(errands)

    async def rest(self, seconds: float) -> None:
        """Wait until a try has ended and made room, at most so long."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return

    async def finish(self, seconds: float = 25) -> None:
        """Let the tries under way end; those still out then are made again by another process."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, errand: Errand, claimed_at: datetime) -> None:
        started = time.monotonic()
        secrets = [secret.reveal() for secret in errand.secrets]
        headers = sign(secrets, str(errand.event_id), claimed_at, errand.body)
        answer = await self._sender.post(errand.url, headers, errand.body)
        record = after_try(errand, answer, tried_at=claimed_at)
        try:
            await self._records.put(record)
        except Refusal as trouble:
            log.warning(
                "a try could not be recorded; it will be made again",
                delivery=str(errand.delivery_id),
                trouble=trouble.code,
                seconds=round(time.monotonic() - started, 1),
            )

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._ended.set()
        if not task.cancelled() and (trouble := task.exception()) is not None:
            log.error("a try ended in a fault; it will be made again", exc_info=trouble)


async def record_tries(tx: Tx, records: Sequence[TryRecord]) -> list[None]:
    """Write down tries and what follows from them: endpoints first, then deliveries.

    Endpoints are locked only when something about them changes, and always before deliveries, so
    that recording and disabling cannot wait on each other.
    """
    failing = {r.errand.endpoint_id for r in records if r.state is not DeliveryState.DELIVERED}
    healthy = {r.errand.endpoint_id for r in records if r.state is DeliveryState.DELIVERED}
    failing -= healthy
    known = {r.errand.endpoint_id for r in records if r.errand.is_failing}
    gone = {r.errand.endpoint_id for r in records if r.is_gone}
    changed = (failing - known) | (healthy & known) | gone
    ended_at = max(record.ended_at for record in records)
    endpoints = await store.list_endpoints_for_update(tx, changed) if changed else []
    if changed:
        await store.save_health(
            tx, failing=failing & changed, healthy=healthy & changed, now=ended_at
        )
    await store.save_tries(tx, records)
    if gone:
        leaving = [endpoint for endpoint in endpoints if endpoint.id in gone]
        await disable_gone(tx, leaving, ended_at)
    return [None for _ in records]
