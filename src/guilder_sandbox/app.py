"""The sandbox as one ASGI application: dialects, control, books and a page."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import date
from urllib.parse import parse_qsl

import msgspec

from guilder_sandbox.book import Book, line_of
from guilder_sandbox.clock import Clock, micros_of, parse_instant, rfc3339
from guilder_sandbox.control import Control
from guilder_sandbox.faults import Faults, Rule
from guilder_sandbox.mischief import Healing, error_answer, play
from guilder_sandbox.pages import front_page
from guilder_sandbox.store import BookUnavailable, Store
from guilder_sandbox.stripe.desk import Call
from guilder_sandbox.stripe.dialect import Stripe
from guilder_sandbox.stripe.refusals import Refused
from guilder_sandbox.stripe.settlement import settlement_file
from guilder_sandbox.webhooks import Sender
from guilder_sandbox.wire import (
    Answer,
    HungUp,
    Line,
    Receive,
    Request,
    Scope,
    Send,
    TooLarge,
    json_answer,
)


class Sandbox:
    """Everything behind the one address."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.setting("clock_ahead_us")
        self._clock = Clock(ahead_us=0 if kept is None else int(kept))
        self._book = Book(store)
        self._faults = Faults(store)
        self._healing = Healing()
        self._sender = Sender(store)
        self._stripe = Stripe(store, clock=self._clock, book=self._book, sender=self._sender)
        self._control = Control(
            store,
            clock=self._clock,
            faults=self._faults,
            healing=self._healing,
            sender=self._sender,
        )

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Send webhooks and let slow things end, for as long as the context is open."""
        tasks = [asyncio.create_task(self._sender.run()), asyncio.create_task(self._stripe.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._store.close()

    def let_go(self) -> None:
        """Release every caller who is held in silence; the process is about to end."""
        self._healing.heal()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        line = Line(scope, receive, send)
        try:
            request = await line.hear()
            if request.path.startswith("/v1/"):
                await self._converse(line, request)
            else:
                await self._elsewhere(line, request)
        except TooLarge:
            await line.say(json_answer({"error": "the body is too large"}, status=413))
        except HungUp:
            return

    async def _elsewhere(self, line: Line, request: Request) -> None:
        match request.method, request.path:
            case "GET", "/":
                await line.say(front_page(self._clock))
            case "GET", "/book":
                await self._show_book(line, request)
            case "GET", "/settlement.csv":
                await self._show_settlement(line, request)
            case _ if request.path.startswith("/control/"):
                await line.say(await self._control.answer(request))
            case _:
                await line.say(json_answer({"error": "there is nothing here"}, status=404))

    # A provider's dialect

    async def _converse(self, line: Line, request: Request) -> None:
        """Hear, perhaps misbehave, book, perhaps misbehave, answer, perhaps misbehave."""
        try:
            call = self._stripe.hear(request)
        except Refused as refusal:
            await line.say(self._stripe.refuse(refusal))
            return
        rule: Rule | None = None
        try:
            rule = self._rule_for(call)
            answer = await self._before(rule, line, call)
            if answer is None:
                answer = await self._book_it(call, rule)
            else:
                rule = None
        except Refused as refusal:
            answer, rule = self._stripe.refuse(refusal), None
        except BookUnavailable:
            answer, rule = error_answer(500), None
        finally:
            self._stripe.release(call)
        await self._after(rule, line, answer)

    def _rule_for(self, call: Call) -> Rule | None:
        """The fault to play on this request, its own first; sets what changes the deed itself."""
        magic = self._stripe.magic(call)
        if magic is not None:
            found = self._faults.pick_magic(magic, self._stripe.mark(call))
            if found is not None:
                return found
        if not self._faults.rules:
            return None
        facts = self._stripe.facts(call)
        deed = self._faults.pick_deed(facts)
        if deed is not None:
            call.lenient = deed.fault == "lenient"
            call.lag_seconds = -(-deed.delay_ms // 1000) if deed.fault == "stale" else 0
        return self._faults.pick(facts)

    async def _before(self, rule: Rule | None, line: Line, call: Call) -> Answer | None:
        """What happens to a request on its way; if it gets no further, its key was never used."""
        if rule is None or rule.when != "before_booking":
            return None
        if rule.fault != "answer_late":
            self._stripe.release(call)
        await self._store.settled()
        return await play(rule, line, self._healing, None)

    async def _book_it(self, call: Call, rule: Rule | None) -> Answer:
        """Execute, and return once everything is committed."""
        answer = self._stripe.execute(call)
        if rule is not None and rule.fault == "status_500_remembered":
            answer = error_answer(500)
            self._stripe.remember(call, answer)
        await self._store.settled()
        return answer

    async def _after(self, rule: Rule | None, line: Line, answer: Answer) -> None:
        if rule is not None and rule.when == "after_booking":
            answer = await play(rule, line, self._healing, answer) or answer
        await line.say(answer)
        if rule is not None and rule.when == "after_answer":
            await play(rule, line, self._healing, answer)

    # The books

    async def _show_book(self, line: Line, request: Request) -> None:
        asked = dict(parse_qsl(request.query.decode("latin-1")))
        since = parse_instant(asked["since"].replace(" ", "+")) if "since" in asked else None
        if "since" in asked and since is None:
            wrong = {"error": "since is an RFC 3339 instant with its zone"}
            await line.say(json_answer(wrong, status=400))
            return
        await line.begin(b"application/json")
        await line.go_on(b'{"providers":{"stripe":[')
        separator = b""
        from_us = 0 if since is None else micros_of(since)
        async for movements in self._book.stream(self._stripe.name, from_us=from_us):
            lines = b",\n".join(msgspec.json.encode(line_of(m)) for m in movements)
            await line.go_on(separator + lines)
            separator = b",\n"
        await line.go_on(b"]}}\n")
        await line.finish()

    async def _show_settlement(self, line: Line, request: Request) -> None:
        asked = dict(parse_qsl(request.query.decode("latin-1")))
        try:
            day = date.fromisoformat(asked.get("date") or rfc3339(self._clock.micros())[:10])
        except ValueError:
            await line.say(json_answer({"error": "date is YYYY-MM-DD"}, status=400))
            return
        if asked.get("provider", self._stripe.name) != self._stripe.name:
            await line.say(json_answer({"error": "there is no such provider"}, status=404))
            return
        file_name = f'attachment; filename="stripe-{day}.csv"'.encode()
        await line.begin(b"text/csv; charset=utf-8", (b"content-disposition", file_name))
        async for part in settlement_file(self._book, day):
            await line.go_on(part)
        await line.finish()
