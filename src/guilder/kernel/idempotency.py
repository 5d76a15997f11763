"""Idempotency as values: a caller's key, what was answered under it, and how they compare."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from guilder.kernel.errors import Kind, Refusal

KEPT = timedelta(hours=72)
OWNER_PATIENCE = timedelta(seconds=15)  # Longer than a caller is kept waiting for an answer.


class KeyReused(Refusal):
    """The key was used before for a different request; use a new key for a new request."""

    code = "idempotency_key_reused"
    kind = Kind.UNPROCESSABLE


class KeyInProgress(Refusal):
    """The first request with this key is still being worked on."""

    code = "idempotency_in_progress"
    kind = Kind.CONFLICT
    retryable = True


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key, in the caller's own tenant and mode, with the fingerprint of the request."""

    tenant_id: UUID
    is_test: bool
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: HTTP status and body, byte for byte."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key as it is kept; `answer` is None while the first request is still at work."""

    key: Key
    subject_id: UUID | None
    answer: Answer | None
    reserved_at: datetime

    def is_abandoned(self, now: datetime) -> bool:
        """Whether its first request has had all the time it could use, and left no answer."""
        return self.answer is None and now - self.reserved_at > OWNER_PATIENCE


def fingerprint(method: str, path: str, canonical_body: bytes) -> bytes:
    """SHA-256 over what the request asks; amount, currency and method are in the body (S4-16)."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), canonical_body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def check(kept: KeptKey, asked: Key) -> None:
    """Raises `KeyReused` when the key was kept for a different request."""
    if kept.key.fingerprint != asked.fingerprint:
        raise KeyReused(
            "this Idempotency-Key was used for a different request; use a new key",
            param="Idempotency-Key",
        )
