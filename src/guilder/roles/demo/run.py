"""The demo: from a file of orders to three books that agree, and the exit status of it all."""

import asyncio
import contextlib
import importlib.resources
import secrets
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import msgspec

from guilder.kernel.clock import Clock
from guilder.roles.demo.caller import Caller, Unanswered, open_session
from guilder.roles.demo.installation import Installation, InstallationTrouble, Ready
from guilder.roles.demo.journal import Journal, JournalTrouble
from guilder.roles.demo.orders import OrdersTrouble, read_orders, text_of
from guilder.roles.demo.outcome import Outcome, as_json, summary
from guilder.roles.demo.place import kept_key, place_of, set_aside
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.report import block
from guilder.roles.demo.scale import Scale
from guilder.roles.demo.screen import Screen
from guilder.roles.demo.sitting import Run, Sitting
from guilder.roles.settings import Settings, SettingsTrouble

T = TypeVar("T")

PATIENCE_SECONDS = 15
"""How long an attempt may stay unseen here: above any call's budget, and short enough to watch."""

DATABASE_CONNECTIONS = 3
"""Enough for orders taken a few at a time; each counts as 30 MB of the embedded server's memory."""

INTERRUPTED = 130


def run_demo(settings: Settings, orders: Path | None, *, json: bool) -> int:
    """Work through a file of orders, or the one that ships, and compare the three books.

    Returns 0 when all is as wanted, 1 when something is not and was named, 2 when it could not
    begin, and 130 when it was interrupted; the next demo in the same home then goes on with it.
    Raises `SettingsTrouble` when a setting sends the payments elsewhere.
    """
    started = time.monotonic()
    if settings.stripe_test_key is not None:
        raise SettingsTrouble("the demo plays in the sandbox: unset GUILDER_STRIPE_TEST_KEY")
    screen = Screen(beside_json=json)
    try:
        text = _text(orders)
        outcome = asyncio.run(_until_stopped(_sit(settings, text, screen, json=json)))
    except (OrdersTrouble, JournalTrouble, InstallationTrouble, Unanswered) as trouble:
        sys.stderr.write(f"guilder: {trouble}\n")
        return 2
    except asyncio.CancelledError:
        screen.step("interrupted; the next demo in this home goes on with the same keys")
        return INTERRUPTED
    outcome.elapsed_ms = int((time.monotonic() - started) * 1000)
    screen.tell_all(summary(outcome))
    screen.tell_all(f"WRONG {sentence}" for sentence in outcome.wrong)
    if json:
        sys.stdout.write(f"{msgspec.json.encode(as_json(outcome)).decode()}\n")
    return 1 if outcome.wrong else 0


def _text(orders: Path | None) -> str:
    """The orders' text, which has a header and something below it. Raises `OrdersTrouble`."""
    if orders is None:
        raw = importlib.resources.files("guilder.roles.demo").joinpath("orders.csv").read_bytes()
    else:
        try:
            raw = orders.read_bytes()
        except OSError as cause:
            raise OrdersTrouble(f"{orders} cannot be read: {cause.strerror}") from cause
    text = text_of(raw)
    try:
        read_orders(text)
    except OrdersTrouble as trouble:
        raise OrdersTrouble(f"{orders or 'the orders that ship'}: {trouble}") from trouble
    return text


async def _until_stopped(work: Coroutine[None, None, T]) -> T:
    """Run it; SIGINT, SIGTERM and SIGHUP cancel it, and it ends its children."""
    task = asyncio.current_task()
    assert task is not None, "this runs as a task"
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, task.cancel)
    return await work


async def _sit(settings: Settings, text: str, screen: Screen, *, json: bool) -> Outcome:
    clock, scale = Clock(), Scale()
    home = place_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        weighing = asyncio.create_task(scale.watch())
        stack.push_async_callback(_cancelled, weighing)
        journal, installation, ready = await _opened(stack, settings, home, screen, clock)
        story = journal.unfinished()
        session = await stack.enter_async_context(open_session())
        receiver = Receiver(clock, journal.heard)
        port = story.opened.port if story and story.opened else 0
        await stack.enter_async_context(receiver.listening(port))
        sitting = Sitting(
            settings=settings,
            home=home,
            screen=screen,
            scale=scale,
            journal=journal,
            installation=installation,
            ready=ready,
            caller=Caller(installation, session),
            receiver=receiver,
        )
        runs = _runs(journal, text)
        return await _played(sitting, runs, json=json)


async def _opened(
    stack: contextlib.AsyncExitStack, settings: Settings, home: Path, screen: Screen, clock: Clock
) -> tuple[Journal, Installation, Ready]:
    """The journal of the place, and an installation on it that is up."""
    while True:
        journal = Journal.of(home, clock)
        stack.callback(journal.close)
        known = kept_key(home)
        installation = Installation(
            home,
            patience_seconds=min(settings.patience_seconds, PATIENCE_SECONDS),
            database_connections=min(settings.database_connections, DATABASE_CONNECTIONS),
            tell=screen.step,
        )
        stack.push_async_callback(installation.stop)
        ready = await installation.start(is_resumed=journal.unfinished() is not None)
        if known in {None, ready.platform_key}:
            return journal, installation, ready
        await installation.stop()
        former = set_aside(home)
        screen.step(f"this database is a new one; what belonged to the former is in {former.name}")


def _runs(journal: Journal, text: str) -> list[Run]:
    """An unfinished run first; and the orders that were given now, unless it is the same ones."""
    runs: list[Run] = []
    story = journal.unfinished()
    if story is not None:
        orders = story.began.orders
        runs.append(Run(story.began.run, read_orders(orders), story, is_resumed=True))
        if orders == text:
            return runs
    run = secrets.token_hex(4)
    runs.append(Run(run, read_orders(text), journal.began(run, text), is_resumed=False))
    return runs


async def _played(sitting: Sitting, runs: list[Run], *, json: bool) -> Outcome:
    screen = sitting.screen
    for run in runs:
        for bad in run.orders.bad:
            screen.step(f"left out: {bad}")
        going = "going on with the unfinished run" if run.is_resumed else "run"
        screen.step(f"{going} {run.id}: {len(run.orders.orders)} orders")
        await sitting.work(run)
    if not json:
        _tell_trails(sitting)
    screen.step("comparing the three books")
    comparison = await sitting.compare()
    findings = await sitting.findings()
    for run in runs:
        sitting.journal.ended(run.id)
    return Outcome(
        home=str(sitting.home),
        runs=[run.id for run in runs],
        resumed=any(run.is_resumed for run in runs),
        worked=sitting.worked,
        bad=[bad for run in runs for bad in run.orders.bad],
        trails=sitting.trails,
        lost_events=sitting.lost_events,
        comparison=comparison,
        findings=findings,
        receiver=sitting.receiver,
        scale=sitting.scale,
        restarts=sitting.installation.restarts,
        database_is_ours=sitting.settings.database_url is None,
    )


def _tell_trails(sitting: Sitting) -> None:
    for worked in sitting.worked:
        trail = sitting.trails.get(worked.payment.id) if worked.payment else None
        sitting.screen.tell()
        if trail is None:
            told = [f"{worked.order.name}  {worked.order.merchant}  {worked.order.amount}"]
            sitting.screen.tell_all([*told, *(f"  WRONG     {why}" for why in worked.troubles)])
        else:
            sitting.screen.tell_all(block(worked, trail, sitting.journal.events))
    sitting.screen.tell()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
