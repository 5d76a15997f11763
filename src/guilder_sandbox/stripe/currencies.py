"""What amounts mean at Stripe, currency by currency, and what they are in ISO 4217 minor units."""

# Source: Stripe's page on supported currencies. Most amounts are ISO minor units; three currencies
# are not, and those with three decimals must end in a zero.

from guilder_sandbox.stripe.form import words

THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})  # No decimals, yet written as if there were two.
WHOLE_UNITS = frozenset({"mga"})  # No decimals at Stripe, two in ISO 4217.

CURRENCIES = words(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bif bmd bnd bob brl bsd bwp byn"
    " bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd"
    " gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr"
    " lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen"
    " pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs"
    " top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw"
    " bhd jod kwd omr tnd"
)
assert CURRENCIES >= THREE_DECIMALS | WHOLE_HUNDREDS | WHOLE_UNITS

NO_DECIMALS_ISO = words("bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf")

AMOUNT_MAX = 99_999_999
AMOUNT_MAX_IDR = 999_999_999_999


def amount_max(currency: str) -> int:
    return AMOUNT_MAX_IDR if currency == "idr" else AMOUNT_MAX


def step(currency: str) -> int:
    """Amounts of this currency are multiples of the step."""
    if currency in THREE_DECIMALS:
        return 10
    return 100 if currency in WHOLE_HUNDREDS else 1


def to_iso(amount: int, currency: str) -> int:
    """An amount of Stripe's in ISO 4217 minor units."""
    if currency in WHOLE_HUNDREDS:
        return amount // 100
    return amount * 100 if currency in WHOLE_UNITS else amount


def from_iso(amount_minor: int, currency: str) -> int:
    """The opposite of `to_iso`; what it cannot show exactly is rounded towards zero."""
    if currency in WHOLE_HUNDREDS:
        return amount_minor * 100
    if currency in WHOLE_UNITS:
        sign = -1 if amount_minor < 0 else 1
        return sign * (abs(amount_minor) // 100)
    return amount_minor


def decimals_iso(currency: str) -> int:
    """The ISO 4217 exponent; `currency` in lower case."""
    if currency in NO_DECIMALS_ISO:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def in_major_units(amount_minor: int, currency: str) -> str:
    """ISO minor units as a decimal number of whole units: 1050 usd is 10.50."""
    decimals = decimals_iso(currency)
    sign = "-" if amount_minor < 0 else ""
    if decimals == 0:
        return f"{sign}{abs(amount_minor)}"
    whole, part = divmod(abs(amount_minor), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


def tariff_fee(amount_minor: int) -> int:
    """The sandbox's own tariff on a capture: 2.9 per cent, half up, and 30 minor units."""
    return (amount_minor * 29 + 500) // 1000 + 30
