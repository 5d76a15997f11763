"""A whole installation as a child process: started, started again when it dies, and ended."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from guilder.roles.demo import launch

START_TRIES = 4  # A former server of the same home may still be writing its last checkpoint.
START_PAUSE_SECONDS = 1.0
FORMER_SECONDS = 40  # For an installation that a killed run left to finish what it has begun.
STOP_SECONDS = 25  # Longer than the API's grace for requests under way.
LAST_WORDS = 8


class InstallationTrouble(Exception):  # noqa: N818 - named for the situation.
    """The installation does not start; the sentence is its own."""


class Ready(msgspec.Struct, frozen=True):
    """What `guilder solo --json` says of itself."""

    api: str
    sandbox: str | None
    platform_key: str
    merchant_id: str
    home: str


class Installation:
    """`guilder solo` on one home folder, with ports that are chosen anew at each start.

    Use it from the main thread: the child ends with the thread that started it.
    """

    def __init__(
        self,
        home: Path,
        *,
        patience_seconds: int,
        database_connections: int,
        tell: Callable[[str], None],
    ) -> None:
        self.home = home
        self.restarts = 0
        self._patience_seconds = patience_seconds
        self._database_connections = database_connections
        self._tell = tell
        self._child: asyncio.subprocess.Process | None = None
        self._ready: Ready | None = None
        self._is_up = asyncio.Event()
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        self._watching: asyncio.Task[None] | None = None
        self._trouble: InstallationTrouble | None = None

    async def start(self, *, is_resumed: bool) -> Ready:
        """Start it and keep it alive from now on. Raises `InstallationTrouble`.

        With `is_resumed`, one that a killed run left behind is given time to end.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (FORMER_SECONDS if is_resumed else 0)
        killed = 0
        while True:
            try:
                ready = await self._launch()
            except InstallationTrouble:
                killed += self._was_killed
                is_worth_another = self._was_killed and killed < START_TRIES
                if loop.time() > deadline and not is_worth_another:
                    raise
                await asyncio.sleep(START_PAUSE_SECONDS)
            else:
                self._watching = asyncio.create_task(self._watch())
                return ready

    async def ready(self) -> Ready:
        """Where it is now; waits while it is being started again. Raises `InstallationTrouble`."""
        await self._is_up.wait()
        if self._trouble is not None:
            raise self._trouble
        assert self._ready is not None, "what is up has said where it is"
        return self._ready

    async def stop(self) -> None:
        """Ask it to end, wait for what it has under way, and insist when that takes too long."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        child, self._child = self._child, None
        self._is_up.clear()
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), STOP_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()

    @property
    def _was_killed(self) -> bool:
        return self._child is not None and (self._child.returncode or 0) < 0

    async def _watch(self) -> None:
        while True:
            assert self._child is not None, "only what was started is watched"
            await self._child.wait()
            self._is_up.clear()
            self._tell("the installation died; starting it again on the same home")
            try:
                await self._start_again()
            except InstallationTrouble as trouble:
                self._trouble = trouble
                self._is_up.set()
                return

    async def _start_again(self) -> None:
        for left in range(START_TRIES - 1, -1, -1):
            try:
                await self._launch()
            except InstallationTrouble:
                if left == 0:
                    raise
                await asyncio.sleep(START_PAUSE_SECONDS)
            else:
                self.restarts += 1
                return

    async def _launch(self) -> Ready:
        settings = {
            "GUILDER_HOME": str(self.home),
            "GUILDER_HOST": "127.0.0.1",
            "GUILDER_PORT": "0",
            "GUILDER_SANDBOX_PORT": "0",
            "GUILDER_PATIENCE_SECONDS": str(self._patience_seconds),
            "GUILDER_DATABASE_CONNECTIONS": str(self._database_connections),
        }
        python = sys.executable
        self._child = await asyncio.create_subprocess_exec(
            *(python, "-I", "-S", launch.__file__, str(os.getpid())),
            *(f"{name}={value}" for name, value in settings.items()),
            *("--", python, "-m", "guilder.roles", "solo", "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # The terminal's Ctrl-C is for us, and we tell the child.
        )
        assert self._child.stdout is not None, "the child's output is a pipe"
        assert self._child.stderr is not None, "the child's words are a pipe"
        hearing = asyncio.create_task(self._hear(self._child.stderr))
        line = await self._child.stdout.readline()
        if not line:
            await asyncio.gather(self._child.wait(), hearing)
            raise InstallationTrouble(self._reason())
        self._ready = msgspec.json.decode(line, type=Ready)
        self._is_up.set()
        return self._ready

    async def _hear(self, words: asyncio.StreamReader) -> None:
        async for line in words:
            text = line.decode(errors="replace").rstrip()
            self._words.append(text)
            if text.startswith("·"):
                self._tell(text.removeprefix("·").strip())

    def _reason(self) -> str:
        told = [line for line in self._words if line.startswith("guilder:")]
        if told:
            return told[-1].removeprefix("guilder:").strip()
        last = self._words[-1] if self._words else "it said nothing"
        return f"the installation did not start: {last}"
