"""The life of a provider's message."""

from enum import StrEnum


class MessageState(StrEnum):
    """Where a kept message stands."""

    RECEIVED = "received"  # Verified and kept; what it tells has not reached our books yet.
    PARKED = "parked"  # It tells of a payment we do not know yet; it is looked at again.
    PROCESSED = "processed"  # What it tells has had its one effect, or had none to have.
    FAILED = "failed"  # Set aside for people, with the reason; a redrive starts it afresh.


S = MessageState

MOVES: dict[MessageState, frozenset[MessageState]] = {
    S.RECEIVED: frozenset({S.PROCESSED, S.PARKED, S.FAILED}),
    S.PARKED: frozenset({S.PROCESSED, S.FAILED}),
    S.PROCESSED: frozenset(),
    S.FAILED: frozenset({S.RECEIVED}),
}
assert set(MOVES) == set(MessageState)


class IllegalMove(Exception):  # noqa: N818 - named for the situation.
    """A message was to make a move that its table does not have: a bug of ours."""


def move(before: MessageState, after: MessageState) -> MessageState:
    """The state after a legal move. Raises `IllegalMove`."""
    if after not in MOVES[before]:
        raise IllegalMove(f"a {before} message cannot become {after}")
    return after
