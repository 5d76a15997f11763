"""Logs: one JSON object a line, with the correlation id, and without anything that is secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(
    r"(authorization|password|secret|token|cvv|cvc|pan|card_number|api_key|cookie|signature)",
    re.IGNORECASE,
)
_KEYS = re.compile(r"\b(gk|gp|sk|rk|pk|whsec)_[A-Za-z0-9_+/=-]{8,}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@\s]+@")
_DIGITS = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
_IBAN = re.compile(r"\b([A-Z]{2})\d{2}(?:[ ]?[A-Z0-9]){11,30}\b")


def redact(text: str) -> str:
    """The text without card numbers, keys, tokens, passwords in URLs and IBANs.

    A run of 13-19 digits is a card number only if its Luhn check digit is right (ISO/IEC 7812),
    an IBAN only if its check digits are (ISO 13616), so ordinary numbers stay readable.
    """
    text = _KEYS.sub(lambda match: f"{match[1]}_{HIDDEN}", text)
    text = _BEARER.sub(lambda match: f"{match[1]} {HIDDEN}", text)
    text = _URL_PASSWORD.sub(lambda match: f"{match[1]}{HIDDEN}@", text)
    text = _DIGITS.sub(_hide_card, text)
    return _IBAN.sub(_hide_iban, text)


def set_up(*, level: str = "info", to: TextIO | None = None) -> None:
    """Send all logs, ours and the libraries', as JSON lines to one stream (stderr)."""
    stream = to or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "procrastinate", "aiohttp.access"):
        logging.getLogger(noisy).setLevel("WARNING")


def logger(name: str) -> Any:
    """A logger; call it with an event in words and facts as keywords."""
    return structlog.stdlib.get_logger(name)


def _redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: object) -> object:
    if name.startswith("_") or name in {"level", "logger", "timestamp"}:
        return value
    if _SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, MutableMapping):
        known: dict[str, object] = {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return {key: _clean(key, item) for key, item in known.items()}
    if isinstance(value, list | tuple):
        items: list[object] = [*value]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return [_clean("", item) for item in items]
    if isinstance(value, int | float | bool) or value is None:
        return redact(str(value)) if isinstance(value, int) and abs(value) >= 10**12 else value
    return redact(str(value))


def _hide_card(match: re.Match[str]) -> str:
    digits = [int(letter) for letter in match[0] if letter.isdigit()]
    doubled = [
        digit if position % 2 == 0 else (digit * 2 - 9 if digit > 4 else digit * 2)
        for position, digit in enumerate(reversed(digits))
    ]
    return "[card]" if sum(doubled) % 10 == 0 else match[0]


def _hide_iban(match: re.Match[str]) -> str:
    compact = match[0].replace(" ", "")
    moved = compact[4:] + compact[:4]
    number = int("".join(str(int(letter, 36)) for letter in moved))
    return f"{match[1]}****{compact[-4:]}" if number % 97 == 1 else match[0]
