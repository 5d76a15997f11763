"""Stripe's dialect as a whole: who may ask, what is asked, and the answer with its headers."""

import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import TypeAlias

from guilder_sandbox.book import Book
from guilder_sandbox.clock import Clock
from guilder_sandbox.faults import Facts, Rule, parse_magic
from guilder_sandbox.store import Store
from guilder_sandbox.stripe import endpoints, intents, params, reading, refunds
from guilder_sandbox.stripe.desk import PROVIDER, Call, Desk
from guilder_sandbox.stripe.events import write_post
from guilder_sandbox.stripe.form import BadForm, parse_form
from guilder_sandbox.stripe.keys import Keys, fingerprint_of
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import API_VERSION, Intent
from guilder_sandbox.stripe.refusals import Refused, invalid, unauthorized
from guilder_sandbox.webhooks import Post, Sender
from guilder_sandbox.wire import Answer, Request

Verb: TypeAlias = Callable[[Desk, Later, Call], Answer]

KEY_PREFIX = "sk_test_"
SILENT_CARD = "pm_sandbox_bookedThenSilent"

# (method, folder, what follows the id): (the operation in the words of faults, the verb).
# An id is present where the third is not None.
ROUTES: dict[tuple[str, str, str | None], tuple[str, Verb]] = {
    ("POST", "payment_intents", None): ("create", intents.create),
    ("GET", "payment_intents", None): ("list", reading.list_intents),
    ("GET", "payment_intents", ""): ("retrieve", reading.retrieve_intent),
    ("POST", "payment_intents", "confirm"): ("confirm", intents.confirm),
    ("POST", "payment_intents", "capture"): ("capture", intents.capture),
    ("POST", "payment_intents", "cancel"): ("cancel", intents.cancel),
    ("POST", "refunds", None): ("refund", refunds.create_refund),
    ("GET", "refunds", None): ("list", reading.list_refunds),
    ("GET", "refunds", ""): ("retrieve", reading.retrieve_refund),
    ("GET", "charges", ""): ("retrieve", reading.retrieve_charge),
    ("GET", "balance_transactions", ""): ("retrieve", reading.retrieve_transaction),
    ("GET", "events", None): ("list", reading.list_events),
    ("GET", "events", ""): ("retrieve", reading.retrieve_event),
    ("POST", "webhook_endpoints", None): ("endpoint", endpoints.create_endpoint),
    ("GET", "webhook_endpoints", None): ("list", endpoints.list_endpoints),
    ("GET", "webhook_endpoints", ""): ("retrieve", endpoints.retrieve_endpoint),
    ("POST", "webhook_endpoints", ""): ("endpoint", endpoints.update_endpoint),
    ("DELETE", "webhook_endpoints", ""): ("endpoint", endpoints.delete_endpoint),
}
SEARCH = ("search", reading.search_intents)


