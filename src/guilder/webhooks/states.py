"""The lives of an endpoint and of a delivery."""

from enum import StrEnum


class EndpointState(StrEnum):
    """Whether a merchant's endpoint is sent anything."""

    ENABLED = "enabled"  # Events of its topics become deliveries to it.
    DISABLED = "disabled"  # It said 410 Gone; nothing is queued for it until it is enabled again.
    DELETED = "deleted"  # Its merchant took it away; its secret is gone, its deliveries remain.


class DeliveryState(StrEnum):
    """What became of one message for one endpoint."""

    PENDING = "pending"  # Due now or later, or being sent at this moment.
    DELIVERED = "delivered"  # The receiver said 2xx.
    FAILED = "failed"  # All tries are used up, or the endpoint is gone; it can be sent again.


E, D = EndpointState, DeliveryState

ENDPOINT_MOVES: dict[EndpointState, frozenset[EndpointState]] = {
    E.ENABLED: frozenset({E.DISABLED, E.DELETED}),
    E.DISABLED: frozenset({E.ENABLED, E.DELETED}),
    E.DELETED: frozenset(),
}
assert set(ENDPOINT_MOVES) == set(EndpointState), "every state has its moves"

DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    D.PENDING: frozenset({D.DELIVERED, D.FAILED}),
    D.DELIVERED: frozenset({D.PENDING}),
    D.FAILED: frozenset({D.PENDING}),
}
assert set(DELIVERY_MOVES) == set(DeliveryState), "every state has its moves"


class IllegalMove(Exception):  # noqa: N818 - named for the situation.
    """A move that the table does not have: only a bug can ask for one."""


def move_endpoint(before: EndpointState, after: EndpointState) -> EndpointState:
    """The state after, if the table allows it. Raises `IllegalMove`."""
    if after not in ENDPOINT_MOVES[before]:
        raise IllegalMove(f"an endpoint that is {before} cannot become {after}")
    return after


def move_delivery(before: DeliveryState, after: DeliveryState) -> DeliveryState:
    """The state after, if the table allows it. Raises `IllegalMove`."""
    if after not in DELIVERY_MOVES[before]:
        raise IllegalMove(f"a {before} delivery cannot become {after}")
    return after
