"""The model of a payment: it believes what can be, and nothing else."""

import pytest

from tests.simulation.model import Deed, Possible, Standing, Told

SALE = Standing(10_00, by_hand=False, is_good_card=True)
HELD = Standing(10_00, by_hand=True, is_good_card=True)


def test_a_silent_capture_may_end_either_way_and_then_has_ended() -> None:
    payment = Possible(HELD)
    payment.hear(Deed("pay", 10_00), Told(201, "authorized"))
    payment.hear(Deed("capture", 4_00), Told(202, "authorized"))
    payment.hear(Deed("void"), Told(409, "operation_in_progress"))
    payment.see("partially_captured", 4_00, 0)
    payment.hear(Deed("refund", 4_00), Told(201, "succeeded"))
    payment.see("refunded", 4_00, 4_00)


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        pytest.param(Deed("refund", 10_01), Told(201, "succeeded"), id="a refund beyond"),
        pytest.param(Deed("capture", 1), Told(200, "captured"), id="a second capture"),
        pytest.param(Deed("void"), Told(200, "reversed"), id="a void of what was captured"),
        pytest.param(Deed("refund", 1), Told(500, "internal_fault"), id="a fault"),
    ],
)
def test_an_answer_that_cannot_be_is_not_believed(deed: Deed, told: Told) -> None:
    payment = Possible(SALE)
    payment.hear(Deed("pay", 10_00), Told(201, "captured"))
    with pytest.raises(AssertionError, match="no payment can come to this"):
        payment.hear(deed, told)


@pytest.mark.parametrize("seen", [("captured", 9_99, 0), ("authorized", 0, 0), ("refunded", 0, 0)])
def test_a_standing_that_cannot_be_is_not_believed(seen: tuple[str, int, int]) -> None:
    payment = Possible(SALE)
    payment.hear(Deed("pay", 10_00), Told(201, "captured"))
    with pytest.raises(AssertionError, match="no payment can come to this"):
        payment.see(*seen)
