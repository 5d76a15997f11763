"""The recorded bodies, and the asks that they answer."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from guilder.connectors.psp.contract import Ask, Operation
from guilder.connectors.psp.stripe.body import Body
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money

FOLDER = Path(__file__).parent / "recorded"
EVENTS = FOLDER / "events"

PAYMENT = "pi_3TgW8kQx2Vn5Lb0R1aYc7dEf"
REFUND = "re_3TgW8kQx2Vn5Lb0R1hJk9wXy"
PAID_BY = AttemptId.parse("att_01kap6g8f4y9kz7qs0m3b5d1r2")
CAPTURED_BY = AttemptId.parse("att_01kap6g9m7v2hx4nq8c0e6j5ts")
REFUNDED_BY = AttemptId.parse("att_01kap6gab3d9yw6rk1p4f8z7mv")
ASKED_AT = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)

ATTEMPTS = {
    Operation.AUTHORIZE: PAID_BY,
    Operation.SALE: PAID_BY,
    Operation.CAPTURE: CAPTURED_BY,
    Operation.VOID: CAPTURED_BY,
    Operation.REFUND: REFUNDED_BY,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A recorded answer: its status and its JSON object."""

    status: int
    body: Body


def sample(name: str) -> Sample:
    """The recorded answer of this name."""
    return Sample(**json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def names() -> set[str]:
    """The names of all recorded answers."""
    return {path.stem for path in FOLDER.glob("*.json")}


def event(name: str) -> Body:
    """The recorded event of this name."""
    return cast("Body", json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))


def ask_for(operation: Operation, *, amount: Money | None = None) -> Ask:
    """The ask that the recorded answers to this operation belong to."""
    is_new = operation in {Operation.AUTHORIZE, Operation.SALE}
    return Ask(
        ATTEMPTS[operation],
        operation,
        amount or Money.of(400 if operation is Operation.REFUND else 1050, "EUR"),
        ASKED_AT,
        provider_ref=None if is_new else PAYMENT,
        token="pm_card_visa" if is_new else None,
        description="order-1001",
        hints={"cart": "77"},
    )
