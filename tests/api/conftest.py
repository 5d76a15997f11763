"""The same platform, caller and outside world as the journeys have."""

from tests.journeys.stage import caller, outside, platform, solo

__all__ = ["caller", "outside", "platform", "solo"]
