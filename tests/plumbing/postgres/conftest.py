"""Homes for real servers; each is stopped and removed with its cluster when its test ends."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from guilder.plumbing.postgres.supervisor import EmbeddedPostgres


@pytest.fixture
def home(tmp_path: Path) -> Generator[Path]:
    """A folder that does not exist yet; what a server leaves for it elsewhere is removed."""
    folder = tmp_path / "home"
    yield folder
    if folder.is_dir():
        EmbeddedPostgres(folder).remove()


@pytest.fixture
def server(home: Path) -> Generator[EmbeddedPostgres]:
    """A started server of the wheel's programs."""
    with EmbeddedPostgres(home) as started:
        yield started


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[EmbeddedPostgres]:
    """One server for the tests that only look at it."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("shared") / "home") as started:
        yield started
    started.remove()


@pytest.fixture
def reachable(tmp_path: Path) -> Generator[Path]:
    """A folder that every account can pass through, whatever the modes of pytest's own folders."""
    folder = Path("/var/tmp") / f"guilder-{os.getpid()}-{tmp_path.name[-20:]}"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    for home in folder.iterdir():
        EmbeddedPostgres(home).remove()
    shutil.rmtree(folder)
