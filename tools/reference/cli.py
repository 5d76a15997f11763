"""docs/reference/cli.md: the command, its verbs and their options, as --help tells them."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from guilder.roles.command import app
from tools.reference.tree import generated


def render() -> str:
    """The page, with a section per verb."""
    with _started_as("guilder"):
        text = app.generate_docs()
    title, _, rest = text.partition("\n")
    contents, _, verbs = rest.partition("**Commands**:")
    usage = contents.partition("## Table of Contents")[0]
    return f"{title}\n\n{generated('docs')}\n{usage}**Commands**:{verbs.rstrip()}\n"


@contextmanager
def _started_as(name: str) -> Generator[None]:
    """The library's usage lines tell how this process was started; let it be the command."""
    before = sys.argv
    sys.argv = [name]
    try:
        yield
    finally:
        sys.argv = before
