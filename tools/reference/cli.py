"""docs/reference/cli.md: the command, its verbs and their options, as --help tells them."""

from guilder.roles.command import app
from tools.reference.tree import generated


def render() -> str:
    """The page, with a section per verb."""
    title, _, rest = app.generate_docs().partition("\n")
    contents, _, verbs = rest.partition("**Commands**:")
    usage = contents.partition("## Table of Contents")[0]
    return f"{title}\n\n{generated('docs')}\n{usage}**Commands**:{verbs.rstrip()}\n"
