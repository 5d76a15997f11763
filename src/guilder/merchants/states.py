"""The status of a merchant, and the moves between them."""

from collections.abc import Mapping
from enum import StrEnum


class MerchantStatus(StrEnum):
    """Whether a merchant may take new payments; what is under way goes on in either."""

    ACTIVE = "active"  # May take payments.
    SUSPENDED = "suspended"  # Takes no new ones; captures, refunds and payouts stay possible.


class IllegalMove(Exception):  # noqa: N818 - named for the situation.
    """A move that the table does not have."""


M = MerchantStatus

MOVES: Mapping[MerchantStatus, frozenset[MerchantStatus]] = {
    M.ACTIVE: frozenset({M.SUSPENDED}),
    M.SUSPENDED: frozenset({M.ACTIVE}),
}
assert set(MOVES) == set(MerchantStatus), "every status has its moves"


def move(before: MerchantStatus, after: MerchantStatus) -> MerchantStatus:
    """The status after, if the table allows it. Raises `IllegalMove`."""
    if after not in MOVES[before]:
        raise IllegalMove(f"a merchant that is {before} cannot become {after}")
    return after
