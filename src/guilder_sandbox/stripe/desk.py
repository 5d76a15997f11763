"""Stripe's desk: it loads, saves, books and tells; the verbs decide."""

from typing import LiteralString

import msgspec

from guilder_sandbox.book import Book, Kind, Movement, State
from guilder_sandbox.clock import Clock
from guilder_sandbox.store import Row, Store
from guilder_sandbox.stripe.currencies import to_iso
from guilder_sandbox.stripe.form import Form
from guilder_sandbox.stripe.model import (
    Attempt,
    Endpoint,
    Event,
    Intent,
    Refund,
    charge_id,
    new_token,
    our_ref_in,
    seq_of,
)
from guilder_sandbox.webhooks import Sender

PROVIDER = "stripe"
INTENTS_IN_MEMORY = 8_000  # Far more than one turn of the loop can touch before it is committed.

SCHEMA = """
create table if not exists stripe_intent (
  seq integer primary key, created integer not null, id text not null, doc blob not null
) strict;
create index if not exists stripe_intent_newest on stripe_intent (created, seq);
create table if not exists stripe_metadata (
  key text not null, value text not null, intent_seq integer not null,
  primary key (key, value, intent_seq)
) strict, without rowid;
create table if not exists stripe_refund (
  seq integer primary key, created integer not null, intent_seq integer not null,
  doc blob not null
) strict;
create index if not exists stripe_refund_of_intent on stripe_refund (intent_seq);
create table if not exists stripe_event (
  seq integer primary key, created integer not null, type text not null, doc blob not null
) strict;
create table if not exists stripe_endpoint (seq integer primary key, doc blob not null) strict;
"""
PUT_INTENT = "insert or replace into stripe_intent (seq, created, id, doc) values (?, ?, ?, ?)"
PUT_METADATA = "insert or ignore into stripe_metadata (key, value, intent_seq) values (?, ?, ?)"
PUT_REFUND = "insert or replace into stripe_refund (seq, created, intent_seq, doc) values (?,?,?,?)"
PUT_EVENT = "insert into stripe_event (seq, created, type, doc) values (?, ?, ?, ?)"
PUT_ENDPOINT = "insert or replace into stripe_endpoint (seq, doc) values (?, ?)"

_pack = msgspec.msgpack.Encoder().encode
_unpack_intent = msgspec.msgpack.Decoder(Intent).decode
_unpack_refund = msgspec.msgpack.Decoder(Refund).decode
_unpack_event = msgspec.msgpack.Decoder(Event).decode
_unpack_endpoint = msgspec.msgpack.Decoder(Endpoint).decode


class Call(msgspec.Struct):
    """One request in the dialect's words."""

    operation: str
    verb: str
    id: str
    form: Form
    request_id: str
    key: str | None = None
    has_reserved: bool = False
    fingerprint: bytes = b""
    lenient: bool = False
    lag_seconds: int = 0


