"""Our minor units and Stripe's: the same for most currencies; these are the others."""

# Source: https://docs.stripe.com/currencies, zero-decimal currencies and special cases.

from guilder.kernel.money import AMOUNT_MAX, Currency, Money, UnknownCurrency

EXPONENTS = {
    "ISK": 2,  # Without decimals in ISO 4217, yet written there as if it had two.
    "MGA": 0,  # Two decimals in ISO 4217, none there.
    "UGX": 2,  # As ISK.
}

LAST_DIGIT_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Three decimals, of which the networks carry two: the last digit must be 0."""


def to_theirs(amount: Money) -> int | None:
    """Our amount in their units; `None` when they cannot say it exactly."""
    code, exponent = amount.currency.code, amount.currency.exponent
    if code in LAST_DIGIT_ZERO and amount.amount_minor % 10:
        return None
    return _rescaled(amount.amount_minor, exponent, EXPONENTS.get(code, exponent))


def from_theirs(amount: int | None, currency: str | None) -> Money | None:
    """Their amount and lower-case code in our units; `None` when it is not an amount of money."""
    if amount is None or currency is None or not 0 < amount <= AMOUNT_MAX:
        return None
    if not currency.isascii() or currency != currency.lower():
        return None
    try:
        ours = Currency.of(currency.upper())
    except UnknownCurrency:
        return None
    minor = _rescaled(amount, EXPONENTS.get(ours.code, ours.exponent), ours.exponent)
    return None if minor is None else Money(minor, ours)


def _rescaled(amount: int, before: int, after: int) -> int | None:
    if after >= before:
        return amount * 10 ** (after - before)
    whole, rest = divmod(amount, 10 ** (before - after))
    return None if rest else whole
