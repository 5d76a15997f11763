"""The whole platform as a child process, in a folder that is deleted afterwards."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a running solo is, and its keys."""

    api: str
    sandbox: str
    platform_key: str
    merchant_key: str
    merchant_id: str
    home: Path


@contextlib.asynccontextmanager
async def running() -> AsyncGenerator[Platform]:
    """A solo on free ports for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="guilder-bench-") as folder:
        environment = {name: value for name, value in os.environ.items()}  # noqa: TID251, C416
        environment |= {
            "GUILDER_HOME": folder,
            "GUILDER_PORT": "0",
            "GUILDER_SANDBOX_PORT": "0",
            "GUILDER_LOG_LEVEL": "warning",
        }
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "guilder.roles", "solo", "--json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None, "the child's output is a pipe"
        try:
            told = msgspec.json.decode(await child.stdout.readline())
            yield Platform(
                told["api"],
                told["sandbox"],
                told["platform_key"],
                told["merchant_key"],
                told["merchant_id"],
                Path(folder),
            )
        finally:
            child.terminate()
            await child.wait()
