"""The generated pages of docs/reference: `python -m tools.docs [--check]`."""

import argparse
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

from guilder.edge.problems import status_of
from guilder.roles.settings import SETTINGS, Settings
from tools.reference import cli, errors, events, openapi, settings, states
from tools.reference.tree import load

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


@cache
def _platform() -> list[ModuleType]:
    return load("guilder")


def _errors() -> str:
    return errors.render(_platform(), status_of)


def _events() -> str:
    return events.render(_platform())


def _states() -> str:
    return states.render(_platform())


def _settings() -> str:
    return settings.render(SETTINGS, get_type_hints(Settings))


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli.render,
    "errors.md": _errors,
    "events.md": _events,
    "openapi.json": openapi.render,
    "settings.md": _settings,
    "states.md": _states,
}


@cache
def _rendered(name: str) -> str:
    return PAGES[name]()


def write(folder: Path) -> list[str]:
    """Write every page whose text has changed into the folder; returns the names of those."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = stale(folder)
    for name in changed:
        (folder / name).write_text(_rendered(name), encoding="utf-8")
    return changed


def stale(folder: Path) -> list[str]:
    """The names of pages that are missing, or differ from what the code says now."""
    return [name for name in PAGES if _kept(folder / name) != _rendered(name)]


def _kept(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main() -> int:
    """Write the pages, or with --check only say which are stale; 1 when any is."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    if parser.parse_args().check:
        names = stale(REFERENCE)
        for name in names:
            print(f"docs/reference/{name} is stale; run python -m tools.docs")
        return 1 if names else 0
    for name in write(REFERENCE):
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
