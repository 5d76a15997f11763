"""The command line of the sandbox."""

import argparse
import ctypes
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import TextIO

import msgspec

from guilder_sandbox.server import serve

PR_SET_PDEATHSIG = 1  # Linux: the signal a process gets when the thread that started it ends.


class Arguments(argparse.Namespace):
    """What may be said on the command line."""

    home: Path
    host: str
    port: int
    json: bool
    end_with_parent: bool


def main() -> None:
    arguments = _parse()
    if arguments.end_with_parent:
        _end_with_parent(os.getppid())
    arguments.home.mkdir(parents=True, exist_ok=True)
    with (arguments.home / "sandbox.lock").open("w", encoding="utf-8") as lock:
        _lock_or_leave(lock, arguments.home)

        def ready(address: str) -> None:
            _say_ready(address, as_json=arguments.json)

        try:
            serve(arguments.home, host=arguments.host, port=arguments.port, on_ready=ready)
        except OSError as cause:
            address = f"{arguments.host} port {arguments.port}"
            sys.exit(f"The sandbox cannot listen on {address}: {cause.strerror}.")


def _parse() -> Arguments:
    parser = argparse.ArgumentParser(
        prog="python -m guilder_sandbox", description="The outside world of payments, simulated."
    )
    parser.add_argument("--home", type=Path, required=True, help="the folder of its book")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    parser.add_argument(
        "--end-with-parent", action="store_true", help="end when the starting process ends (Linux)"
    )
    return parser.parse_args(namespace=Arguments())


def _lock_or_leave(lock: TextIO, home: Path) -> None:
    """One process per folder; the lock goes with the process, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Another sandbox already works in {home}.")


def _end_with_parent(parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The process that started the sandbox has ended.")


def _say_ready(address: str, *, as_json: bool) -> None:
    if as_json:
        line = msgspec.json.encode({"sandbox": address, "pid": os.getpid()}).decode()
    else:
        line = f"The sandbox is ready at {address} and keeps running; Ctrl-C ends it."
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
