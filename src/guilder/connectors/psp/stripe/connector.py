"""Stripe as a provider: asks, looks up and listens, as the contract says."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from guilder.connectors.calling import Called, CallingPolicy, Fate
from guilder.connectors.psp.contract import (
    Advice,
    Answer,
    Ask,
    Decline,
    Operation,
    ProviderMessage,
    Reason,
    Verdict,
)
from guilder.connectors.psp.stripe import translate, webhooks
from guilder.connectors.psp.stripe.client import Client, Reply, payment_path
from guilder.kernel.clock import Clock
from guilder.kernel.secret import Secret

BASE_URL = "https://api.stripe.com"
LIVE_KEYS = ("sk_live_", "rk_live_")
SETTLING_SECONDS = 3600
"""How far their search may lag behind, at worst (https://docs.stripe.com/search)."""

IN_FLIGHT_SECONDS = 60
"""How long a request of ours may still be at work there, for reads that do not lag."""

PAGES_MAX = 20
"""Refunds of one payment are looked through this far, 100 to a page."""


class Stripe:
    """One Stripe account, test or live as its key is.

    `settling_seconds` is how long after the asking a payment that their search does not find may
    still exist. `webhook_secrets` are tried in turn, so that one can replace another.
    """

    def __init__(
        self,
        key: Secret,
        *,
        base_url: str = BASE_URL,
        webhook_secrets: tuple[Secret, ...],
        policy: CallingPolicy,
        clock: Clock,
        settling_seconds: int = SETTLING_SECONDS,
    ) -> None:
        if key.reveal().startswith(LIVE_KEYS) and not base_url.startswith("https://"):
            raise ValueError("a live key is sent over https only")
        self._client = Client(key, url=base_url, policy=policy)
        self._secrets = webhook_secrets
        self._clock = clock
        self._settling_seconds = settling_seconds

    @property
    def name(self) -> str:
        return "stripe"

    @property
    def settling_seconds(self) -> int:
        """How long after the asking "not found" may not yet count as never seen."""
        return self._settling_seconds

    @property
    def is_held_back(self) -> bool:
        """Whether the breaker holds calls back at this moment."""
        return self._client.line.breaker.is_open

    async def ask(self, ask: Ask) -> Answer:
        """Have it done under the attempt's id; see `README.md` for what counts as a sure no."""
        fields = translate.fields_of(ask)
        if fields is None:
            return _no(Reason.INVALID_REQUEST, Advice.NEVER, "amount_not_supported")
        called = await self._client.post(_path(ask), fields, key=str(ask.attempt_id))
        answer = _answer(ask, called)
        if answer.verdict is Verdict.DECLINED and called.last is not None:
            return await self._confirmed(ask, answer, called)
        return answer

    async def look_up(self, ask: Ask) -> Answer:
        """Find out what became of it: by their id when it is known, else by our metadata."""
        found = await self._find(ask)
        if found is not None:
            return found
        age = self._clock.now() - ask.asked_at
        settling = self._settling_seconds
        if ask.operation not in translate.NEW or ask.provider_ref is not None:
            settling = min(settling, IN_FLIGHT_SECONDS)
        if age.total_seconds() < settling:
            return translate.unknown("not found there, and it is too early to be sure")
        return Answer(Verdict.NEVER_SEEN)

    def read_message(
        self, headers: Mapping[str, str], raw: bytes, now: datetime
    ) -> ProviderMessage:
        """Verify and read a webhook. Raises `ForgedMessage` or `MalformedMessage`."""
        return webhooks.read_message(headers, raw, secrets=self._secrets, now=now)

    async def close(self) -> None:
        await self._client.close()

    async def _confirmed(self, ask: Ask, no: Answer, called: Called[Reply]) -> Answer:
        """A no about a payment that exists may be about what we did before: look before believing.

        A refused capture, for one, may have been refused because an earlier asking captured it.
        """
        last = called.last
        if ask.operation in translate.NEW or last is None or last.value is None:
            return no
        if last.value.status in {401, 403}:
            return no
        try:
            async with asyncio.timeout(self._client.line.policy.answer_seconds):
                found = await self._find(ask)
        except TimeoutError:
            return translate.unknown("refused, and nobody could say in time whether rightly")
        if found is not None:
            return found
        return translate.unknown("refused, with a try in doubt") if called.in_doubt else no

    async def _find(self, ask: Ask) -> Answer | None:
        """What they know of this attempt; `None` when they know nothing of it."""
        if ask.operation is Operation.REFUND:
            return await self._find_refund(ask)
        if ask.provider_ref is not None:
            return await self._find_payment(ask, ask.provider_ref)
        query = f"metadata['{translate.ATTEMPT}']:'{ask.attempt_id}'"
        called = await self._client.get("/v1/payment_intents/search", [("query", query)])
        page = _found(called)
        refs = None if page is None else translate.payments_found(ask, page.body)
        if refs is None:
            return _silence(called)
        if len(refs) > 1:
            return translate.unknown("more than one payment carries this attempt")
        return await self._find_payment(ask, refs[0]) if refs else None

    async def _find_payment(self, ask: Ask, ref: str) -> Answer | None:
        """Search lags behind even when it finds, so the payment itself is read."""
        called = await self._client.get(payment_path(ref), [translate.CHARGE])
        reply = _found(called)
        return _silence(called) if reply is None else translate.found_payment(ask, reply.body)

    async def _find_refund(self, ask: Ask) -> Answer | None:
        query = [("payment_intent", translate.known_payment(ask)), ("limit", "100")]
        after: str | None = None
        for _ in range(PAGES_MAX):
            cursor = [] if after is None else [("starting_after", after)]
            called = await self._client.get("/v1/refunds", [*query, *cursor])
            page = _found(called)
            if page is None:
                return _silence(called)
            found = translate.found_refund(ask, page.body)
            after = translate.next_page(page.body)
            if found is not None or after is None:
                return found
        return translate.unknown("more refunds than we look through")


def _path(ask: Ask) -> str:
    match ask.operation:
        case Operation.AUTHORIZE | Operation.SALE:
            return "/v1/payment_intents"
        case Operation.CAPTURE:
            return payment_path(translate.known_payment(ask), "/capture")
        case Operation.VOID:
            return payment_path(translate.known_payment(ask), "/cancel")
        case Operation.REFUND:
            return "/v1/refunds"


def _answer(ask: Ask, called: Called[Reply]) -> Answer:
    """What a call means for the money: without an answer, no if it was surely not sent."""
    if called.surely_not_sent:
        raw = called.obstacle or "no_connection"
        return _no(Reason.PROVIDER_FAULT, Advice.RETRY_LATER, str(raw))
    last = called.last
    if last is None or last.value is None or last.fate is not Fate.ANSWERED:
        return _silence(called)
    reply = last.value
    answer = translate.answer_to(ask, reply.status, reply.body, in_doubt=called.in_doubt)
    if answer.verdict is not Verdict.UNKNOWN or reply.request_ref is None:
        return answer
    detail = f"{answer.detail} ({reply.request_ref[:80]})"
    return translate.unknown(detail, answer.provider_ref)


def _found(called: Called[Reply]) -> Reply | None:
    """The answer to an inquiry; a 404 of what is known to us is no answer."""
    last = called.last
    if last is None or last.fate is not Fate.ANSWERED or last.value is None:
        return None
    return last.value if last.value.status == 200 else None


def _silence(called: Called[Reply]) -> Answer:
    """No answer that can be used, and for people what there was instead."""
    reply = None if called.last is None else called.last.value
    if reply is not None:
        return translate.unknown(f"HTTP {reply.status} instead of an answer")
    return translate.unknown(str(called.obstacle or "no answer"))


def _no(reason: Reason, advice: Advice, raw: str) -> Answer:
    return Answer(Verdict.DECLINED, decline=Decline(reason, advice, raw))
