"""Jobs: do this later. Deferred inside the transaction that gave the reason, run by the worker."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import procrastinate
from procrastinate import RetryStrategy
from procrastinate.exceptions import ProcrastinateException

from guilder.kernel import codec
from guilder.kernel.secret import Secret
from guilder.plumbing.db import Tx
from guilder.plumbing.logs import logger

log = logger(__name__)

STALLED_AFTER_SECONDS = 30  # A worker beats every ten; three missed beats mean it is gone.
SWEEP_SECONDS = 10
RUN_AT_ONCE = 8
CONNECTIONS_MAX = 4


@dataclass(frozen=True, slots=True)
class Job:
    """A name in the queue and the action behind it; `run` gets ids as text and loads the truth."""

    name: str
    queue: str
    run: Callable[[Mapping[str, str]], Awaitable[None]]
    tries_max: int = 10


async def defer(
    tx: Tx,
    name: str,
    arguments: Sequence[Mapping[str, str]],
    *,
    queue: str,
    at: datetime | None = None,
) -> None:
    """Queue one job for each set of arguments, to run at `at` (UTC; None: at once).

    The jobs are born with the transaction, and undone with it.
    """
    await tx.run(
        """
        select procrastinate_defer_jobs_v1(array_agg(
               row($1, $2, 0, null, null, given.arguments, $4::timestamptz)
               ::procrastinate_job_to_defer_v1))
          from unnest($3::jsonb[]) as given (arguments)
        """,
        queue,
        name,
        [codec.to_json(dict(one)).decode() for one in arguments],
        at,
    )


class Runner:
    """Runs jobs until it is stopped, and takes over those of workers that died."""

    def __init__(self, url: Secret, jobs: Sequence[Job]) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=url.reveal(), min_size=1, max_size=CONNECTIONS_MAX
        )
        self._app = procrastinate.App(connector=connector)
        for job in jobs:
            self._register(job)

    async def run(self) -> None:
        """Work until cancelled; jobs that are running then are finished first."""
        async with self._app.open_async():
            sweeping = asyncio.create_task(self._sweep_for_ever())
            try:
                await self._app.run_worker_async(
                    concurrency=RUN_AT_ONCE,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    fetch_job_polling_interval=1.0,
                    shutdown_graceful_timeout=10.0,
                    stalled_worker_timeout=STALLED_AFTER_SECONDS,
                )
            finally:
                sweeping.cancel()
                await asyncio.gather(sweeping, return_exceptions=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep_stalled()
            except ProcrastinateException:
                log.warning("could not look for stalled jobs; trying again", exc_info=True)

    async def sweep_stalled(self) -> int:
        """Give the jobs of dead workers back to the queue; returns how many."""
        manager = self._app.job_manager
        stalled = list(
            await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
        )
        for job in stalled:
            log.warning("a job's worker is gone; the job is queued again", job=job.task_name)
            await manager.retry_job(job)
        return len(stalled)

    def _register(self, job: Job) -> None:
        async def task(**arguments: str) -> None:
            await job.run(arguments)

        decorate = cast("Any", self._app.task)
        decorate(
            name=job.name,
            queue=job.queue,
            retry=RetryStrategy(max_attempts=job.tries_max, exponential_wait=2),
        )(task)
