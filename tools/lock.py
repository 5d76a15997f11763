"""Writes the lock files with uv, or checks them: `python -m tools.lock [--check] [--upgrade]`."""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
)
BUILD_TOOLS = ("uv>=0.9,<1", "editables>=0.5,<1")
"""What bin/setup needs beside the build backend that pyproject.toml names."""

HEADER = "# Written by `python -m tools.lock` from pyproject.toml; sha256 of both: "
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file: what it pins, and the earlier lock whose versions it must share."""

    file: str
    extras: tuple[str, ...]
    shares_with: str = ""


LOCKS = (
    Lock("requirements.lock", ("embedded",)),
    Lock("requirements-dev.lock", ("embedded", "dev"), shares_with="requirements.lock"),
    Lock("requirements-build.lock", (), shares_with="requirements-dev.lock"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--check", action="store_true", help="say what is stale, change nothing")
    parser.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    arguments = parser.parse_args()
    if arguments.check:
        stale = problems(ROOT)
        print("\n".join(stale) or "the locks are fresh")
        return 1 if stale else 0
    for lock in LOCKS:
        write(ROOT, lock, extra=["--upgrade"] if arguments.upgrade else [])
        print(f"{lock.file}: {len(PIN.findall((ROOT / lock.file).read_text()))} packages")
    return 0


def problems(root: Path) -> list[str]:
    """What is wrong with the locks, found without a network: edited, outdated or at odds."""
    found: list[str] = []
    pins: dict[str, dict[str, str]] = {}
    for lock in LOCKS:
        file = root / lock.file
        header, _, body = file.read_text().partition("\n") if file.is_file() else ("", "", "")
        if header != HEADER + digest(requirements(root, lock), body):
            found.append(f"{lock.file} is stale; run `python -m tools.lock`")
        pins[lock.file] = dict(PIN.findall(body))
        for name, version in pins.get(lock.shares_with, {}).items():
            if pins[lock.file].get(name, version) != version:
                found.append(f"{lock.file} and {lock.shares_with} pin two versions of {name}")
        found += [f"{lock.file} names a place: {line}" for line in places(body)]
    return found


def requirements(root: Path, lock: Lock) -> list[str]:
    """What this lock must satisfy, as pyproject.toml says it now."""
    package = tomllib.loads((root / "pyproject.toml").read_text())
    if not lock.extras:
        return sorted([*package["build-system"]["requires"], *BUILD_TOOLS])
    project = package["project"]
    wanted = list(project["dependencies"])
    for extra in lock.extras:
        wanted += project["optional-dependencies"][extra]
    return sorted([*wanted, f"python {project['requires-python']}"])


def digest(wanted: list[str], body: str) -> str:
    return hashlib.sha256(json.dumps([wanted, body]).encode()).hexdigest()


def places(body: str) -> list[str]:
    """Lines that say where packages come from, which is for each machine to say."""
    return [line for line in body.splitlines() if line.startswith("--") or "://" in line]


def write(root: Path, lock: Lock, *, extra: list[str]) -> None:
    """Resolves one lock anew, keeping the versions it has unless `extra` says `--upgrade`."""
    target = root / lock.file
    with tempfile.TemporaryDirectory() as scratch:
        making = Path(scratch) / lock.file
        if target.is_file():
            shutil.copy(target, making)
        command = [uv(), "pip", "compile", "--quiet", *OPTIONS, *extra]
        if lock.shares_with:
            command += ["--constraint", lock.shares_with]
        if lock.extras:
            command += ["pyproject.toml", *(f"--extra={name}" for name in lock.extras)]
        else:
            wanted = Path(scratch) / "wanted.in"
            wanted.write_text("\n".join(requirements(root, lock)) + "\n")
            command += [str(wanted), "--no-annotate"]
        subprocess.run([*command, "--output-file", str(making)], check=True, cwd=root)
        body = making.read_text()
    target.write_text(f"{HEADER}{digest(requirements(root, lock), body)}\n{body}")


def uv() -> str:
    """The uv that bin/setup brought, or the one of this machine."""
    own = Path(sys.executable).with_name("uv")
    found = str(own) if own.is_file() else shutil.which("uv")
    if found is None:
        sys.exit("uv is missing; bin/setup brings it")
    return found


if __name__ == "__main__":
    sys.exit(main())
