"""The caller's own book: each intent written before it is sent, each answer after it came."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import msgspec


class Intent(msgspec.Struct, frozen=True, tag="intent"):
    """A request that is about to be sent; `number` ties its answer to it."""

    number: int
    key: str
    path: str
    body: str

    @property
    def said(self) -> dict[str, Any]:
        """The body as it was meant; a body that is no JSON object says nothing."""
        try:
            told: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """What came back; an intent without one was cut off."""

    number: int
    status: int
    body: str

    @property
    def told(self) -> dict[str, Any]:
        """The body of the answer."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One sending of one intent, with the answer if there was any."""

    intent: Intent
    answer: Answer | None

    @property
    def is_accepted(self) -> bool:
        """Whether it was answered with a yes."""
        return self.answer is not None and self.answer.status < 300


@dataclass(slots=True)
class Journal:
    """A file of JSON lines, each flushed before anything else happens."""

    path: Path
    _out: TextIO = field(init=False)
    _numbers: "itertools.count[int]" = field(init=False)

    def __post_init__(self) -> None:
        self._out = self.path.open("a", encoding="utf-8")
        self._numbers = itertools.count(sum(1 for _ in self._read()))

    def intend(self, key: str, path: str, body: bytes) -> int:
        """Write down what is about to be sent; returns the number of this sending."""
        number = next(self._numbers)
        self._write(Intent(number, key, path, body.decode(errors="replace")))
        return number

    def answered(self, number: int, status: int, body: bytes) -> None:
        """Write down what came back."""
        self._write(Answer(number, status, body.decode(errors="replace")))

    def exchanges(self) -> list[Exchange]:
        """Everything that was sent, in order, read back from the file."""
        lines = list(self._read())
        answers = {line.number: line for line in lines if isinstance(line, Answer)}
        intents = [line for line in lines if isinstance(line, Intent)]
        return [Exchange(intent, answers.get(intent.number)) for intent in intents]

    def close(self) -> None:
        """Close the file."""
        self._out.close()

    def _write(self, line: Intent | Answer) -> None:
        self._out.write(msgspec.json.encode(line).decode() + "\n")
        self._out.flush()

    def _read(self) -> Iterator[Intent | Answer]:
        for line in self.path.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=Intent | Answer)
