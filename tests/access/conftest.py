"""A planted tree, and the API as the platform sees it."""

from collections.abc import AsyncGenerator

import pytest

from guilder.plumbing.db import Database
from tests.edge.serving import Api
from tests.merchants.tree import Tree, asking_as, plant


@pytest.fixture
async def tree(database: Database) -> Tree:
    """Two test branches and a live one."""
    return await plant(database)


@pytest.fixture
async def api(database: Database, tree: Tree) -> AsyncGenerator[Api]:
    """The API as the platform sees it, on the test side."""
    async with asking_as(database, tree.platform_key, kept_seconds=0) as api:
        yield api
