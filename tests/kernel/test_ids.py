"""Ids: one class a kind, a prefix outside, UUIDv7 inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.kernel.ids import KINDS, Id, MalformedId, MerchantId, PaymentId


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_id_is_read_back_as_it_was_written(kind: type[Id]) -> None:
    made = kind.new()
    assert kind.parse(str(made)) == made
    assert made.value.version == 7


def test_every_kind_is_in_the_registry_under_its_own_prefix() -> None:
    assert {kind.prefix: kind for kind in Id.__subclasses__()} == dict(KINDS)


def test_ids_made_later_sort_later_inside_and_outside() -> None:
    made = [PaymentId.new() for _ in range(1000)]
    assert sorted(made) == made
    assert sorted(str(one) for one in made) == [str(one) for one in made]


def test_ids_of_two_kinds_are_never_equal() -> None:
    payment = PaymentId.new()
    assert payment != MerchantId(payment.value)
    with pytest.raises(MalformedId):
        PaymentId.parse(str(MerchantId(payment.value)))


@given(st.text())
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedId) as refusal:
        PaymentId.parse(text, param="payment_id")
    assert refusal.value.param == "payment_id"


@pytest.mark.parametrize(
    "token", ["8" + "0" * 25, "0" * 25, "0" * 27, "O" * 26, "i" * 26, "0" * 25 + "A"]
)
def test_a_token_has_one_spelling(token: str) -> None:
    with pytest.raises(MalformedId):
        PaymentId.parse(f"pay_{token}")
