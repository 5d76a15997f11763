"""A demo as a child process, as somebody starts it on a terminal, and the ways it is disturbed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil

SECONDS_MAX = 150
GUILDER = str(Path(sys.executable).parent / "guilder")


class Demo:
    """`guilder demo` on a home folder; it is ended when the block is left, if need be."""

    def __init__(self, home: Path, *arguments: str, as_json: bool = True, **settings: str) -> None:
        self.home = home
        self.said = ""
        given = os.environ.items()  # noqa: TID251 - passed on, without anybody else's settings.
        environment = {name: value for name, value in given if not name.startswith("GUILDER_")}
        self.child = subprocess.Popen(
            [GUILDER, "demo", *(["--json"] if as_json else []), *arguments],
            env={**environment, "GUILDER_HOME": str(home), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait(60)
        for stream in (self.child.stdout, self.child.stderr):
            if stream is not None:
                stream.close()

    def finish(self) -> dict[str, Any]:
        """What it printed as its last line, once it has ended, with its exit status."""
        out, self.said = self.child.communicate(timeout=SECONDS_MAX)
        last = out.splitlines()[-1] if out else "{}"
        return {**msgspec.json.decode(last), "exit": self.child.returncode}

    def lines(self, kind: str) -> int:
        """How many lines of a kind its journal has."""
        file = self.home / "demo" / "journal.jsonl"
        return file.read_bytes().count(f'"type":"{kind}"'.encode()) if file.exists() else 0

    def wait_for_lines(self, kind: str, count: int) -> None:
        """Wait until it has come that far."""
        self._wait(lambda: self.lines(kind) >= count, f"{count} lines of {kind}")

    def children(self) -> list[psutil.Process]:
        """All that lives below it."""
        try:
            return psutil.Process(self.child.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill_child(self, words: str) -> None:
        """SIGKILL the first of its processes whose command line holds these words."""
        found: list[psutil.Process] = []

        def look() -> bool:
            found.extend(one for one in self.children() if words in _command(one))
            return bool(found)

        self._wait(look, f"a process of {words}")
        found[0].kill()

    def _wait(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not is_so():
            assert time.monotonic() < deadline, f"no {what} in {SECONDS_MAX} s"
            assert self.child.poll() is None, f"it ended before there was {what}"
            time.sleep(0.01)


def all_end(processes: list[psutil.Process], *, seconds: int = 40) -> bool:
    """Whether these processes end by themselves."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def _command(one: psutil.Process) -> str:
    try:
        return " ".join(one.cmdline())
    except psutil.Error:
        return ""
