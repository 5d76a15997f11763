"""One role in one process, as in production."""

import asyncio
import contextlib
import signal
import subprocess
import sys

import uvloop

from guilder.plumbing import logs
from guilder.roles.api import address_of, listen, run_api
from guilder.roles.parts import database_url, open_parts
from guilder.roles.relay import run_relay
from guilder.roles.settings import Settings
from guilder.roles.worker import run_worker


def run_single(settings: Settings, role: str) -> None:
    """Run `api`, `worker` or `relay` until SIGINT or SIGTERM; logs go to stderr."""
    logs.set_up(level=settings.log_level)
    uvloop.run(_run(settings, role))


def run_sandbox(settings: Settings) -> int:
    """Run the simulated outside world in the foreground."""
    command = [sys.executable, "-m", "guilder_sandbox", "--home", str(settings.home / "sandbox")]
    command += ["--host", settings.host, "--port", str(settings.sandbox_port)]
    with subprocess.Popen([*command, "--end-with-parent"]) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.terminate()
            return child.wait()


async def _run(settings: Settings, role: str) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    url = database_url(settings)
    async with contextlib.AsyncExitStack() as stack:
        parts = await open_parts(settings, url, name=f"guilder {role}")
        stack.push_async_callback(parts.close)
        match role:
            case "api":
                listener = listen(settings.host, settings.port)
                listener.listen(2048)
                sys.stderr.write(f"the API is at {address_of(listener)}\n")
                await run_api(parts, listener, stopping)
            case "worker":
                await run_worker(parts, url, stopping)
            case "relay":
                await run_relay(parts, stopping)
            case _:
                raise ValueError(f"there is no role {role!r}")
