"""Figures as they come, for people and for programs."""

from dataclasses import dataclass, field
from typing import TextIO

import msgspec


@dataclass(slots=True)
class Report:
    """Prints each figure when it is measured, and keeps all for the end."""

    to: TextIO
    figures: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def heading(self, text: str) -> None:
        """A line above the figures that follow."""
        self.to.write(f"\n{text}\n")
        self.to.flush()

    def add(self, name: str, **figures: float) -> None:
        """One row of figures."""
        self.figures[name] = figures
        told = "  ".join(f"{key} {_short(value)}" for key, value in figures.items())
        self.to.write(f"  {name:<42} {told}\n")
        self.to.flush()

    def json(self) -> str:
        """All figures as one JSON object."""
        return msgspec.json.encode(self.figures).decode()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {
        f"p{share}_ms": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)] * 1000, 1)
        for share in (50, 95, 99)
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
