"""The trail's front door."""

from guilder.trail.actions.tell_trail import tell_trail
from guilder.trail.model import Step, StepKind, Trail

__all__ = ["Step", "StepKind", "Trail", "tell_trail"]
