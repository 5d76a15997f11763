"""The provider's book: one row for each movement of money, in neutral words."""

from collections.abc import AsyncIterator
from typing import Literal, TypeAlias

import msgspec

from guilder_sandbox.clock import rfc3339
from guilder_sandbox.store import Row, Store

Kind: TypeAlias = Literal["authorization", "capture", "void", "refund"]
State: TypeAlias = Literal["succeeded", "pending", "declined", "failed"]

SCHEMA = """
create table if not exists movement (
  seq integer primary key,
  provider text not null,
  ref text not null,
  our_ref text,
  kind text not null check (kind in ('authorization', 'capture', 'void', 'refund')),
  amount_minor integer not null,
  currency text not null,
  state text not null check (state in ('succeeded', 'pending', 'declined', 'failed')),
  at_us integer not null,
  payment_ref text not null,
  charge_ref text not null,
  payment_our_ref text,
  idempotency_key text,
  description text
) strict;
create index if not exists movement_by_time on movement (at_us);
"""

PUT = """
insert or replace into movement
  (seq, provider, ref, our_ref, kind, amount_minor, currency, state, at_us,
   payment_ref, charge_ref, payment_our_ref, idempotency_key, description)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

SINCE = """
select provider, ref, our_ref, kind, amount_minor, currency, state, at_us,
       payment_ref, charge_ref, payment_our_ref, idempotency_key, description, seq
  from movement where at_us >= ? and at_us < ? and provider = ? order by seq
"""

END_OF_TIME = 2**62


class Movement(msgspec.Struct, kw_only=True, array_like=True):
    """One movement: the amount in ISO 4217 minor units, the instant in microseconds of UTC."""

    provider: str
    ref: str
    our_ref: str | None
    kind: Kind
    amount_minor: int
    currency: str
    state: State
    at_us: int
    payment_ref: str
    charge_ref: str
    payment_our_ref: str | None
    idempotency_key: str | None
    description: str | None
    seq: int = 0


class Line(msgspec.Struct):
    """A movement as `GET /book` shows it."""

    ref: str
    our_ref: str | None
    kind: str
    amount_minor: int
    currency: str
    state: str
    at: str
    payment_ref: str
    charge_ref: str
    idempotency_key: str | None


class Book:
    """The append-mostly list of movements; only a pending one is ever written again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(SCHEMA)

    def record(self, movement: Movement) -> int:
        """Write a new movement, or a changed one that already has its number."""
        if movement.seq == 0:
            movement.seq = self._store.next_seq("movement")
        m = movement
        self._store.put(
            PUT,
            (
                *(m.seq, m.provider, m.ref, m.our_ref, m.kind, m.amount_minor, m.currency),
                *(m.state, m.at_us, m.payment_ref, m.charge_ref, m.payment_our_ref),
                *(m.idempotency_key, m.description),
            ),
        )
        return m.seq

    def load(self, seq: int) -> Movement:
        self._store.flush()
        row = self._store.find(
            "select provider, ref, our_ref, kind, amount_minor, currency, state, at_us,"
            " payment_ref, charge_ref, payment_our_ref, idempotency_key, description, seq"
            " from movement where seq = ?",
            (seq,),
        )
        assert row is not None, "a movement once recorded stays in the book"
        return _movement(row)

    async def stream(
        self, provider: str, *, from_us: int = 0, until_us: int = END_OF_TIME
    ) -> AsyncIterator[list[Movement]]:
        async for chunk in self._store.stream(SINCE, (from_us, until_us, provider)):
            yield [_movement(row) for row in chunk]


def line_of(movement: Movement) -> Line:
    m = movement
    return Line(
        ref=m.ref,
        our_ref=m.our_ref,
        kind=m.kind,
        amount_minor=m.amount_minor,
        currency=m.currency,
        state=m.state,
        at=rfc3339(m.at_us),
        payment_ref=m.payment_ref,
        charge_ref=m.charge_ref,
        idempotency_key=m.idempotency_key,
    )


def _movement(row: Row) -> Movement:
    return msgspec.convert(row, Movement)
