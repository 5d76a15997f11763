"""Everything that must be clean before a change is taken: `python -m tools.check [--fix]`."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SECONDS_MAX = 300
"""No check takes a tenth of this; one that does is stuck."""

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One tool: what it is called in the report, how it is run, and how it mends what it finds."""

    name: str
    command: Command
    fix: Command | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one check said, and how long it took in seconds."""

    check: Check
    clean: bool
    output: str
    seconds: float


def _tool(name: str, *arguments: str) -> Command:
    return (str(BIN / name), *arguments)


def _ours(name: str, *arguments: str) -> Command:
    return (sys.executable, "-m", f"tools.{name}", *arguments)


CHECKS: tuple[Check, ...] = (
    Check("ruff format", _tool("ruff", "format", "--check", "."), _tool("ruff", "format", ".")),
    Check("ruff check", _tool("ruff", "check", "."), _tool("ruff", "check", "--fix", ".")),
    Check("basedpyright", _tool("basedpyright")),
    Check("import-linter", _tool("lint-imports", "--no-logo")),
    Check("deptry", _tool("deptry", "--no-ansi", "src")),
    Check("docs fresh", _ours("docs", "--check"), _ours("docs")),
    Check("capabilities fresh", _ours("capabilities", "--check"), _ours("capabilities")),
    Check("lock fresh", _ours("lock", "--check")),
)

SLOWEST_FIRST = ("basedpyright", "docs fresh", "import-linter")


def run(check: Check) -> Result:
    """Run one check in the root of the tree; its output is kept, not shown."""
    began = time.monotonic()
    try:
        done = subprocess.run(
            check.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        clean, output = done.returncode == 0, done.stdout
    except (OSError, subprocess.TimeoutExpired) as trouble:
        clean, output = False, str(trouble)
    return Result(check, clean=clean, output=output, seconds=time.monotonic() - began)


def run_all(checks: Iterable[Check]) -> list[Result]:
    """Run the checks on two lanes, the slow ones first; the results come in the order given."""
    asked = list(checks)
    order = sorted(asked, key=lambda check: check.name not in SLOWEST_FIRST)
    with ThreadPoolExecutor(max_workers=2) as lanes:
        results = {result.check.name: result for result in lanes.map(run, order)}
    return [results[check.name] for check in asked]


def report(results: Iterable[Result]) -> int:
    """Print one line per check, then the output of those that failed; 1 if any did, else 0."""
    failed: list[Result] = []
    for result in results:
        word = "ok" if result.clean else "FAILED"
        print(f"{word:<8}{result.check.name:<20}{result.seconds:6.1f} s")
        if not result.clean:
            failed.append(result)
    for result in failed:
        print(f"\n{result.check.name} says:\n{result.output.rstrip()}")
    return 1 if failed else 0


def main() -> int:
    """Check everything; with --fix, first let those tools mend what they can."""
    parser = argparse.ArgumentParser(prog="python -m tools.check", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="mend what can be mended, then check")
    if parser.parse_args().fix:
        for check in CHECKS:
            if check.fix is not None:
                subprocess.run(check.fix, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    return report(run_all(CHECKS))


if __name__ == "__main__":
    sys.exit(main())
