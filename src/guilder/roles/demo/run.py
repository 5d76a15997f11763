"""The demo: from a file of orders to three books that agree, and the exit status of it all."""

import asyncio
import contextlib
import importlib.resources
import secrets
import signal
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from guilder.kernel.clock import Clock
from guilder.roles.demo.caller import Caller, Unanswered, open_session
from guilder.roles.demo.installation import Installation, InstallationTrouble, Ready
from guilder.roles.demo.journal import Journal, JournalInUse
from guilder.roles.demo.orders import OrdersTrouble, read_orders, text_of
from guilder.roles.demo.outcome import Outcome, as_json, summary
from guilder.roles.demo.place import kept_key, place_of, set_aside
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.report import block
from guilder.roles.demo.scale import Scale
from guilder.roles.demo.screen import Screen
from guilder.roles.demo.sitting import Run, Sitting
from guilder.roles.settings import Settings

PATIENCE_SECONDS = 15
"""How long an attempt may stay unseen here: above any call's budget, and short enough to watch."""

INTERRUPTED = 130


def run_demo(settings: Settings, orders: Path | None, *, json: bool) -> int:
    """Work through a file of orders, or the one that ships, and compare the three books.

    Returns 0 when all is as wanted, 1 when something is not and was named, 2 when it could not
    begin, and 130 when it was interrupted; the next demo in the same home then goes on with it.
    """
    started = time.monotonic()
    screen = Screen(beside_json=json)
    try:
        text = _text(orders)
        read_orders(text)
        if settings.stripe_test_key is not None:
            raise OrdersTrouble("the demo plays in the sandbox; unset GUILDER_STRIPE_TEST_KEY")
        outcome = asyncio.run(_until_stopped(_sit(settings, text, screen)))
    except (OrdersTrouble, JournalInUse, InstallationTrouble, Unanswered) as trouble:
        sys.stderr.write(f"guilder: {trouble}\n")
        return 2
    except asyncio.CancelledError:
        screen.tell("interrupted; the next demo in this home goes on with the same keys")
        return INTERRUPTED
    outcome.elapsed_ms = int((time.monotonic() - started) * 1000)
    _tell(screen, outcome)
    if json:
        sys.stdout.write(f"{msgspec.json.encode(as_json(outcome)).decode()}\n")
    return 1 if outcome.wrong else 0
