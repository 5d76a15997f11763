"""Makes `.venv` ready with nothing but the standard library: `bin/setup [--dev]` runs this."""

import argparse
import ast
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = "requirements-build.lock"
LOCKS = {"dev": "requirements-dev.lock", "run": "requirements.lock"}
UNFINISHED = "unfinished"
UV_OLDEST = (0, 5)

# What pip calls a setting, and what uv calls the same.
SAME_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
}
# An account's own uv settings win over its pip settings.
UV_OWN = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE")


class SetupError(Exception):
    """The environment cannot be made; the text is for people and says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/setup", description=__doc__)
    parser.add_argument("--dev", action="store_true", help="with what tests and checks need")
    parser.add_argument("--is-ready", action="store_true", help="only say whether it is done")
    arguments = parser.parse_args()
    # The house's settings do not exist yet; this is the environment of pip and uv.
    environment = Environment(ROOT, dict(os.environ))  # noqa: TID251
    wanted = "dev" if arguments.dev else "run"
    if arguments.is_ready:
        if not environment.is_ready(wanted):
            return 1
        print(f"{environment.folder} is ready")
        return 0
    try:
        with only_one(ROOT):
            environment.make_ready(wanted)
    except (SetupError, OSError, subprocess.CalledProcessError) as trouble:
        say(f"stops: {trouble}")
        return 1
    except KeyboardInterrupt:
        say("was interrupted; run it again, and it starts afresh")
        return 130
    return 0


class Environment:
    """The `.venv` of one tree, and the stamp in it that says what it was made from."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.environ = environ
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._stamp = self.folder / "guilder-setup"

    def is_ready(self, wanted: str) -> bool:
        """Made here, completely, from these very files; what `dev` needs holds `run` too."""
        kind, made_from, _ = self._stamped()
        return kind in ("dev", wanted) and made_from == self._digest(kind) and self.python.exists()

    def make_ready(self, wanted: str) -> None:
        """Does what is missing; an interrupted attempt is thrown away and begun again."""
        if self.is_ready(wanted):
            return  # Another set-up finished while we waited for it.
        began = time.monotonic()
        kind = "dev" if self._stamped()[0] == "dev" else wanted
        self._clear_useless()
        self.folder.mkdir(exist_ok=True)
        self._stamp.write_text(UNFINISHED)
        if not self._runs():
            say(f"makes {self.folder} with Python {sys.version.split()[0]} ({sys.executable})")
            venv.create(self.folder, with_pip=True, symlinks=True)
        elif not ran([str(self.python), "-I", "-m", "pip", "--version"]):
            subprocess.run([str(self.python), "-I", "-m", "ensurepip"], check=True)
        self._install(kind)
        self._stamp.write_text(f"{kind}\n{self._digest(kind)}\n{self.folder}\n")
        say(f"is done after {time.monotonic() - began:.0f} s; everything is in {self.folder}")

    def _stamped(self) -> tuple[str, str, str]:
        """What was installed, the digest of what it was made from, and where it was made."""
        try:
            lines = self._stamp.read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            lines = []
        kind, made_from, folder = (*lines, "", "", "")[:3]
        return kind, made_from, folder

    def _digest(self, kind: str) -> str:
        """Of all that decides what is in the environment: the place, the package, the locks."""
        package = tomllib.loads((self.root / "pyproject.toml").read_text())
        seen = hashlib.sha256(str(self.folder).encode())
        seen.update(json.dumps([package["project"], package["build-system"]]).encode())
        for name in (LOCKS[kind], BUILD):
            seen.update((self.root / name).read_bytes())
        return seen.hexdigest()

    def _clear_useless(self) -> None:
        """Removes what cannot be mended: unfinished, moved here, or without its Python."""
        if not self.folder.is_symlink() and not self.folder.exists():
            return
        kind, _, made_at = self._stamped()
        is_elsewhere = bool(made_at) and made_at != str(self.folder)
        if kind == UNFINISHED or is_elsewhere or not self._runs():
            say(f"removes {self.folder}: it is unfinished, was moved, or has lost its Python")
            if self.folder.is_dir() and not self.folder.is_symlink():
                shutil.rmtree(self.folder)
            else:
                self.folder.unlink()

    def _runs(self) -> bool:
        question = (
            "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
        )
        return ran([str(self.python), "-I", "-c", question])

    def _install(self, kind: str) -> None:
        """Everything by its hash, then ourselves, built by what was just installed."""
        python = str(self.python)
        pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        by_pip = pip_environment(self.environ)
        lock, build = str(self.root / LOCKS[kind]), str(self.root / BUILD)
        uv = uv_in_path() or self._bring_uv(pip, by_pip)
        pinned = ["--require-hashes", "-r", build, "-r", lock]
        ourselves = ["--no-deps", "--no-build-isolation", "-e", str(self.root)]
        if uv:
            say(f"installs {LOCKS[kind]} with {uv}")
            told = ran_for_output([python, "-I", "-m", "pip", "config", "list"])
            by_uv = uv_environment(self.environ, pip_settings(told))
            install = [uv, "pip", "install", "--python", python, "--quiet"]
            if all(shown([*install, *words], by_uv) for words in (pinned, ourselves)):
                return
            say("could not use uv, and tries pip")
        say(f"installs {LOCKS[kind]} with pip")
        if not all(shown([*pip, *words], by_pip) for words in (pinned, ourselves)):
            raise SetupError(
                "the packages could not be installed. Look at the message above; behind a proxy or"
                " a mirror, configure pip as you always do. Then run bin/setup again."
            )

    def _bring_uv(self, pip: list[str], environment: Mapping[str, str]) -> str:
        """Installs the pinned uv by its hash; empty when that fails, and pip must do."""
        uv, wanted = self.folder / "bin" / "uv", self.folder / "uv.lock"
        block = requirement_block("uv", (self.root / BUILD).read_text())
        if block.split()[0] == f"uv=={version_of(str(uv))}":
            return str(uv)
        say("brings uv, which installs faster than pip")
        wanted.write_text(block)
        brought = shown([*pip, "--require-hashes", "-r", str(wanted)], environment)
        wanted.unlink()
        return str(uv) if brought else ""


