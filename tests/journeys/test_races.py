"""S06: many callers at one payment, while the provider accepts everything: only our guard holds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import Caller, Came
from tests.journeys.outside import Movement, Outside
from tests.journeys.solo import Solo

pytestmark = pytest.mark.xdist_group("journeys: keys and races")

CAPTURERS = 20
AT_ONCE = 5  # Rounds that run at the same moment.
ROUNDS = [
    pytest.param(30, id="30 rounds"),
    pytest.param(300, id="300 rounds", marks=pytest.mark.full),
]
LOST = {"payment_not_capturable", "payment_not_voidable", "operation_in_progress"}

Round = Callable[[int], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _lenient(outside: Outside) -> None:
    """Captures, refunds and voids beyond every limit are accepted by the provider."""
    await outside.spoil("lenient")


@pytest.mark.proves("S06", "I6", "I3")
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_twenty_captures_at_once_capture_once(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, rounds: int
) -> None:
    async def play(_: int) -> None:
        held = (await caller.pay(10_00, capture_method="manual")).json
        path = f"/v1/payments/{held['id']}/capture"
        answers = await _at_once([(path, {"amount_minor": 1_00 + n}) for n in range(CAPTURERS)])
        winners = [came for came in answers if came.status == 200]
        losers = [came for came in answers if came.status != 200]
        assert len(winners) == 1, [came.body for came in answers]
        assert {(came.status, came.code in LOST) for came in losers} == {(409, True)}
        rows = _rows(await outside.book(), held, "capture")
        assert [row.amount_minor for row in rows] == [winners[0].json["captured_minor"]]

    async def _at_once(asked: Sequence[tuple[str, object]]) -> list[Came]:
        return await asyncio.gather(*(caller.post(path, body) for path, body in asked))

    await _play(play, rounds)
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S06", "I6", "I7")
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_capture_against_void_has_one_winner(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, rounds: int
) -> None:
    won: set[str] = set()

    async def play(number: int) -> None:
        held = (await caller.pay(10_00, capture_method="manual")).json
        verbs = ("capture", "void") if number % 2 else ("void", "capture")
        paths = [f"/v1/payments/{held['id']}/{verb}" for verb in verbs]
        answers = await asyncio.gather(*(caller.post(path, {}) for path in paths))
        assert sorted(came.status for came in answers) == [200, 409]
        state = (await caller.payment(held["id"]))["state"]
        won.add(state)
        rows = await outside.book()
        moved = [row.kind for row in _rows(rows, held, "capture") + _rows(rows, held, "void")]
        assert moved == (["capture"] if state == "captured" else ["void"])

    await _play(play, rounds)
    assert won == {"captured", "reversed"}, "both orders were tried"
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S06", "I6")
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_refunds_at_once_never_give_back_more_than_was_captured(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, rounds: int
) -> None:
    async def play(_: int) -> None:
        paid = (await caller.pay(10_00)).json
        path = f"/v1/payments/{paid['id']}/refund"
        sent = [caller.post(path, {"amount_minor": 3_00}) for _ in range(8)]
        answers = await asyncio.gather(*sent)
        yes = [came for came in answers if came.status == 201]
        no = {(came.status, came.code) for came in answers if came.status != 201}
        assert len(yes) == 3, [came.body for came in answers]
        assert no == {(422, "refund_exceeds_captured")}
        rows = _rows(await outside.book(), paid, "refund")
        assert [row.amount_minor for row in rows] == [3_00] * 3

    await _play(play, rounds)
    assert await differences(platform, outside, solo) == []


@pytest.mark.proves("S06", "I6")
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_parts_at_once_are_refunded_to_the_last_cent(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, rounds: int
) -> None:
    async def play(_: int) -> None:
        paid = (await caller.pay(10_01)).json
        path = f"/v1/payments/{paid['id']}/refund"
        parts = (1, 2_50, 2_50, 2_50, 2_48, 1, 1)
        sent = [caller.post(path, {"amount_minor": part}) for part in parts]
        answers = await asyncio.gather(*sent)
        assert {came.status for came in answers} == {201}, [came.body for came in answers]
        now = await caller.payment(paid["id"])
        assert (now["state"], now["refunded_minor"]) == ("refunded", 10_01)
        one_more = await caller.post(path, {"amount_minor": 1})
        assert (one_more.status, one_more.code) == (409, "payment_not_refundable")
        rows = _rows(await outside.book(), paid, "refund")
        assert sorted(row.amount_minor for row in rows) == sorted(parts)

    await _play(play, rounds)
    assert await differences(platform, outside, solo) == []


async def _play(play: Round, rounds: int) -> None:
    for first in range(0, rounds, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, rounds))
        await asyncio.gather(*(play(number) for number in numbers))


def _rows(book: Sequence[Movement], payment: dict[str, str], kind: str) -> list[Movement]:
    ref = payment["provider_ref"]
    return [row for row in book if row.payment_ref == ref and row.kind == kind]
