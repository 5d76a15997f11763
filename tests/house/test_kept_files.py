"""Nothing that is kept tells a secret, a machine's paths, or where packages come from."""

import re
from pathlib import Path

import pytest

from tests.house.tree import accepted, kept_files, short

# Written in pieces, so that this file does not find itself.
HOSTS = ("py" + "pi", "python" + "hosted", "npm" + "js", "maven" + ".org", "crates" + ".io")
FORBIDDEN: dict[str, str] = {
    "a machine's path": r"(?:^|[^\w.])/(?:work|root|farm|home/[a-z]+|tmp/[a-z]+)/",
    "a package registry": r"https?://[\w.-]*(?:" + "|".join(re.escape(h) for h in HOSTS) + ")",
    "a private key": "-----BEGIN [A-Z ]*PRIVATE" + " KEY-----",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b",
    "a token": r"\b(?:ghp_|glpat-|xox[abp]-)[\w-]{16,}",
    "a provider's live key": r"\b[sr]k_" + r"live_[0-9A-Za-z]{16,}",
    "a live key of ours": r"\bgk_" + r"live_[0-9a-zA-Z]{20,}",
    "a webhook secret": r"\bwhsec_[0-9A-Za-z+/]{24,}",
}


def readable(path: Path) -> str:
    """A file's text; what is not text is searched byte by byte all the same."""
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_kept_file_holds(kind: str) -> None:
    pattern = re.compile(FORBIDDEN[kind], re.MULTILINE)
    found = {short(path) for path in kept_files() if pattern.search(readable(path))}
    assert found - accepted("secret") == set()


def test_no_accepted_secret_is_stale() -> None:
    patterns = [re.compile(pattern, re.MULTILINE) for pattern in FORBIDDEN.values()]
    guilty = {
        short(path)
        for path in kept_files()
        if any(pattern.search(readable(path)) for pattern in patterns)
    }
    assert accepted("secret") <= guilty


def test_the_files_are_found() -> None:
    assert "pyproject.toml" in {short(path) for path in kept_files()}
