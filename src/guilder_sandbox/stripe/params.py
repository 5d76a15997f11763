"""Read a request's parameters as Stripe does: typed, and nothing unknown is let through."""

from collections.abc import Iterable

from guilder_sandbox.stripe.currencies import CURRENCIES, amount_max, step
from guilder_sandbox.stripe.form import Form, Value
from guilder_sandbox.stripe.refusals import Refused, invalid

METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_VALUE_CHARS_MAX = 500
DIGITS_MAX = 18


def allow_only(form: Form, names: frozenset[str]) -> None:
    for name in form:
        if name not in names:
            raise invalid(
                f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
            )


def text(form: Form, name: str) -> str | None:
    """The text, or None when it is absent or empty."""
    value = form.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {name}", param=name)
    return value


def required_text(form: Form, name: str) -> str:
    value = text(form, name)
    if value is None:
        raise parameter_missing(name)
    return value


def integer(form: Form, name: str) -> int | None:
    """A whole number in plain ASCII digits, or None when it is absent."""
    value = text(form, name)
    if value is None:
        return None
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    return int(value)


def boolean(form: Form, name: str) -> bool:
    value = text(form, name)
    if value is None or value == "false":
        return False
    if value != "true":
        raise invalid(f"Invalid boolean: {value}", param=name)
    return True


def choice(form: Form, name: str, options: Iterable[str]) -> str | None:
    value = text(form, name)
    if value is not None and value not in options:
        raise invalid(f"Invalid {name}: must be one of {', '.join(options)}", param=name)
    return value


def texts(form: Form, name: str) -> list[str]:
    """A list, written with empty brackets or with numbers in them."""
    value = form.get(name)
    if value is None or value == "":
        return []
    items: list[Value] = []
    if isinstance(value, list):
        items.extend(value)
    elif isinstance(value, dict) and all(key.isdecimal() for key in value):
        items.extend(value[key] for key in sorted(value, key=int))
    else:
        raise invalid(f"Invalid array: {name}", param=name)
    if not all(isinstance(item, str) for item in items):
        raise invalid(f"Invalid array: {name}", param=name)
    return [item for item in items if isinstance(item, str)]


def nested(form: Form, name: str) -> Form:
    value = form.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid object: {name}", param=name)
    return value


def metadata(form: Form) -> dict[str, str]:
    """Metadata as sent; an empty value means that the key shall go."""
    given = form.get("metadata")
    if given is None or given == "":
        return {}
    if not isinstance(given, dict):
        raise invalid("Invalid object: metadata", param="metadata")
    read: dict[str, str] = {}
    for key, value in given.items():
        if not isinstance(value, str) or len(value) > METADATA_VALUE_CHARS_MAX:
            raise invalid(
                f"Metadata values are texts of up to {METADATA_VALUE_CHARS_MAX} characters",
                param=f"metadata[{key}]",
            )
        if not 0 < len(key) <= METADATA_KEY_CHARS_MAX:
            raise invalid(
                f"Metadata keys have up to {METADATA_KEY_CHARS_MAX} characters",
                param=f"metadata[{key}]",
            )
        read[key] = value
    if len(read) > METADATA_KEYS_MAX:
        raise invalid(f"There are up to {METADATA_KEYS_MAX} metadata keys", param="metadata")
    return read


def merge(kept: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
    """Sent keys replace kept ones; a key sent empty is removed."""
    merged = {**kept, **sent}
    return {key: value for key, value in merged.items() if value != ""}


def currency(form: Form) -> str:
    value = required_text(form, "currency").lower()
    if value not in CURRENCIES:
        raise invalid(f"Invalid currency: {value}", param="currency")
    return value


def amount(form: Form, name: str, *, of_currency: str) -> int | None:
    """An amount in Stripe's units of the currency: a positive whole number in the right steps."""
    value = integer(form, name)
    if value is None:
        return None
    if value < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            param=name,
            code="parameter_invalid_integer",
        )
    if value > amount_max(of_currency):
        raise invalid(
            f"The amount is above {amount_max(of_currency)}.", param=name, code="amount_too_large"
        )
    if value % step(of_currency):
        raise invalid(
            f"Amounts in {of_currency} are multiples of {step(of_currency)}.",
            param=name,
            code="invalid_charge_amount",
        )
    return value


def parameter_missing(name: str) -> Refused:
    return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
