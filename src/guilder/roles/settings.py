"""The settings of an installation, read once from the environment; unknown names stop the start."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guilder.kernel.secret import Secret

PREFIX = "GUILDER_"


class SettingsTrouble(Exception):  # noqa: N818 - named for the situation.
    """A setting is unknown, or its value cannot be used; the sentence names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name without the prefix, how it is read, and what it means."""

    name: str
    field: str
    read: Callable[[str], Any]
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can say about an installation."""

    home: Path
    database_url: Secret | None
    database_connections: int
    postgres_bin: Path | None
    host: str
    port: int
    sandbox_port: int
    stripe_test_key: Secret | None
    stripe_test_url: str
    stripe_test_webhook_secrets: tuple[Secret, ...]
    stripe_live_key: Secret | None
    stripe_live_webhook_secrets: tuple[Secret, ...]
    patience_seconds: int
    allow_private_receivers: bool
    log_level: str


def default_home(environment: Mapping[str, str]) -> Path:
    """The XDG data folder of the user (freedesktop.org base directories), or the system's for root.

    Root's own home is closed to the unprivileged account that the database server runs as.
    """
    if environment.get("XDG_DATA_HOME"):
        return Path(environment["XDG_DATA_HOME"]) / "guilder"
    if os.geteuid() == 0:
        return Path("/var/lib/guilder/home")
    return Path(environment.get("HOME", "~")).expanduser() / ".local" / "share" / "guilder"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read `GUILDER_*` variables. Raises `SettingsTrouble` on an unknown name or a bad value."""
    given = os.environ if environment is None else environment  # noqa: TID251 - this is the place.
    known = {PREFIX + setting.name: setting for setting in SETTINGS}
    for name in given:
        if name.startswith(PREFIX) and name not in known:
            raise SettingsTrouble(f"{name} is not a setting; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for name, setting in known.items():
        text = given.get(name, "")
        if text == "":
            values[setting.field] = setting.default
            continue
        try:
            values[setting.field] = setting.read(text)
        except ValueError as cause:
            raise SettingsTrouble(f"{name}: {cause}") from cause
    if values["home"] is None:
        values["home"] = default_home(given)
    return Settings(**values)


def _port(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= 65535:
        raise ValueError("a port is a number from 0 (any free one) to 65535")
    return number


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError("the number must be at least 1")
    return number


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"yes", "no"}:
        raise ValueError("say yes or no")
    return text.lower() == "yes"


def _secrets(text: str) -> tuple[Secret, ...]:
    return tuple(Secret(part.strip()) for part in text.split(",") if part.strip())


def _level(text: str) -> str:
    if text not in {"debug", "info", "warning", "error"}:
        raise ValueError("the level is debug, info, warning or error")
    return text


def _url(text: str) -> str:
    if not text.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise ValueError("the address begins with https://, or is on this machine")
    return text.rstrip("/")


def _database(text: str) -> Secret:
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("the address begins with postgresql://")
    return Secret(text)


SETTINGS: tuple[Setting, ...] = (
    Setting("HOME", "home", Path, None, "The folder that holds everything; default: the XDG data "
            "folder, for root /var/lib/guilder/home."),
    Setting("DATABASE_URL", "database_url", _database, None, "PostgreSQL 15-18 to use instead of "
            "the embedded one, as postgresql://user:password@host/database."),
    Setting("DATABASE_CONNECTIONS", "database_connections", _positive, 8,
            "Connections of each process; more than eight make it slower on two cores."),
    Setting("PGBIN", "postgres_bin", Path, None, "A bin folder of PostgreSQL 15-18 for the "
            "embedded server, instead of the wheel's."),
    Setting("HOST", "host", str, "127.0.0.1", "The address the API listens on."),
    Setting("PORT", "port", _port, 8080, "The API's port; another is chosen when it is taken."),
    Setting("SANDBOX_PORT", "sandbox_port", _port, 8081,
            "The sandbox's port; another is chosen when it is taken."),
    Setting("STRIPE_TEST_KEY", "stripe_test_key", Secret, None,
            "Stripe's test key (sk_test_…); without one, test mode goes to the sandbox."),
    Setting("STRIPE_TEST_URL", "stripe_test_url", _url, "https://api.stripe.com",
            "Where Stripe's API is for test mode; the sandbox's address, for one."),
    Setting("STRIPE_TEST_WEBHOOK_SECRETS", "stripe_test_webhook_secrets", _secrets, (),
            "Signing secrets of Stripe's test webhooks, comma-separated; several while rotating."),
    Setting("STRIPE_LIVE_KEY", "stripe_live_key", Secret, None, "Stripe's live key (sk_live_…)."),
    Setting("STRIPE_LIVE_WEBHOOK_SECRETS", "stripe_live_webhook_secrets", _secrets, (),
            "Signing secrets of Stripe's live webhooks, comma-separated."),
    Setting("PATIENCE_SECONDS", "patience_seconds", _positive, 30,
            "How long an attempt may stay unseen by its provider before it is given up."),
    Setting("ALLOW_PRIVATE_RECEIVERS", "allow_private_receivers", _yes_or_no, False,
            "Whether webhooks may go to private and loopback addresses; solo says yes."),
    Setting("LOG_LEVEL", "log_level", _level, "info", "debug, info, warning or error."),
)  # fmt: skip