def requirement_block(name: str, lock: str) -> str:
    """One requirement of a lock, with all its hashes."""
    lines = lock.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith(f"{name}==")]
    block = lines[starts[0] : starts[0] + 1]
    for line in lines[starts[0] + 1 :]:
        if not line.startswith("    "):
            break
        block.append(line)
    return "".join(block)


def pip_settings(config_list: str) -> dict[str, str]:
    """The settings that `pip config list` printed; the environment wins, then `install`."""
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in config_list.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}.") and value:
                settings[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return settings


def uv_environment(ours: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment with pip's settings under uv's names; what uv was told itself stays."""
    environment = {name: value for name, value in ours.items() if name != "VIRTUAL_ENV"}
    has_its_own = any(name in ours for name in UV_OWN) or uv_is_configured(ours)
    for name, same in SAME_SETTINGS.items():
        is_index = name in ("index-url", "extra-index-url", "find-links")
        if name not in settings or same in ours or (is_index and has_its_own):
            continue
        values = settings[name].split()
        if name == "find-links":  # uv stops at a folder that is not there; pip goes on.
            values = [value for value in values if "://" in value or Path(value).is_dir()]
        if values:
            environment[same] = ("," if name == "find-links" else " ").join(values)
    return environment


def uv_is_configured(ours: Mapping[str, str]) -> bool:
    """Whether a uv configuration file of this account or machine names an index."""
    home = Path(ours.get("HOME", "/nonexistent"))
    own = Path(ours.get("XDG_CONFIG_HOME") or home / ".config")
    for file in (own / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
        if file.is_file() and "index" in file.read_text(errors="replace"):
            return True
    return False


def pip_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what would send packages elsewhere than into `.venv`."""
    elsewhere = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES", "PIP_NO_DEPS")
    environment = {name: value for name, value in ours.items() if name not in elsewhere}
    return environment | {"PIP_USER": "0"}


def uv_in_path() -> str:
    """The uv of this machine if it runs and is not too old; else nothing."""
    found = shutil.which("uv") or ""
    major, minor = (*version_of(found).split("."), "", "")[:2]
    if major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= UV_OLDEST:
        return found
    return ""


def version_of(uv: str) -> str:
    """What `uv --version` says; empty when there is no such program, or it does not run."""
    words = ran_for_output([uv, "--version"]).split() if uv else []
    return words[1] if len(words) > 1 else ""


@contextmanager
def only_one(root: Path) -> Generator[None]:
    """Two set-ups of one tree take turns; the lock is the folder itself."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waits for another set-up of this tree")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def shown(command: list[str], environment: Mapping[str, str]) -> bool:
    """Runs a program whose messages people may read; whether it went well."""
    return subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode == 0


def ran(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def ran_for_output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def say(words: str) -> None:
    print(f"bin/setup {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
