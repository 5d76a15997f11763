"""Which provider is asked first."""

from collections.abc import Mapping

from guilder.connectors.psp.contract import Psp
from guilder.payments.errors import NoProvider


def choose(providers: Mapping[str, Psp]) -> str:
    """The first provider in the order of the settings. Raises `NoProvider` when there is none."""
    for name in providers:
        return name
    raise NoProvider("no provider is set up for this mode; set one up and restart")
