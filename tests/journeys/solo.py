"""The whole platform as its users meet it: `guilder solo` in a process of its own."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import psutil

from guilder.plumbing.postgres.place import remove_cluster

GUILDER = Path(sys.executable).with_name("guilder")
READY_SECONDS = 60  # Two seconds alone; the limit is for a machine that is busy with other tests.
STOP_SECONDS = 40
VERIFY_SECONDS = 60
PORTS = range(15_000, 32_000)  # Below those that outgoing connections are given.


class Ready(msgspec.Struct, frozen=True):
    """What `guilder solo --json` prints when requests are welcome."""

    api: str
    sandbox: str
    platform_key: str
    merchant_id: str
    merchant_key: str
    home: str


@dataclass(slots=True)
class Solo:
    """A platform in its own home; killed or stopped and started again, it keeps its ports."""

    home: Path
    settings: Mapping[str, str]
    ready: Ready = field(init=False)
    process: "subprocess.Popen[bytes]" = field(init=False)
    ports: dict[str, str] = field(init=False)

    @property
    def pid(self) -> int:
        """The process that serves the API, works and relays."""
        return self.process.pid

    @property
    def sandbox_pid(self) -> int:
        """The process of the simulated outside world."""
        return self._child("guilder_sandbox")

    @property
    def postgres_pid(self) -> int:
        """The postmaster."""
        return self._child("postgres")

    def __post_init__(self) -> None:
        api, sandbox = random.sample(PORTS, 2)
        self.ports = {"GUILDER_PORT": str(api), "GUILDER_SANDBOX_PORT": str(sandbox)}

    def start(self) -> Ready:
        """Start it and wait until it says that it is ready."""
        with self._said.open("ab") as said:
            self.process = subprocess.Popen(
                [GUILDER, "solo", "--json"],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        assert self.process.stdout is not None, "its output is a pipe"
        alarm = threading.Timer(READY_SECONDS, self.process.kill)
        alarm.start()
        try:
            line = self.process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            self.process.wait()
            raise AssertionError(f"solo did not start: {self._said.read_text()[-3000:]}")
        self.ready = msgspec.json.decode(line, type=Ready)
        self.ports = {
            "GUILDER_PORT": self.ready.api.rpartition(":")[2],
            "GUILDER_SANDBOX_PORT": self.ready.sandbox.rpartition(":")[2],
        }
        return self.ready

    def kill(self) -> None:
        """End it without a word, as a power cut would."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait for its end; returns its status."""
        status = self.process.wait(STOP_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def stop(self) -> int:
        """Ask it to end and wait; returns its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def restart(self) -> Ready:
        """Start it again after it was killed or stopped."""
        if self.is_running:
            self.stop()
        return self.start()

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def verify(self) -> tuple[int, list[dict[str, str]]]:
        """What `guilder verify --json` says: its status, and the violations it names."""
        done = subprocess.run(
            [GUILDER, "verify", "--json"],
            env=self.environment(),
            capture_output=True,
            timeout=VERIFY_SECONDS,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stderr.decode()
        last_line = done.stdout.splitlines()[-1]
        findings = cast("list[dict[str, str]]", json.loads(last_line)["findings"])
        return done.returncode, findings

    def environment(self) -> dict[str, str]:
        """The environment without anybody else's settings, and with ours."""
        theirs = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251 - a child needs the rest of it.
            if not name.startswith("GUILDER_")
        }
        return {**theirs, "GUILDER_HOME": str(self.home), **self.ports, **self.settings}

    def _child(self, word: str) -> int:
        """A child by a word of its command line; one that is being replaced is waited for."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            for child in psutil.Process(self.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if any(word in part for part in child.cmdline()):
                        return child.pid
            time.sleep(0.02)
        raise AssertionError(f"solo has no child {word}")

    @property
    def _said(self) -> Path:
        return self.home.with_name(f"{self.home.name}.said")


@contextmanager
def running_solo(home: Path, **settings: str) -> Generator[Solo]:
    """A platform in this folder for as long as the block lasts, removed with it.

    `settings` are by their names without the prefix: `PATIENCE_SECONDS="2"`.
    """
    solo = Solo(home, {f"GUILDER_{name}": value for name, value in settings.items()})
    solo.start()
    try:
        yield solo
    finally:
        if solo.is_running:
            solo.stop()
        remove_cluster(home)
