"""One outside world for most tests, healed after each; one of its own for those that break it."""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.sandbox.outside import Caller, Outside, calling


@pytest.fixture(scope="package")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Generator[Outside]:
    world = Outside(tmp_path_factory.mktemp("outside")).start()
    yield world
    world.end()


@pytest.fixture
async def caller(outside: Outside) -> AsyncGenerator[Caller]:
    """Somebody with a test key; whatever the test broke is healed."""
    async with calling(outside) as somebody:
        yield somebody
        await somebody.order("heal", {})
        for endpoint in (await somebody.get("webhook_endpoints")).body["data"]:
            await somebody.delete(f"webhook_endpoints/{endpoint['id']}")


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Generator[Outside]:
    """An outside world that the test may stop, kill and start again."""
    world = Outside(tmp_path_factory.mktemp("own")).start()
    yield world
    world.end()
