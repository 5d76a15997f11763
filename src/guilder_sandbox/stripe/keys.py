"""Idempotency keys: the first answer is kept for a day and given again to whoever repeats."""

from hashlib import blake2b

from guilder_sandbox.clock import Clock
from guilder_sandbox.store import Store
from guilder_sandbox.stripe.refusals import invalid, key_in_use, key_reused
from guilder_sandbox.wire import Answer, Request

KEPT_SECONDS = 24 * 3600  # Stripe forgets a key after a day at the earliest.
KEY_CHARS_MAX = 255

SCHEMA = """
create table if not exists stripe_key (
  key text primary key,
  fingerprint blob not null,
  status integer not null,
  body blob not null,
  request_id text not null,
  at integer not null
) strict;
"""
PUT = """
insert or replace into stripe_key (key, fingerprint, status, body, request_id, at)
values (?, ?, ?, ?, ?, ?)
"""


class Keys:
    """Keys in use and keys used."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._in_use: set[str] = set()
        store.create(SCHEMA)

    def take(self, key: str) -> None:
        """Reserve a key while its request runs; refused when another request runs under it."""
        if len(key) > KEY_CHARS_MAX:
            raise invalid(f"Idempotency keys have up to {KEY_CHARS_MAX} characters.")
        if key in self._in_use:
            raise key_in_use(key)
        self._in_use.add(key)

    def release(self, key: str) -> None:
        self._in_use.discard(key)

    def recall(self, key: str, fingerprint: bytes) -> tuple[Answer, str] | None:
        """The kept answer and the request it answered; refused when this is another request."""
        row = self._store.find(
            "select fingerprint, status, body, request_id from stripe_key where key = ? and at > ?",
            (key, self._clock.seconds() - KEPT_SECONDS),
        )
        if row is None:
            return None
        kept, status, body, request_id = row
        if kept != fingerprint:
            raise key_reused(key)
        assert isinstance(status, int), "the column is an integer"
        assert isinstance(body, bytes), "the column is a blob"
        return Answer(status, body), str(request_id)

    def remember(self, key: str, fingerprint: bytes, answer: Answer, request_id: str) -> None:
        self._store.put(
            PUT,
            (key, fingerprint, answer.status, answer.body, request_id, self._clock.seconds()),
        )


def fingerprint_of(request: Request) -> bytes:
    """What makes two requests the same: method, path, and the parameters in any order."""
    fields = b"&".join(sorted(request.body.split(b"&")))
    head = f"{request.method} {request.path}\n".encode()
    return blake2b(head + fields, digest_size=16).digest()
