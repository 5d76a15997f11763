"""An ordinary caller of the API: one key per intent, polite repeats, and patience."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec

from guilder.roles.demo.installation import Installation
from guilder.roles.demo.views import Problem

T = TypeVar("T")

ANSWER_SECONDS = 20  # The API keeps a caller waiting ten seconds at most; this is above it.
GIVE_UP_SECONDS = 150  # Longer than a restart, a recovery and an inquiry together.
FAULTS_MAX = 5  # A fault of the API that comes back under the same key is not a passing one.
PAUSE_FIRST_SECONDS = 0.1
PAUSE_MAX_SECONDS = 2.0
RETRY_AFTER_MAX_SECONDS = 30
SANDBOX_SECONDS = 30


class Unanswered(Exception):  # noqa: N818 - named for the situation.
    """The API gave no answer that can be used, for longer than a caller waits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said in the end, and how often it was asked."""

    status: int
    body: bytes
    is_replay: bool
    sent_count: int

    @property
    def is_yes(self) -> bool:
        return 200 <= self.status < 300

    @property
    def problem(self) -> Problem | None:
        """The refusal, if it is one that can be read."""
        return None if self.is_yes else _problem(self.body)

    def read(self, kind: type[T]) -> T:
        """The body as one of the views. Raises `Unanswered` when it is something else."""
        if not self.is_yes:
            raise Unanswered(f"HTTP {self.status}: {self.body[:200].decode(errors='replace')}")
        return msgspec.json.decode(self.body, type=kind)

    def __str__(self) -> str:
        problem = self.problem
        return f"{self.status} {problem.error_code}" if problem else str(self.status)


class Caller:
    """Calls the API, wherever it is at the moment; the same call under the same key until it ends.

    Connection errors, answers of 429 and above 500, and conflicts that say they will pass are
    repeated, after `Retry-After` when it is given. Everything else is the answer.
    """

    def __init__(self, installation: Installation, session: aiohttp.ClientSession) -> None:
        self._installation = installation
        self._session = session

    async def post(
        self,
        path: str,
        body: bytes,
        *,
        key: str,
        bearer: str,
        before: Callable[[], None] = lambda: None,
    ) -> Answer:
        """POST under an idempotency key; `before` is called each time it is about to be sent."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return await self._call("POST", path, bearer, headers=headers, body=body, before=before)

    async def get(self, path: str, *, bearer: str) -> Answer:
        """GET."""
        return await self._call("GET", path, bearer)

    async def delete(self, path: str, *, bearer: str) -> Answer:
        """DELETE; what is gone already is gone."""
        return await self._call("DELETE", path, bearer)

    async def look(self, path: str, kind: type[T], *, bearer: str) -> T:
        """GET what must be there."""
        return (await self.get(path, bearer=bearer)).read(kind)

    async def make(self, path: str, order: object, kind: type[T], *, key: str, bearer: str) -> T:
        """POST what must be done."""
        body = msgspec.json.encode(order)
        return (await self.post(path, body, key=key, bearer=bearer)).read(kind)

    async def sandbox(self, method: str, path: str, order: object | None = None) -> bytes:
        """Ask the simulated world itself; it may be about to come back from a restart."""
        body = None if order is None else msgspec.json.encode(order)
        deadline = asyncio.get_running_loop().time() + SANDBOX_SECONDS
        while True:
            address = (await self._installation.ready()).sandbox
            assert address is not None, "the demo starts its installation with a sandbox"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with self._session.request(method, address + path, data=body) as answer:
                    raw = await answer.read()
                    if answer.status < 500:
                        return raw
            if asyncio.get_running_loop().time() > deadline:
                raise Unanswered(f"the sandbox does not answer to {method} {path}")
            await asyncio.sleep(PAUSE_FIRST_SECONDS)

    async def _call(
        self,
        method: str,
        path: str,
        bearer: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> Answer:
        deadline = asyncio.get_running_loop().time() + GIVE_UP_SECONDS
        given = {"Authorization": f"Bearer {bearer}", **(headers or {})}
        sent, faults = 0, 0
        while True:
            address = (await self._installation.ready()).api
            before()
            sent += 1
            answer, wait = await self._once(method, address + path, given, body, sent)
            if answer is not None:
                faults += answer.status == 500
                if wait is None or faults >= FAULTS_MAX:
                    return answer
            pause = min(PAUSE_FIRST_SECONDS * 2 ** min(sent, 10), PAUSE_MAX_SECONDS)
            if asyncio.get_running_loop().time() > deadline:
                raise Unanswered(
                    f"{method} {path}: {answer or 'no answer'} for {GIVE_UP_SECONDS} seconds"
                )
            await asyncio.sleep(max(pause, wait or 0))

    async def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, sent: int
    ) -> tuple[Answer | None, int | None]:
        """The answer, if there was one, and in how many seconds to come again, if at all."""
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as got:
                is_replay = got.headers.get("idempotent-replayed") == "true"
                answer = Answer(got.status, await got.read(), is_replay, sent)
                return answer, _come_again(answer, got.headers.get("retry-after"))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None, 0


def open_session() -> aiohttp.ClientSession:
    """Connections for a caller; made within a running loop."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=2),
        connector=aiohttp.TCPConnector(limit=64),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _come_again(answer: Answer, retry_after: str | None) -> int | None:
    """After how many seconds to send it again; None when it is answered."""
    passing = answer.status in {429, 500, 502, 503, 504}
    if answer.status == 409:
        problem = answer.problem
        passing = problem is not None and problem.retryable
    if not passing:
        return None
    given = retry_after or ""
    seconds = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    return min(seconds, RETRY_AFTER_MAX_SECONDS)


def _problem(body: bytes) -> Problem | None:
    try:
        return msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        return None


def encoded(order: Any) -> bytes:
    """A request's body; the same order is always the same bytes."""
    return msgspec.json.encode(order)
