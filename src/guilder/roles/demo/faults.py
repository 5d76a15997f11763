"""Faults an order may ask for: the provider's, played by the sandbox, and the caller's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOMENTS = ("capture", "refund")
"""Moments after the payment itself at which the provider may misbehave."""

DUPLICATE = "duplicate"
OTHER_BODY = "other_body"

FAULTS: Mapping[str, Mapping[str, Any] | None] = {
    # It books and answers none of the three tries, so only an inquiry can tell what happened.
    "silent_after_booking": {"fault": "never_answer", "times": 3},
    "error_after_booking": {"fault": "status_500", "times": 3},
    # One bad answer: the second try, under the same key, is given the true one.
    "garbage_after_booking": {"fault": "garbage", "times": 1},
    "truncated_after_booking": {"fault": "truncated", "times": 1},
    "reset_after_booking": {"fault": "reset", "times": 1},
    "late": {"fault": "answer_late", "delay_ms": 1500, "times": 1},
    "busy": {"fault": "status_429", "when": "before_booking", "times": 1},
    # The caller's own: the same key twice at once, and the same key with another body.
    DUPLICATE: None,
    OTHER_BODY: None,
}
"""By name, the sandbox's rule, or None for what the caller does."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and when: at `create`, or at the first capture or refund."""

    name: str
    moment: str = "create"

    def __str__(self) -> str:
        return self.name if self.moment == "create" else f"{self.name}@{self.moment}"

    @property
    def is_providers(self) -> bool:
        """Whether the sandbox plays it; else the caller does."""
        return FAULTS[self.name] is not None


def fault_named(text: str) -> Fault | None:
    """The fault of this name, `name` or `name@moment`; None when there is none."""
    name, at, moment = text.partition("@")
    if name not in FAULTS or (at and moment not in MOMENTS):
        return None
    fault = Fault(name, moment) if at else Fault(name)
    return None if at and not fault.is_providers else fault


def rule_for(fault: Fault, *, card: str, amount_theirs: int) -> dict[str, Any]:
    """What to tell the sandbox's control API; the amount in the provider's own units."""
    rule = FAULTS[fault.name]
    assert rule is not None, f"{fault} is not the provider's to play"
    match = {"operation": fault.moment, "payment_method": card, "amount": amount_theirs}
    return {"when": "after_booking", **rule, "match": match}
