"""Which providers this installation can speak to, each side of the wall on its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from guilder.connectors.psp.contract import Psp
from guilder.kernel.errors import Kind, Refusal


class ProviderNotConfigured(Refusal):
    """No provider of that name is set up for this mode."""

    code = "provider_not_configured"
    kind = Kind.UNPROCESSABLE


class UnknownProvider(Refusal):
    """There is no provider of that name here."""

    code = "unknown_provider"
    kind = Kind.NOT_FOUND


@dataclass(frozen=True, slots=True)
class Providers:
    """Connectors by name, for test mode and for live mode; built in roles from settings."""

    test: Mapping[str, Psp]
    live: Mapping[str, Psp]

    def side(self, *, is_test: bool) -> Mapping[str, Psp]:
        """The connectors of one mode, by name."""
        return self.test if is_test else self.live

    def get(self, name: str, *, is_test: bool) -> Psp:
        """The connector of this name in this mode. Raises `ProviderNotConfigured`."""
        found = self.side(is_test=is_test).get(name)
        if found is None:
            mode = "test" if is_test else "live"
            raise ProviderNotConfigured(
                f"the provider {name!r} is not set up for {mode} mode; set its key and restart"
            )
        return found

    async def close(self) -> None:
        """Let go of every connector's connections."""
        for psp in {id(psp): psp for psp in (*self.test.values(), *self.live.values())}.values():
            await psp.close()
