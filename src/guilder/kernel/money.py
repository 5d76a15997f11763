"""Money: an integer count of a currency's smallest unit, never a float."""

from dataclasses import dataclass
from typing import Self

from iso4217 import Currency as IsoCurrency

from guilder.kernel.errors import Kind, Refusal

AMOUNT_MAX = 10**15
"""The largest amount accepted, in minor units: far below what 64 bits hold, so sums cannot wrap."""


class UnknownCurrency(Refusal):
    """The currency is not an ISO 4217 code of a currency in use."""

    code = "unknown_currency"
    kind = Kind.UNPROCESSABLE


class CurrencyMismatch(ValueError):  # noqa: N818 - named for the situation.
    """Two amounts of different currencies met; only a bug can bring them together."""


class Currency:
    """An ISO 4217 currency: its upper-case code and how many decimals its minor unit has."""

    __slots__ = ("code", "exponent")

    def __init__(self, code: str, exponent: int) -> None:
        self.code = code
        self.exponent = exponent

    @staticmethod
    def of(code: str) -> "Currency":
        """The currency with this code, three upper-case letters. Raises `UnknownCurrency`."""
        known = _CURRENCIES.get(code)
        if known is None:
            raise UnknownCurrency(
                f"{code!r} is not an ISO 4217 currency; use an upper-case code such as EUR",
                param="currency",
            )
        return known

    def __str__(self) -> str:
        return self.code

    def __repr__(self) -> str:
        return f"Currency({self.code})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Currency) and self.code == other.code

    def __hash__(self) -> int:
        return hash(self.code)


_REAL_X = frozenset({"XAF", "XCD", "XCG", "XOF", "XPF"})


def _in_use() -> dict[str, Currency]:
    """Funds codes and metals have no minor unit in ISO 4217, and nobody pays with them."""
    return {
        iso.code: Currency(iso.code, iso.exponent)
        for iso in IsoCurrency
        if iso.exponent is not None and (not iso.code.startswith("X") or iso.code in _REAL_X)
    }


_CURRENCIES = _in_use()


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency; it may be negative only in sums and differences."""

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"an amount is an int of minor units, not {self.amount_minor!r}")

    @classmethod
    def of(cls, amount_minor: int, code: str) -> Self:
        """An amount in minor units of the currency with this ISO 4217 code."""
        return cls(amount_minor, Currency.of(code))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other).amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other).amount_minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same(other).amount_minor

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same(other).amount_minor

    def __gt__(self, other: "Money") -> bool:
        return other < self

    def __ge__(self, other: "Money") -> bool:
        return other <= self

    def __str__(self) -> str:
        return f"{self.currency.code} {self.decimal()}"

    def decimal(self) -> str:
        """The amount in major units as text, e.g. 10.50; made from digits, not by division."""
        sign = "-" if self.amount_minor < 0 else ""
        digits = str(abs(self.amount_minor)).rjust(self.currency.exponent + 1, "0")
        if self.currency.exponent == 0:
            return sign + digits
        return f"{sign}{digits[: -self.currency.exponent]}.{digits[-self.currency.exponent :]}"

    def split(self, weights: list[int]) -> list["Money"]:
        """Share this amount by weight; the parts always add up to the whole.

        Units that do not divide go, one each, to the earliest shares with a weight.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        parts = [self.amount_minor * weight // total for weight in weights]
        left = self.amount_minor - sum(parts)
        earliest = [position for position, weight in enumerate(weights) if weight]
        for position in earliest[:left]:
            parts[position] += 1
        return [Money(part, self.currency) for part in parts]

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up")
        return other
