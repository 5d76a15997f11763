"""The simulated outside world as a child process; we know it only by its address."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from guilder.connectors.psp.stripe.webhooks import TOPICS
from guilder.kernel.secret import Secret
from guilder.plumbing.logs import logger
from guilder.roles.loops import sleep_or_stop

log = logger(__name__)

KEY = Secret("sk_test_sandbox")
"""Any test key opens the sandbox; it guards nothing."""

READY_SECONDS = 20
WATCH_SECONDS = 0.2


class SandboxTrouble(Exception):  # noqa: N818 - named for the situation.
    """The sandbox did not start, or does not speak as it should."""


class Sandbox:
    """One sandbox process; started again at the same address when it dies.

    Start it from the main thread: the child ends with the thread that started it.
    """

    def __init__(self, home: Path, *, host: str, port: int) -> None:
        self._home = home
        self._host = host
        self._port = port
        self._child: subprocess.Popen[bytes] | None = None
        self._is_wanted = False
        self.address = ""

    @property
    def pid(self) -> int:
        """The process id of the running sandbox."""
        assert self._child is not None, "the sandbox must be started first"
        return self._child.pid

    def start(self) -> None:
        """Start it and wait until it is ready. Raises `SandboxTrouble`."""
        self._home.mkdir(parents=True, exist_ok=True)
        self._is_wanted = True
        command = [sys.executable, "-m", "guilder_sandbox", "--home", str(self._home)]
        command += ["--host", self._host, "--port", str(self._port), "--json", "--end-with-parent"]
        with (self._home / "sandbox.log").open("ab") as log_file:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log_file,
                start_new_session=True,
            )
        assert self._child.stdout is not None, "the child's output is a pipe"
        line = self._child.stdout.readline()
        if not line:
            raise SandboxTrouble(
                f"the sandbox did not start; its log is {self._home / 'sandbox.log'}"
            )
        self.address = msgspec.json.decode(line)["sandbox"]
        self._port = int(self.address.rpartition(":")[2])

    async def watch(self, stopping: asyncio.Event) -> None:
        """Start it again whenever it dies, until asked to stop."""
        while not stopping.is_set():
            await sleep_or_stop(WATCH_SECONDS, stopping)
            if self._is_wanted and self._child is not None and self._child.poll() is not None:
                log.warning("the sandbox died; starting it again", status=self._child.returncode)
                try:
                    self.start()
                except SandboxTrouble as trouble:
                    log.error("the sandbox did not start again", why=str(trouble))  # noqa: TRY400

    def stop(self) -> None:
        """Ask it to end, and insist after five seconds."""
        self._is_wanted = False
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(1)


async def register_webhooks(sandbox: str, api: str) -> Secret:
    """Have the sandbox's Stripe send its messages to this API, and to no other; their secret."""
    url = f"{api}/v1/webhooks/psp/stripe"
    headers = {"Authorization": f"Bearer {KEY.reveal()}"}
    async with aiohttp.ClientSession(base_url=sandbox, headers=headers) as session:
        for endpoint in (await _json(session, "GET", "/v1/webhook_endpoints?limit=100"))["data"]:
            await _json(session, "DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
        wanted = [("url", url), *(("enabled_events[]", topic) for topic in TOPICS)]
        made = await _json(session, "POST", "/v1/webhook_endpoints", wanted)
    return Secret(made["secret"])


async def _json(
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    form: list[tuple[str, str]] | None = None,
) -> Any:
    async with session.request(method, path, data=form) as answer:
        body = await answer.read()
        if answer.status != 200:
            raise SandboxTrouble(f"the sandbox answered {answer.status} to {method} {path}")
        return msgspec.json.decode(body)
