"""`bin/bench NAME [--json] …`: run one benchmark, or all of them without a name."""

import argparse
import asyncio
import sys

from bench import ledger, payments
from bench.report import Report

BENCHES = {"ledger": ledger, "payments": payments}


def main() -> None:
    """Run what was asked for; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES), help="default: all")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument(
        "--seconds", type=int, default=6, help="how long each measurement lasts (default: 6)"
    )
    arguments = parser.parse_args()
    chosen = [arguments.name] if arguments.name else sorted(BENCHES)
    report = Report(to=sys.stderr if arguments.json else sys.stdout)
    for name in chosen:
        asyncio.run(BENCHES[name].run(report, seconds=arguments.seconds))
    if arguments.json:
        sys.stdout.write(f"{report.json()}\n")


main()
