"""The demo's way from a file of orders to three books that agree, and its exit status."""

from pathlib import Path

from guilder.roles.settings import Settings

PATIENCE_SECONDS = 15
"""How long an attempt may stay unseen here: above any call's budget, and short enough to watch."""

INTERRUPTED = 130


def run_demo(settings: Settings, orders: Path | None, *, json: bool) -> int:
    """Work through a file of orders, or the one that ships, and compare the books.

    0 when everything is as wanted, 1 when something is not and was named, 2 when it could not
    begin, 130 when it was interrupted; the next run on the same home then goes on with it.
    """
