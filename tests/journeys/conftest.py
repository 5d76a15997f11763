"""The journeys' platform, caller and outside world."""

from tests.journeys.stage import caller, outside, platform, solo

__all__ = ["caller", "outside", "platform", "solo"]
