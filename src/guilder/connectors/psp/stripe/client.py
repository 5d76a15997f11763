"""Stripe over HTTP: paths, headers, limits; it brings back bodies and knows no meanings."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import aiohttp

from guilder.connectors.calling import Called, CallingPolicy, Fate, Line, Try
from guilder.connectors.psp.stripe.body import Body, parse
from guilder.kernel.secret import Secret

API_VERSION = "2026-06-24.dahlia"
ANSWER_BYTES_MAX = 1024 * 1024
CHUNK_BYTES = 64 * 1024
IDLE_SECONDS = 30  # How long an unused connection is kept for the next call.

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its JSON object (empty when unreadable), and their id of the call."""

    status: int
    body: Body = field(default_factory=dict[str, object])
    request_ref: str | None = None


class Client:
    """One account's connections: kept alive, bounded in number, opened when first needed."""

    def __init__(self, key: Secret, *, url: str, policy: CallingPolicy) -> None:
        self.line = Line(policy)
        self._key = key
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, fields: Fields, *, key: str) -> Called[Reply]:
        """Have something done, under an idempotency key: again and again is once."""
        form = urlencode(fields, errors="replace").encode("ascii")
        headers = {"Idempotency-Key": key, "Content-Type": "application/x-www-form-urlencoded"}
        url = self._url + path

        async def once(seconds: float) -> Try[Reply]:
            return await self._once(url, seconds=seconds, headers=headers, form=form)

        return await self.line.call(once)

    async def get(self, path: str, fields: Fields = ()) -> Called[Reply]:
        """Ask about something, changing nothing."""
        url = f"{self._url}{path}?{urlencode(fields)}"

        async def once(seconds: float) -> Try[Reply]:
            return await self._once(url, seconds=seconds, headers={}, form=None)

        return await self.line.call(once)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _once(
        self, url: str, *, seconds: float, headers: dict[str, str], form: bytes | None
    ) -> Try[Reply]:
        method = "GET" if form is None else "POST"
        try:
            async with (
                asyncio.timeout(seconds),
                self._opened().request(
                    method, url, data=form, headers=headers, allow_redirects=False
                ) as answer,
            ):
                return _judge(answer, await _read(answer))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Try(Fate.NOT_SENT)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Try(Fate.FAILED)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            policy = self.line.policy
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=policy.concurrent_max, keepalive_timeout=IDLE_SECONDS
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=policy.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "Authorization": f"Bearer {self._key.reveal()}",
                    "Stripe-Version": API_VERSION,
                    "User-Agent": "guilder",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                },
            )
        return self._session


def payment_path(ref: str, verb: str = "") -> str:
    """The path of a payment, or of a verb on it; the id is theirs, so it is not trusted."""
    return f"/v1/payment_intents/{quote(ref, safe='')}{verb}"


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, or as much of it as shows that it is too long."""
    raw = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        raw += chunk
        if len(raw) > ANSWER_BYTES_MAX:
            answer.close()
            break
    return bytes(raw)


def _judge(answer: aiohttp.ClientResponse, raw: bytes) -> Try[Reply]:
    """What this answer says of the call itself; what it says of the money is not seen here."""
    ref = answer.headers.get("Request-Id")
    is_final = answer.headers.get("Stripe-Should-Retry") == "false"
    is_json = answer.content_type == "application/json" and len(raw) <= ANSWER_BYTES_MAX
    body = parse(raw) if is_json else None
    if body is None:
        return Try(Fate.FAILED, Reply(answer.status, {}, ref), is_final)
    return Try(_fate(answer.status), Reply(answer.status, body, ref), is_final)


def _fate(status: int) -> Fate:
    """https://docs.stripe.com/api/errors: 424 is a failure behind them, as 5xx is theirs."""
    if status >= 500 or status == 424:
        return Fate.FAILED
    if status == 429:
        return Fate.TURNED_AWAY
    if status == 409:
        return Fate.AT_WORK
    return Fate.ANSWERED
