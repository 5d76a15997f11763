"""What the embedded PostgreSQL says when it cannot run: a sentence that names the remedy."""

from collections.abc import Generator
from contextlib import contextmanager

OTHER_SERVER = "set GUILDER_DATABASE_URL to a PostgreSQL 15 to 18 server"

_REMEDIES = (
    ("No space left", "Free some space and start again; nothing that was acknowledged is lost."),
    ("quota exceeded", "Free some space and start again; nothing that was acknowledged is lost."),
    ("Read-only file system", f"Set GUILDER_HOME to a writable folder, or {OTHER_SERVER}."),
    ("Permission denied", f"Set GUILDER_HOME to a folder this account owns, or {OTHER_SERVER}."),
    ("not permitted", f"Start as an ordinary account, or {OTHER_SERVER}."),
)


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the text is for the operator and ends with what to do."""


def remedy(symptom: str) -> str:
    """The advice that fits a system's or a server's own words."""
    for words, advice in _REMEDIES:
        if words.lower() in symptom.lower():
            return advice
    return f"Read postgres.log in the home folder, or {OTHER_SERVER}."


@contextmanager
def told_plainly(doing: str) -> Generator[None]:
    """Turns the system's refusals inside the block into one sentence with a remedy."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        where = f" ({error.filename})" if error.filename else ""
        raise EmbeddedPostgresError(f"{doing} failed: {reason}{where}. {remedy(reason)}") from error
