"""Health says whether the process lives and which part it misses."""

from collections.abc import Mapping

from guilder.edge.health import Ask, HealthDesk
from guilder.plumbing.db import Database
from tests.edge.desks import app_of
from tests.edge.serving import Answer, asking


async def ask(path: str, parts: Mapping[str, Ask]) -> Answer:
    async with asking(app_of(HealthDesk(parts)), None) as api:
        return await api.get(path)


async def away() -> bool:
    return False


async def test_a_process_with_its_database_is_ready(database: Database) -> None:
    answer = await ask("/health/ready", {"database": database.is_there})
    assert answer.status == 200
    assert answer.json == {"object": "health", "status": "ready", "parts": {"database": "there"}}


async def test_a_part_that_is_away_is_named(database: Database) -> None:
    answer = await ask("/health/ready", {"database": database.is_there, "broker": away})
    assert answer.outcome == (503, "not_ready")
    assert "broker" in answer.json["detail"]
    assert "database" not in answer.json["detail"]
    assert answer.headers["retry-after"] == "1"


async def test_a_closed_database_is_away(database: Database) -> None:
    await database.close()
    assert (await ask("/health/ready", {"database": database.is_there})).outcome == (
        503,
        "not_ready",
    )


async def test_a_process_without_its_parts_still_lives() -> None:
    assert (await ask("/health/live", {"broker": away})).status == 200
