"""Typed ids: UUIDv7 inside (RFC 9562), a prefix and 26 time-ordered letters outside."""

from typing import ClassVar, Self
from uuid import UUID

import uuid_utils.compat as uuids

from guilder.kernel.errors import Kind, Refusal

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u.
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


class MalformedId(Refusal):
    """The id is not of the kind that belongs here, or is not an id at all."""

    code = "malformed_id"
    kind = Kind.UNPROCESSABLE


class Id:
    """An id of one kind; ids of two kinds are never equal and never mistaken for each other."""

    __slots__ = ("value",)
    prefix: ClassVar[str]

    def __init__(self, value: UUID) -> None:
        self.value = value

    @classmethod
    def new(cls) -> Self:
        """A fresh id; ids made later sort later."""
        return cls(UUID(int=uuids.uuid7().int))

    @classmethod
    def parse(cls, text: str, *, param: str | None = None) -> Self:
        """Read `prefix_token`. Raises `MalformedId`, naming `param`, on anything else."""
        prefix, _, token = text.rpartition("_")
        if prefix != cls.prefix or not _is_token(token):
            raise MalformedId(
                f"{text[:60]!r} is not an id of this kind; it looks like "
                f"{cls.prefix}_ and {_LENGTH} letters and digits",
                param=param,
            )
        number = 0
        for letter in token:
            number = number << 5 | _VALUES[letter]
        return cls(UUID(int=number))

    def __str__(self) -> str:
        number = self.value.int
        token = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
        return f"{self.prefix}_{''.join(token)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Id) and type(self) is type(other) and self.value == other.value

    def __lt__(self, other: Self) -> bool:
        return self.value < other.value

    def __hash__(self) -> int:
        return hash(self.value)


def _is_token(token: str) -> bool:
    """Twenty-six letters of the alphabet that fit 128 bits: the first carries three of them."""
    return len(token) == _LENGTH and token[0] in "01234567" and all(x in _VALUES for x in token)


class AccountId(Id):
    """A ledger account."""

    prefix = "acc"


class ApiKeyId(Id):
    """An API key's record; the key itself is shown once and never stored."""

    prefix = "key"


class AttemptId(Id):
    """One asking of one provider; also the idempotency key we send to it."""

    prefix = "att"


class DeliveryId(Id):
    """One message to one webhook endpoint."""

    prefix = "del"


class EndpointId(Id):
    """A merchant's webhook endpoint."""

    prefix = "we"


class EntryId(Id):
    """A balanced entry in the book."""

    prefix = "ent"


class EventId(Id):
    """A fact announced through the outbox."""

    prefix = "evt"


class InboundId(Id):
    """A provider's message, kept as it came."""

    prefix = "inb"


class MerchantId(Id):
    """A merchant."""

    prefix = "mer"


class PaymentId(Id):
    """A payment."""

    prefix = "pay"


class PlatformId(Id):
    """The operator of this installation: the tenant above all resellers."""

    prefix = "plt"


class RefundId(Id):
    """A refund of a payment, whole or in part."""

    prefix = "ref"


class ResellerId(Id):
    """A reseller."""

    prefix = "res"


class StoreId(Id):
    """A merchant's store."""

    prefix = "sto"


KINDS: dict[str, type[Id]] = {
    kind.prefix: kind
    for kind in (
        AccountId,
        ApiKeyId,
        AttemptId,
        DeliveryId,
        EndpointId,
        EntryId,
        EventId,
        InboundId,
        MerchantId,
        PaymentId,
        PlatformId,
        RefundId,
        ResellerId,
        StoreId,
    )
}
"""Every kind of id by its prefix; the id alone tells its kind."""

PLATFORM = PlatformId(UUID("00000000-0000-7000-8000-000000000001"))
"""The operator itself: one per installation, so its id is a constant."""
