"""The provider kills the platform at each of the three beats of each operation; nothing doubles."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.journeys.books import differences
from tests.journeys.caller import LOST, Caller, order
from tests.journeys.outside import Outside
from tests.journeys.solo import Solo, running_solo

Crash = tuple["Deed", str]
BEATS = ("before_booking", "after_booking", "after_answer")
ROUNDS = [
    pytest.param(1, id="once"),
    pytest.param(10, id="ten times", marks=pytest.mark.full),
]


@dataclass(frozen=True, slots=True)
class Deed:
    """A money operation: what it is to the provider, and how the payment stands when it is done."""

    name: str
    theirs: str
    done: str
    by_hand: bool
    verb: str | None = None


DEEDS = (
    Deed("sale", "create", "captured", by_hand=False),
    Deed("authorization", "create", "authorized", by_hand=True),
    Deed("capture", "capture", "partially_captured", by_hand=True, verb="capture"),
    Deed("void", "cancel", "reversed", by_hand=True, verb="void"),
    Deed("refund", "refund", "partially_refunded", by_hand=False, verb="refund"),
)
BODIES: dict[str, dict[str, Any]] = {
    "capture": {"amount_minor": 7_00},
    "void": {},
    "refund": {"amount_minor": 3_00},
}
CASES = [
    pytest.param((deed, beat), id=f"{deed.name}, {beat.replace('_', ' ')}", marks=group)
    for group, deeds in (
        (pytest.mark.xdist_group("journeys: deaths of a payment"), DEEDS[:2]),
        (pytest.mark.xdist_group("journeys: deaths of an operation"), DEEDS[2:]),
    )
    for deed in deeds
    for beat in BEATS
]


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform that gives a payment up soon when the provider has never seen it."""
    home = tmp_path_factory.mktemp("deaths") / "home"
    with running_solo(home, PATIENCE_SECONDS="2") as running:
        yield running


@pytest.mark.proves("S04", "I2", "I3", "I4", "I11")
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("crash", CASES)
async def test_a_death_neither_loses_nor_doubles_money(
    caller: Caller, platform: Caller, outside: Outside, solo: Solo, crash: Crash, rounds: int
) -> None:
    deed, beat = crash
    for _ in range(rounds):
        path, body, key = await _prepare(caller, deed)
        match = {"operation": deed.theirs}
        await outside.spoil("kill_caller", when=beat, pid=solo.pid, times=1, match=match)
        with contextlib.suppress(*LOST):  # After the answer, ours may be out before the kill.
            came = await caller.post(path, body, key=key)
            assert beat == "after_answer", came.body
        solo.wait()
        solo.start()

        ended = await caller.insist(path, body, key=key)
        assert ended.status in {200, 201}, ended.body
        again = await caller.post(path, body, key=key)
        assert (again.status, again.body, again.is_replay) == (ended.status, ended.body, True)
        payment = await caller.payment(ended.json.get("payment_id") or ended.json["id"])
        never_seen = deed.verb is None and beat == "before_booking"
        assert payment["state"] == ("failed" if never_seen else deed.done)
    assert await differences(platform, outside, solo) == []


async def _prepare(caller: Caller, deed: Deed) -> tuple[str, dict[str, Any], str]:
    """What to send, after everything that has to be there for it."""
    key = caller.new_key()
    method = "manual" if deed.by_hand else "automatic"
    if deed.verb is None:
        return "/v1/payments", order(10_00, "EUR", key, capture_method=method), key
    made = (await caller.pay(10_00, capture_method=method)).json
    assert made["state"] in {"authorized", "captured"}
    return f"/v1/payments/{made['id']}/{deed.verb}", BODIES[deed.verb], key