class Stripe:
    """The provider: `hear` a request, `execute` it, and send events on its own account."""

    name = PROVIDER

    def __init__(self, store: Store, *, clock: Clock, book: Book, sender: Sender) -> None:
        self._clock = clock
        self._keys = Keys(store, clock)
        self._desk = Desk(store, clock=clock, book=book, sender=sender)
        self._later = Later(store)
        self._later.learn("conclude_intent", lambda seq: intents.conclude_slowly(self._desk, seq))
        self._later.learn("settle_refund", lambda seq: refunds.settle_slowly(self._desk, seq))
        sender.speak_for(PROVIDER, self._write_post)

    async def run(self) -> None:
        """Let slow things end, until cancelled."""
        await self._later.run()

    def hear(self, request: Request) -> Call:
        """Understand a request and reserve its idempotency key; raises Refused."""
        _authenticate(request.header(b"authorization"))
        operation, verb, subject = _route(request)
        try:
            form = parse_form(request.body if request.method == "POST" else request.query)
        except BadForm as bad:
            raise invalid(str(bad)) from bad
        call = Call(operation, verb, subject, form, f"req_{secrets.token_hex(7)}")
        key = request.header(b"idempotency-key") if request.method == "POST" else None
        if key:
            self._keys.take(key)
            call.key, call.has_reserved = key, True
            call.fingerprint = fingerprint_of(request)
        return call

    def release(self, call: Call) -> None:
        """The request is over, however it ended; its key may be used again. Twice is once."""
        if call.key is not None and call.has_reserved:
            call.has_reserved = False
            self._keys.release(call.key)

    def facts(self, call: Call) -> Facts:
        """What the request is about, for rules of faults; raises Refused on a bad form."""
        form, intent = call.form, self._intent_of(call)
        metadata = params.metadata(form)
        amount = params.integer(form, "amount") or params.integer(form, "amount_to_capture")
        method = params.text(form, "payment_method")
        if intent is not None:
            metadata = {**intent.metadata, **metadata}
            amount = amount or intent.amount
            method = method or intent.card
        return Facts(call.operation, metadata, method, amount)

    def magic(self, call: Call) -> Rule | None:
        """The fault that a request asks for by itself, in its metadata or by its card."""
        sent = call.form.get("metadata")
        if isinstance(sent, dict) and "sandbox_fault" in sent:
            rule = parse_magic(str(sent["sandbox_fault"]))
            if rule is None:
                raise invalid("There is no such fault.", param="metadata[sandbox_fault]")
            return rule
        confirms = call.operation == "confirm" or call.form.get("confirm") == "true"
        if confirms and call.form.get("payment_method") == SILENT_CARD:
            return Rule(fault="never_answer", when="after_booking")
        return None

    def mark(self, call: Call) -> str | None:
        """What makes a magic fault happen once: the idempotency key of the request."""
        return None if call.key is None else f"{call.operation} {call.key}"

    def execute(self, call: Call) -> Answer:
        """Do what was asked, or repeat the kept answer. Its effects are put, not yet committed."""
        try:
            return self._with_headers(call, *self._once(call))
        except Refused as refusal:
            return self._with_headers(call, refusal.answer(), call.request_id)

    def refuse(self, refusal: Refused) -> Answer:
        return refusal.answer()

    def remember(self, call: Call, answer: Answer) -> None:
        """Make `answer` the one that repeats of this request will get."""
        if call.key is not None:
            self._keys.remember(call.key, call.fingerprint, answer, call.request_id)

    def _once(self, call: Call) -> tuple[Answer, str]:
        """The answer, and the id of the request that it was first given to."""
        if call.key is not None:
            kept = self._keys.recall(call.key, call.fingerprint)
            if kept is not None:
                return kept
        try:
            answer = _VERBS[call.verb](self._desk, self._later, call)
        except Refused as refusal:
            if not refusal.remembered:
                raise
            answer = refusal.answer()
        self.remember(call, answer)
        return answer, call.request_id

    def _with_headers(self, call: Call, answer: Answer, original: str) -> Answer:
        answer.headers = [
            (b"request-id", call.request_id.encode()),
            (b"stripe-version", API_VERSION.encode()),
        ]
        if call.key is not None:
            answer.headers.append((b"idempotency-key", call.key.encode("latin-1")))
            answer.headers.append((b"original-request", original.encode()))
            if original != call.request_id:
                answer.headers.append((b"idempotent-replayed", b"true"))
        return answer

    def _intent_of(self, call: Call) -> Intent | None:
        if call.operation == "refund":
            return refunds.refund_subject(self._desk, call.form)
        return self._desk.find_intent(call.id)

    def _write_post(self, endpoint_seq: int, event_seq: int) -> Post | None:
        endpoint = self._desk.endpoint_at(endpoint_seq)
        event = self._desk.event_at(event_seq)
        if endpoint is None or endpoint.deleted or event is None:
            return None
        return write_post(endpoint, event, at=self._clock.seconds())


def _authenticate(header: str | None) -> None:
    """A secret test key, as Bearer token or as the user name of Basic; raises Refused."""
    scheme, _, given = (header or "").partition(" ")
    key = ""
    if scheme.lower() == "bearer":
        key = given.strip()
    elif scheme.lower() == "basic":
        try:
            key = b64decode(given, validate=True).decode("latin-1").partition(":")[0]
        except (NotBase64, ValueError):
            key = "?"
    if not key:
        raise unauthorized(
            "You did not provide an API key: send it as Bearer token in the Authorization header."
        )
    if not key.startswith(KEY_PREFIX) or len(key) == len(KEY_PREFIX):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * max(0, len(key) - 8)}")


def _route(request: Request) -> tuple[str, str, str]:
    """The operation, the name of the verb, and the id in the path; raises Refused."""
    parts = request.path.split("/")[2:]
    folder, subject = parts[0] if parts else "", parts[1] if len(parts) > 1 else ""
    if request.method == "GET" and parts == ["payment_intents", "search"]:
        return SEARCH[0], SEARCH[1].__name__, ""
    follows = None if len(parts) == 1 else parts[2] if len(parts) == 3 else ""
    found = ROUTES.get((request.method, folder, follows)) if len(parts) <= 3 else None
    if found is None or (follows is not None and not subject):
        raise Refused(
            404,
            {
                "message": f"Unrecognized request URL ({request.method}: {request.path}).",
                "type": "invalid_request_error",
            },
            remembered=False,
        )
    return found[0], found[1].__name__, subject


_VERBS: dict[str, Verb] = {verb.__name__: verb for _, verb in (*ROUTES.values(), SEARCH)}
