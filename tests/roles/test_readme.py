"""The README's session by hand, run as it is written."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.solo import running_solo

ROOT = Path(__file__).resolve().parents[2]
CURL = shutil.which("curl")


@pytest.mark.proves("S4-16", "S4-28", "S4-29", "S4-30", "S08")
def test_the_session_of_the_readme_works_as_written(tmp_path: Path) -> None:
    assert CURL, "the README's session needs curl"
    match = re.search(
        r"<!-- session -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert match, "the README has its session"
    script = match[1].replace(".venv/bin/guilder", f"{sys.executable} -m guilder.roles")
    with running_solo(tmp_path) as solo:
        done = subprocess.run(
            ["bash", "-euc", script],
            env=solo.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert lines[0] == lines[1], "a replay is the same to the byte"
    assert [one.get("error_code", one.get("state")) for one in told[:-1]] == [
        "captured",
        "captured",
        "idempotency_key_reused",
        "idempotency_key_missing",
        "partially_captured",
        "payment_not_capturable",
        "succeeded",
        "refund_exceeds_captured",
        "unknown_currency",
        *["field_invalid"] * 4,
        "declined",
        "partially_refunded",
    ]
    assert [one["status"] for one in told if "error_code" in one] == [422, 400, 409, *[422] * 6]
    wrong = [one["param"] for one in told if one.get("error_code") == "field_invalid"]
    assert wrong == ["amount_minor"] * 4
    assert [line["difference_minor"] for line in told[-1]["lines"]] == [0]
    assert "capture succeeded" in done.stdout
    assert lines[-1].startswith("clean")
