"""Weighs this process and all below it: resident memory, and what of it is not shared."""

import asyncio
import contextlib
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.2
SHARES_EVERY = 5  # The proportional size takes the system longer to tell.
LIMIT_MB = 512
MB = 1024 * 1024


@dataclass(slots=True)
class Scale:
    """The highest sums seen, in bytes; `pss_peak` is None where the system does not tell it."""

    rss_now: int = 0
    rss_peak: int = 0
    pss_peak: int | None = None
    count_peak: int = 0

    async def watch(self) -> None:
        """Weigh until cancelled."""
        number = 0
        while True:
            await asyncio.to_thread(self.weigh, with_shares=number % SHARES_EVERY == 0)
            number += 1
            await asyncio.sleep(SAMPLE_SECONDS)

    def weigh(self, *, with_shares: bool) -> None:
        """Take one sample of the whole tree; a process that ends meanwhile weighs nothing."""
        tree = _tree()
        self.count_peak = max(self.count_peak, len(tree))
        self.rss_now = sum(_resident(one) for one in tree)
        self.rss_peak = max(self.rss_peak, self.rss_now)
        if with_shares:
            shares = [_share(one) for one in tree]
            told = [share for share in shares if share is not None]
            if len(told) == len(tree):
                self.pss_peak = max(self.pss_peak or 0, sum(told))

    @property
    def is_too_heavy(self) -> bool:
        """Whether the limit was ever exceeded."""
        return self.rss_peak > LIMIT_MB * MB


def _tree() -> list[psutil.Process]:
    me = psutil.Process()
    with contextlib.suppress(psutil.NoSuchProcess):
        return [me, *me.children(recursive=True)]
    return [me]


def _resident(one: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return one.memory_info().rss
    return 0


def _share(one: psutil.Process) -> int | None:
    """The proportional set size; None when the system does not tell, 0 when it has just ended."""
    try:
        return getattr(one.memory_full_info(), "pss", None)
    except psutil.AccessDenied:
        return None
    except psutil.NoSuchProcess:
        return 0
