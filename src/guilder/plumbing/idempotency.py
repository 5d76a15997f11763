"""Idempotency keys: reserved before the effect, answered with it, kept for 72 hours (S4-16)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from guilder.kernel.idempotency import (
    KEPT,
    Answer,
    KeptKey,
    Key,
    KeyInProgress,
    KeyReused,
    check,
    fingerprint,
)
from guilder.plumbing.db import ReadTx, Row, Tx

__all__ = [
    "Answer",
    "KeptKey",
    "Key",
    "KeyInProgress",
    "KeyReused",
    "answer",
    "check",
    "find",
    "find_by_subject",
    "fingerprint",
    "forget_expired",
    "release",
    "reserve",
]


async def reserve(
    tx: Tx, keys: Sequence[Key], subject_ids: Sequence[UUID | None], now: datetime
) -> list[KeptKey | None]:
    """Reserve keys before their effect. A slot is None when the key is now the caller's.

    Otherwise the slot holds what was kept under that key. Two equal keys in one call: the first
    wins. Raises nothing for a different fingerprint: the caller compares (`check`).
    """
    winners = _first_of_each(keys)
    order = sorted(winners, key=lambda n: (keys[n].tenant_id, keys[n].is_test, keys[n].key))
    rows = await tx.rows(
        """
        insert into plumbing.idempotency_key as kept
               (tenant_id, is_test, key, fingerprint, subject_id, reserved_at, expires_at)
        select given.*, $6::timestamptz, $7::timestamptz
          from unnest($1::uuid[], $2::bool[], $3::text[], $4::bytea[], $5::uuid[]) as given
        on conflict (tenant_id, is_test, key) do update
           set fingerprint = excluded.fingerprint,
               subject_id = excluded.subject_id,
               reserved_at = excluded.reserved_at,
               expires_at = excluded.expires_at,
               status = null,
               body = null
         where kept.expires_at <= excluded.reserved_at
        returning tenant_id, is_test, key
        """,
        [keys[n].tenant_id for n in order],
        [keys[n].is_test for n in order],
        [keys[n].key for n in order],
        [keys[n].fingerprint for n in order],
        [subject_ids[n] for n in order],
        now,
        now + KEPT,
    )
    reserved = {(row["tenant_id"], row["is_test"], row["key"]) for row in rows}
    won = {n for n in winners if (keys[n].tenant_id, keys[n].is_test, keys[n].key) in reserved}
    lost = [key for n, key in enumerate(keys) if n not in won]
    kept = await _load(tx, lost) if lost else {}
    return [
        None if n in won else kept[(key.tenant_id, key.is_test, key.key)]
        for n, key in enumerate(keys)
    ]


async def answer(tx: Tx, keys: Sequence[Key], answers: Sequence[Answer]) -> None:
    """Keep the full answer under each key, once: an answer that is there stays."""
    order = sorted(
        range(len(keys)), key=lambda n: (keys[n].tenant_id, keys[n].is_test, keys[n].key)
    )
    await tx.run(
        """
        update plumbing.idempotency_key as kept
           set status = given.status, body = given.body
          from unnest($1::uuid[], $2::bool[], $3::text[], $4::int[], $5::bytea[])
               as given (tenant_id, is_test, key, status, body)
         where kept.tenant_id = given.tenant_id
           and kept.is_test = given.is_test
           and kept.key = given.key
           and kept.status is null
        """,
        [keys[n].tenant_id for n in order],
        [keys[n].is_test for n in order],
        [keys[n].key for n in order],
        [answers[n].status for n in order],
        [answers[n].body for n in order],
    )


async def release(tx: Tx, keys: Sequence[Key]) -> None:
    """Give back keys reserved in this transaction, because the request was refused after all."""
    await tx.run(
        """
        delete from plumbing.idempotency_key as kept
         using unnest($1::uuid[], $2::bool[], $3::text[]) as given (tenant_id, is_test, key)
         where kept.tenant_id = given.tenant_id
           and kept.is_test = given.is_test
           and kept.key = given.key
           and kept.status is null
        """,
        [key.tenant_id for key in keys],
        [key.is_test for key in keys],
        [key.key for key in keys],
    )


async def find(tx: ReadTx, key: Key) -> KeptKey | None:
    """What is kept under this key, or None."""
    found = await _load(tx, [key])
    return found.get((key.tenant_id, key.is_test, key.key))


async def find_by_subject(tx: ReadTx, subject_id: UUID) -> KeptKey | None:
    """The key under which this subject was made, or None when it is no longer kept."""
    row = await tx.find(
        """
        select tenant_id, is_test, key, fingerprint, subject_id, status, body, reserved_at
          from plumbing.idempotency_key
         where subject_id = $1
        """,
        subject_id,
    )
    return _kept(row) if row else None


async def forget_expired(tx: Tx, now: datetime, *, limit: int) -> int:
    """Delete keys past their 72 hours, at most `limit`; returns how many."""
    return await tx.run(
        """
        delete from plumbing.idempotency_key
         where (tenant_id, is_test, key) in (
               select tenant_id, is_test, key
                 from plumbing.idempotency_key
                where expires_at <= $1
                order by expires_at
                limit $2
                  for update skip locked)
        """,
        now,
        limit,
    )


def _first_of_each(keys: Sequence[Key]) -> list[int]:
    seen: set[tuple[UUID, bool, str]] = set()
    first: list[int] = []
    for n, key in enumerate(keys):
        name = (key.tenant_id, key.is_test, key.key)
        if name not in seen:
            seen.add(name)
            first.append(n)
    return first


async def _load(tx: ReadTx, keys: Sequence[Key]) -> dict[tuple[UUID, bool, str], KeptKey]:
    rows = await tx.rows(
        """
        select kept.tenant_id, kept.is_test, kept.key, fingerprint, subject_id, status, body,
               reserved_at
          from unnest($1::uuid[], $2::bool[], $3::text[]) as given (tenant_id, is_test, key)
          join plumbing.idempotency_key as kept using (tenant_id, is_test, key)
        """,
        [key.tenant_id for key in keys],
        [key.is_test for key in keys],
        [key.key for key in keys],
    )
    return {(row["tenant_id"], row["is_test"], row["key"]): _kept(row) for row in rows}


def _kept(row: Row) -> KeptKey:
    key = Key(row["tenant_id"], row["is_test"], row["key"], bytes(row["fingerprint"]))
    given = None if row["status"] is None else Answer(row["status"], bytes(row["body"]))
    return KeptKey(key, row["subject_id"], given, row["reserved_at"])
