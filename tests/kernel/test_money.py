"""Money: whole minor units, exact shares, one currency at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.kernel.money import Currency, CurrencyMismatch, Money, UnknownCurrency

EUR, JPY, KWD, CLF = (Currency.of(code) for code in ("EUR", "JPY", "KWD", "CLF"))


@pytest.mark.proves("S07")
@given(
    amount=st.integers(-(10**15), 10**15),
    weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any),
)
def test_the_parts_of_a_split_always_add_up_to_the_whole(amount: int, weights: list[int]) -> None:
    parts = Money(amount, EUR).split(weights)

    assert sum(part.amount_minor for part in parts) == amount
    assert len(parts) == len(weights)
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount_minor * total - amount * weight) < total
        assert weight or part.amount_minor == 0


@pytest.mark.proves("S07")
def test_the_leftover_cents_go_to_the_earliest_shares() -> None:
    assert [part.amount_minor for part in Money(1, EUR).split([1, 1, 1])] == [1, 0, 0]
    assert [part.amount_minor for part in Money(100, EUR).split([1, 1, 1])] == [34, 33, 33]
    assert [part.amount_minor for part in Money(2, EUR).split([0, 1, 1, 1])] == [0, 1, 1, 0]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2]])
def test_a_split_without_shares_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - min() of nothing, or our own sentence.
        Money(1, EUR).split(weights)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1050, EUR), "EUR 10.50"),
        (Money(-5, EUR), "EUR -0.05"),
        (Money(1050, JPY), "JPY 1050"),
        (Money(1050, KWD), "KWD 1.050"),
        (Money(1, CLF), "CLF 0.0001"),
        (Money(0, EUR), "EUR 0.00"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency(money: Money, text: str) -> None:
    assert str(money) == text


def test_two_currencies_never_meet() -> None:
    for act in (
        lambda: Money(1, EUR) + Money(1, JPY),
        lambda: Money(1, EUR) - Money(1, JPY),
        lambda: Money(1, EUR) < Money(1, JPY),
        lambda: Money(1, EUR) >= Money(1, JPY),
    ):
        with pytest.raises(CurrencyMismatch):
            act()
    assert Money(1, EUR) != Money(1, JPY)


@pytest.mark.parametrize("code", ["eur", "EUR ", "XXX", "XAU", "EURO", "", "€", "ＥＵＲ"])
def test_only_currencies_in_use_are_known(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        Currency.of(code)


@pytest.mark.parametrize("amount", [1.0, "1", True, None])
def test_an_amount_is_an_int_and_nothing_like_it(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, EUR)  # pyright: ignore[reportArgumentType]


def test_exponents_are_iso_4217s_own() -> None:
    told = {code: Currency.of(code).exponent for code in ("JPY", "EUR", "IQD", "ISK", "CLF", "UYW")}
    assert told == {"JPY": 0, "EUR": 2, "IQD": 3, "ISK": 0, "CLF": 4, "UYW": 4}
