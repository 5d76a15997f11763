"""The small desk, served, and asked by a caller who may read and write."""

from collections.abc import AsyncGenerator

import pytest

from tests.edge.desks import OrdersDesk, app_of
from tests.edge.serving import Api, asking


@pytest.fixture
def desk() -> OrdersDesk:
    """The desk that is served."""
    return OrdersDesk()


@pytest.fixture
async def api(desk: OrdersDesk) -> AsyncGenerator[Api]:
    """The desk over HTTP, as the writer sees it."""
    async with asking(app_of(desk), "writer") as api:
        yield api