class Desk:
    """What the verbs work with."""

    def __init__(self, store: Store, *, clock: Clock, book: Book, sender: Sender) -> None:
        self.store = store
        self.clock = clock
        self.book = book
        self._sender = sender
        store.create(SCHEMA)
        store.on_loss(self._forget)
        self._intents: dict[int, Intent] = {}
        self._endpoints: dict[int, Endpoint] = {}
        self._read_endpoints()

    def new_id(self, prefix: str, table: LiteralString) -> tuple[int, str]:
        seq = self.store.next_seq(table)
        return seq, prefix + new_token(seq)

    # Payment intents

    def find_intent(self, id: str) -> Intent | None:
        seq = seq_of(id, "pi_")
        intent = None if seq is None else self.intent_at(seq)
        return intent if intent is not None and intent.id == id else None

    def intent_at(self, seq: int) -> Intent | None:
        intent = self._intents.get(seq)
        if intent is not None:
            return intent
        row = self.store.find("select doc from stripe_intent where seq = ?", (seq,))
        if row is None or not isinstance(row[0], bytes):
            return None
        intent = _unpack_intent(row[0])
        self._keep(intent)
        return intent

    def save_intent(self, intent: Intent) -> bytes:
        """Save it, and return it as it stands now, for the events that tell of it."""
        packed = _pack(intent)
        self.store.put(PUT_INTENT, (intent.seq, intent.created, intent.id, packed))
        self._keep(intent)
        return packed

    def index_metadata(self, intent: Intent) -> None:
        for key, value in intent.metadata.items():
            self.store.put(PUT_METADATA, (key, value, intent.seq))

    def intents(self, sql: LiteralString, row: Row) -> list[Intent]:
        """The intents whose rows a query names, in its order; its first column is `seq`."""
        found = [
            self.intent_at(seq) for (seq, *_) in self.store.all(sql, row) if isinstance(seq, int)
        ]
        return [intent for intent in found if intent is not None]

    # Refunds

    def find_refund(self, id: str) -> Refund | None:
        seq = seq_of(id, "re_")
        refund = None if seq is None else self.refund_at(seq)
        return refund if refund is not None and refund.id == id else None

    def refund_at(self, seq: int) -> Refund | None:
        found = self.refunds("select doc from stripe_refund where seq = ?", (seq,))
        return found[0] if found else None

    def refunds(self, sql: LiteralString, row: Row) -> list[Refund]:
        """The refunds of a query whose first column is `doc`."""
        rows = self.store.all(sql, row)
        return [_unpack_refund(doc) for (doc, *_) in rows if isinstance(doc, bytes)]

    def refunds_of(self, intent: Intent) -> list[Refund]:
        return self.refunds(
            "select doc from stripe_refund where intent_seq = ? order by seq desc limit 100",
            (intent.seq,),
        )

    def save_refund(self, refund: Refund) -> bytes:
        packed = _pack(refund)
        self.store.put(PUT_REFUND, (refund.seq, refund.created, refund.intent_seq, packed))
        return packed

    # Endpoints

    def endpoints(self) -> list[Endpoint]:
        """Those that were not deleted, the newest first."""
        return sorted((e for e in self._endpoints.values() if not e.deleted), key=lambda e: -e.seq)

    def find_endpoint(self, id: str) -> Endpoint | None:
        return next((e for e in self.endpoints() if e.id == id), None)

    def endpoint_at(self, seq: int) -> Endpoint | None:
        return self._endpoints.get(seq)

    def save_endpoint(self, endpoint: Endpoint) -> None:
        self._endpoints[endpoint.seq] = endpoint
        self.store.put(PUT_ENDPOINT, (endpoint.seq, _pack(endpoint)))

    # Events

    def tell(
        self,
        type_name: str,
        *,
        about: str,
        snapshot: bytes,
        call: Call | None,
        previous: dict[str, str | int | bool | None] | None = None,
    ) -> None:
        """Write an event, and a delivery for each endpoint that wants its type."""
        seq, event_id = self.new_id("evt_", "stripe_event")
        created = self.clock.seconds()
        request = (None, None) if call is None else (call.request_id, call.key)
        event = Event(seq, event_id, type_name, created, snapshot, about, *request, previous)
        self.store.put(PUT_EVENT, (seq, created, type_name, _pack(event)))
        for endpoint in self._endpoints.values():
            if endpoint.wants(type_name):
                self._sender.enqueue(PROVIDER, endpoint_seq=endpoint.seq, event_seq=seq)

    def events(self, sql: LiteralString, row: Row) -> list[Event]:
        """The events of a query whose first column is `doc`."""
        rows = self.store.all(sql, row)
        return [_unpack_event(doc) for (doc, *_) in rows if isinstance(doc, bytes)]

    def event_at(self, seq: int) -> Event | None:
        found = self.events("select doc from stripe_event where seq = ?", (seq,))
        return found[0] if found else None

    # The book

    def move(
        self,
        kind: Kind,
        call: Call | None,
        charged: tuple[Intent, Attempt],
        *,
        amount: int,
        state: State,
        ref: str | None = None,
    ) -> int:
        """Book a movement; `amount` in Stripe's units. The reference is the intent's, or `ref`.

        The caller's own reference is the one sent with this operation, else the intent's.
        """
        intent, attempt = charged
        payment_our_ref = our_ref_in(intent.metadata)
        our_ref = None if call is None else _sent_ref(call.form)
        return self.book.record(
            Movement(
                provider=PROVIDER,
                ref=ref or intent.id,
                our_ref=our_ref or payment_our_ref,
                kind=kind,
                amount_minor=to_iso(amount, intent.currency),
                currency=intent.currency.upper(),
                state=state,
                at_us=self.clock.micros(),
                payment_ref=intent.id,
                charge_ref=charge_id(intent, attempt),
                payment_our_ref=payment_our_ref,
                idempotency_key=None if call is None else call.key,
                description=intent.description,
            )
        )

    def _keep(self, intent: Intent) -> None:
        self._intents[intent.seq] = intent
        if len(self._intents) > INTENTS_IN_MEMORY:
            del self._intents[next(iter(self._intents))]

    def _forget(self) -> None:
        self._intents.clear()
        self._read_endpoints()

    def _read_endpoints(self) -> None:
        rows = self.store.all("select doc from stripe_endpoint order by seq")
        found = [_unpack_endpoint(row[0]) for row in rows if isinstance(row[0], bytes)]
        self._endpoints = {endpoint.seq: endpoint for endpoint in found}


def _sent_ref(form: Form) -> str | None:
    """The caller's reference for this very operation."""
    sent = form.get("metadata")
    ref = sent.get("guilder_attempt") if isinstance(sent, dict) else None
    return ref if isinstance(ref, str) and ref else None


def unpack_intent(snapshot: bytes) -> Intent:
    return _unpack_intent(snapshot)


def unpack_refund(snapshot: bytes) -> Refund:
    return _unpack_refund(snapshot)
