"""What a sitting came to, as a person reads it and as a program does."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from guilder.kernel.finding import Finding
from guilder.roles.demo.looking import Comparison
from guilder.roles.demo.orders import BadField
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.report import trial_line
from guilder.roles.demo.scale import LIMIT_MB, MB, Scale
from guilder.roles.demo.till import Worked
from guilder.roles.demo.views import TrailSeen


@dataclass(slots=True)
class Outcome:
    """Everything that was seen. `elapsed_ms` is from the start of the command to its end."""

    home: str
    runs: list[str]
    resumed: bool
    worked: list[Worked]
    bad: list[BadField]
    trails: dict[str, TrailSeen]
    lost_events: list[str]
    comparison: Comparison
    findings: list[Finding]
    receiver: Receiver
    scale: Scale
    restarts: int
    database_is_ours: bool
    elapsed_ms: int = 0
    verified: set[str] = field(default_factory=set[str])

    @property
    def wrong(self) -> list[str]:
        """Everything that is not as it must be, in sentences; empty is exit status 0."""
        return [
            *(f"orders, {bad}" for bad in self.bad),
            *(
                f"order {worked.order.name} (row {worked.order.row}): {trouble}"
                for worked in self.worked
                for trouble in worked.troubles
            ),
            *(f"the event {event} did not reach its receiver" for event in self.lost_events),
            *self.comparison.differences,
            *(f"{one.invariant} {one.subject}: {one.sentence}" for one in self.findings),
            *self._figures(),
        ]

    def _figures(self) -> Iterator[str]:
        if self.receiver.refused:
            yield f"{self.receiver.refused} webhooks came with a signature that does not verify"
        if self.scale.is_too_heavy:
            yield f"the processes together took {_mb(self.scale.rss_peak)}, above {LIMIT_MB} MB"


def summary(outcome: Outcome) -> list[str]:
    """The last lines for a person: the books, the invariants, the figures."""
    books = outcome.comparison
    scale = outcome.scale
    states = Counter(one.payment.state for one in outcome.worked if one.payment)
    shares = "" if scale.pss_peak is None else f" ({_mb(scale.pss_peak)} without what is shared)"
    whose = "" if outcome.database_is_ours else ", the database server not counted"
    others = f"; {books.others} of other homes left aside" if books.others else ""
    restarts = f", {outcome.restarts} restarts" if outcome.restarts else ""
    received = len(outcome.receiver.verified)
    return [
        "The books",
        *(f"  {trial_line(line)}" for line in books.trial_balance),
        f"  our book         {books.payments} payments, {books.attempts} attempts{others}",
        f"  provider's book  {books.movements} movements",
        f"  caller's journal {len(outcome.worked)} orders of this run: "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items())),
        f"  {_verdict(books.differences, 'the three books agree', 'differences')}",
        f"  invariants: {_verdict(outcome.findings, 'all hold', 'violations')}",
        f"  webhooks: {received} received, signatures verified{_repeats(outcome.receiver.repeats)}",
        f"  took {outcome.elapsed_ms / 1000:.1f} s{restarts}",
        f"  peak memory {_mb(scale.rss_peak)} of {LIMIT_MB} MB{whose}",
        f"  in {scale.count_peak} processes{shares}",
    ]


def as_json(outcome: Outcome) -> dict[str, object]:
    """The same for a program; amounts in minor units."""
    books, scale = outcome.comparison, outcome.scale
    return {
        "status": 1 if outcome.wrong else 0,
        "home": outcome.home,
        "runs": outcome.runs,
        "resumed": outcome.resumed,
        "orders": len(outcome.worked),
        "as_wanted": sum(not one.troubles for one in outcome.worked),
        "states": Counter(one.payment.state for one in outcome.worked if one.payment),
        "bad_lines": [
            {"row": bad.row, "column": bad.column, "trouble": bad.trouble} for bad in outcome.bad
        ],
        "books_agree": not books.differences,
        "differences": books.differences,
        "payments": books.payments,
        "attempts": books.attempts,
        "provider_movements": books.movements,
        "payments_of_others": books.others,
        "trial_balance": books.trial_balance,
        "violations": outcome.findings,
        "webhooks": {
            "verified": len(outcome.receiver.verified),
            "repeated": outcome.receiver.repeats,
            "refused": outcome.receiver.refused,
            "lost": outcome.lost_events,
        },
        "restarts": outcome.restarts,
        "elapsed_ms": outcome.elapsed_ms,
        "peak_rss_mb": scale.rss_peak // MB,
        "peak_pss_mb": None if scale.pss_peak is None else scale.pss_peak // MB,
        "limit_mb": LIMIT_MB,
        "wrong": outcome.wrong,
    }


def _verdict(found: list[str] | list[Finding], good: str, bad: str) -> str:
    return f"{len(found)} {bad}" if found else good


def _repeats(count: int) -> str:
    return f", {count} of them more than once" if count else ""


def _mb(size: int) -> str:
    return f"{size // MB} MB"
