"""A trail as callers see it."""

from typing import Literal, Self

import msgspec

from guilder.kernel.clock import rfc3339
from guilder.trail.model import Step, StepKind, Trail


class StepView(msgspec.Struct, frozen=True):
    """One thing that happened."""

    at: str
    kind: StepKind
    id: str
    summary: str
    facts: dict[str, str | int | None]

    @classmethod
    def of(cls, step: Step) -> Self:
        """The view of a step."""
        return cls(rfc3339(step.at), step.kind, step.id, step.summary, dict(step.facts))


class TrailView(msgspec.Struct, frozen=True):
    """Everything that happened to a payment, oldest first."""

    object: Literal["trail"]
    payment_id: str
    state: str
    steps: list[StepView]

    @classmethod
    def of(cls, trail: Trail) -> Self:
        """The view of a trail."""
        return cls(
            "trail",
            str(trail.payment.id),
            trail.payment.state.value,
            [StepView.of(step) for step in trail.steps],
        )
