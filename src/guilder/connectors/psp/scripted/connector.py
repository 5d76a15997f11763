"""The scripted provider: it says what it was told to say, and keeps a little book of its own."""

import hmac
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import sha256

import msgspec

from guilder.connectors.psp.contract import (
    Answer,
    Ask,
    Card,
    ForgedMessage,
    MalformedMessage,
    Operation,
    ProviderMessage,
    Verdict,
)
from guilder.kernel.codec import from_json, to_json
from guilder.kernel.ids import AttemptId
from guilder.kernel.secret import Secret

HEADER = "scripted-signature"
CARD = Card("visa", "4242")

Queue = deque[Answer]


class Scripted:
    """Answers from its script; with nothing in it, everything asked for succeeds.

    What it answers to an asking and what it really did are two things: `will_answer` sets the
    one, `has_in_fact` the other, and `look_up` tells the truth. The same attempt asked again is
    answered as before, and what succeeded is in `book` once.
    """

    def __init__(self, name: str = "scripted", *, secret: Secret | None = None) -> None:
        self._name = name
        self._secret = secret or Secret("scripted")
        self._script: defaultdict[Operation | None, Queue] = defaultdict(deque)
        self._findings: Queue = deque()
        self._answered: dict[AttemptId, Answer] = {}
        self.book: dict[AttemptId, Answer] = {}
        """What it really did, by attempt: the provider's own book."""
        self.asked: list[Ask] = []
        self.looked_up: list[Ask] = []
        self.before_answering: Callable[[Ask], Awaitable[None]] | None = None
        """Awaited after it has done its part and before it answers: hold a call, or break it."""

    @property
    def name(self) -> str:
        return self._name

    def will_answer(self, *answers: Answer, operation: Operation | None = None) -> None:
        """Say these next, one to each new attempt; of this operation alone, when it is given."""
        self._script[operation].extend(answers)

    def will_find(self, *answers: Answer) -> None:
        """Say these to the next inquiries, before telling the truth again."""
        self._findings.extend(answers)

    def has_in_fact(self, attempt_id: AttemptId, answer: Answer) -> None:
        """Whatever was answered, this is what became of the attempt."""
        self.book[attempt_id] = answer

    def forgets(self, attempt_id: AttemptId) -> None:
        """Nothing became of the attempt, and nobody there has seen it."""
        self.book.pop(attempt_id, None)
        self._answered.pop(attempt_id, None)

    def times_asked(self, attempt_id: AttemptId) -> int:
        """How often this attempt was asked for."""
        return sum(ask.attempt_id == attempt_id for ask in self.asked)

    def times_looked_up(self, attempt_id: AttemptId) -> int:
        """How often this attempt was inquired about."""
        return sum(ask.attempt_id == attempt_id for ask in self.looked_up)

    async def ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if ask.attempt_id not in self._answered:
            answer = self._next(ask.operation) or success(ask)
            self._answered[ask.attempt_id] = answer
            if answer.verdict is not Verdict.UNKNOWN:
                self.book.setdefault(ask.attempt_id, answer)
        if self.before_answering is not None:
            await self.before_answering(ask)
        return self._answered[ask.attempt_id]

    async def look_up(self, ask: Ask) -> Answer:
        self.looked_up.append(ask)
        if self._findings:
            return self._findings.popleft()
        return self.book.get(ask.attempt_id, Answer(Verdict.NEVER_SEEN))

    def write_message(self, message: ProviderMessage) -> tuple[dict[str, str], bytes]:
        """Headers and raw body of this message, signed, as `read_message` takes them."""
        raw = to_json(message)
        return self.headers_for(raw), raw

    def headers_for(self, raw: bytes) -> dict[str, str]:
        """The headers that sign any bytes at all."""
        return {HEADER: self._signature(raw)}

    def read_message(
        self,
        headers: Mapping[str, str],
        raw: bytes,
        now: datetime,  # noqa: ARG002 - the contract gives it.
    ) -> ProviderMessage:
        """Raises `ForgedMessage` or `MalformedMessage`; its messages do not grow old."""
        given = headers.get(HEADER, "").encode()
        if not hmac.compare_digest(given, self._signature(raw).encode()):
            raise ForgedMessage("the message is not signed by the scripted provider")
        try:
            return from_json(raw, ProviderMessage)
        except (msgspec.DecodeError, msgspec.ValidationError) as cause:
            raise MalformedMessage("the scripted provider's message cannot be read") from cause

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _next(self, operation: Operation) -> Answer | None:
        for queue in (self._script[operation], self._script[None]):
            if queue:
                return queue.popleft()
        return None

    def _signature(self, raw: bytes) -> str:
        return hmac.new(self._secret.reveal().encode(), raw, sha256).hexdigest()


def success(ask: Ask) -> Answer:
    """Everything as it was asked for, under a reference made of the attempt's id."""
    return Answer(Verdict.SUCCEEDED, f"scripted_{ask.attempt_id}", ask.amount, card=CARD)
