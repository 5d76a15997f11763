"""The caller's own journal: on disk before each request goes out, and after each answer came."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec

from guilder.kernel.clock import Clock
from guilder.roles.demo.views import PaymentSeen

RESUMABLE = timedelta(hours=48)
"""Keys are kept for 72 hours; a run that is older than this may no longer repeat its own."""


class JournalTrouble(Exception):  # noqa: N818 - named for the situation.
    """The journal cannot be kept or read; the sentence says why and what to do."""


class Began(msgspec.Struct, tag="began", frozen=True):
    """A run began; its orders are kept, so that it can be gone on with."""

    run: str
    at: datetime
    orders: str


class Opened(msgspec.Struct, tag="opened", frozen=True):
    """The merchants of a run by name, and the port at which their systems listen."""

    run: str
    merchants: dict[str, str]
    port: int


class Sent(msgspec.Struct, tag="sent", frozen=True):
    """A request is about to be sent; a repeat under the same key is noted again."""

    run: str
    at: datetime
    key: str
    path: str
    body: msgspec.Raw


class Answered(msgspec.Struct, tag="answered", frozen=True):
    """An answer came."""

    run: str
    at: datetime
    key: str
    status: int
    body: msgspec.Raw
    is_replay: bool


class Saw(msgspec.Struct, tag="saw", frozen=True):
    """A payment was looked at when its order was through."""

    run: str
    payment: PaymentSeen


class Heard(msgspec.Struct, tag="heard", frozen=True):
    """A webhook came, and its signature was the platform's."""

    event: str
    topic: str


class Faulted(msgspec.Struct, tag="faulted", frozen=True):
    """The sandbox was told to misbehave, under this number."""

    run: str
    rule: int


class Ended(msgspec.Struct, tag="ended", frozen=True):
    """Every order of a run is through."""

    run: str
    at: datetime


Line = Began | Opened | Sent | Answered | Saw | Heard | Faulted | Ended


@dataclass(slots=True)
class Story:
    """What the journal tells of one run."""

    began: Began
    opened: Opened | None = None
    rules: list[int] = field(default_factory=list[int])
    is_ended: bool = False


class Journal:
    """The journal of one home; one process writes it at a time."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.stories: dict[str, Story] = {}
        self.sent: dict[str, Sent] = {}
        self.answers: dict[str, Answered] = {}
        self.saw: dict[str, PaymentSeen] = {}
        self.events: set[str] = set()
        self._clock = clock
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            os.close(self._fd)
            raise JournalTrouble(
                f"another demo works in {file.parent.parent}; wait for it, or set GUILDER_HOME to"
                " another folder"
            ) from cause
        raw = file.read_bytes()
        whole = raw.rfind(b"\n") + 1
        for line in _lines(raw[:whole]):
            self._take(line)
        if whole < len(raw):
            os.ftruncate(self._fd, whole)  # The last line was being written when we were killed.

    @classmethod
    def of(cls, home: Path, clock: Clock) -> Self:
        """The journal of this home, which is made when it is not there. Raises `JournalTrouble`."""
        folder = home / "demo"
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o711)
            folder.mkdir(exist_ok=True, mode=0o700)
            return cls(folder / "journal.jsonl", clock)
        except OSError as cause:
            raise JournalTrouble(
                f"{folder} cannot be written: {cause.strerror}; set GUILDER_HOME to a folder of"
                " your own"
            ) from cause

    def close(self) -> None:
        """Let another process write it."""
        os.close(self._fd)

    def unfinished(self) -> Story | None:
        """The latest run, if it did not come to its end and its keys are still good."""
        latest = next(reversed(self.stories.values()), None)
        if latest is None or latest.is_ended:
            return None
        return latest if self._clock.now() - latest.began.at < RESUMABLE else None

    def began(self, run: str, orders: str) -> Story:
        """A run begins."""
        self._write(Began(run, self._now(), orders))
        return self.stories[run]

    def opened(self, run: str, merchants: dict[str, str], port: int) -> None:
        """The merchants of a run exist."""
        self._write(Opened(run, merchants, port))

    def about_to_send(self, run: str, key: str, path: str, body: bytes) -> None:
        """A request goes out as soon as this returns."""
        self._write(Sent(run, self._now(), key, path, msgspec.Raw(body)))

    def answered(self, run: str, key: str, status: int, body: bytes, *, is_replay: bool) -> None:
        """A request was answered; `body` is JSON."""
        self._write(Answered(run, self._now(), key, status, msgspec.Raw(body), is_replay))

    def looked(self, run: str, payment: PaymentSeen) -> None:
        """How a payment stood when its order was through."""
        self._write(Saw(run, payment))

    def heard(self, event: str, topic: str) -> None:
        """A webhook came and was verified; a repeat is not noted again."""
        if event not in self.events:
            self._write(Heard(event, topic))

    def faulted(self, run: str, rule: int) -> None:
        """The sandbox was given a rule."""
        self._write(Faulted(run, rule))

    def ended(self, run: str) -> None:
        """A run is through."""
        self._write(Ended(run, self._now()))

    def merchants(self) -> set[str]:
        """The ids of all merchants this home's callers ever had."""
        opened = [story.opened for story in self.stories.values() if story.opened]
        return {merchant for one in opened for merchant in one.merchants.values()}

    def _now(self) -> datetime:
        return self._clock.now().astimezone(UTC)

    def _write(self, line: Line) -> None:
        os.write(self._fd, msgspec.json.encode(line) + b"\n")
        os.fdatasync(self._fd)
        self._take(line)

    def _take(self, line: Line) -> None:
        match line:
            case Began():
                self.stories[line.run] = Story(line)
            case Opened():
                self.stories[line.run].opened = line
            case Sent():
                self.sent.setdefault(line.key, line)
            case Answered():
                self.answers[line.key] = line
            case Saw():
                self.saw[line.payment.id] = line.payment
            case Heard():
                self.events.add(line.event)
            case Faulted():
                self.stories[line.run].rules.append(line.rule)
            case Ended():
                self.stories[line.run].is_ended = True


def _lines(raw: bytes) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as cause:
            raise JournalTrouble(
                f"line {number} of the journal cannot be read ({cause}); move the file aside"
            ) from cause
