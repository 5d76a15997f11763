"""Where a demo keeps its journal and its outside world: each database has a place of its own."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from guilder.roles.settings import Settings


class _Kept(msgspec.Struct):
    platform_key: str


def place_of(settings: Settings) -> Path:
    """The home of the embedded database, or for another server's a folder below it.

    The provider's book lives there too, and one book cannot be compared with two databases.
    """
    if settings.database_url is None:
        return settings.home
    parts = urlsplit(settings.database_url.reveal())
    name = f"{parts.hostname}:{parts.port or 5432}{parts.path}?{parts.query}"
    return settings.home / "databases" / hashlib.sha256(name.encode()).hexdigest()[:12]


def kept_key(home: Path) -> str | None:
    """The platform key that this home's database has known so far."""
    file = home / "keys.json"
    return (
        msgspec.json.decode(file.read_bytes(), type=_Kept).platform_key if file.exists() else None
    )


def set_aside(home: Path) -> Path:
    """Move the place of a database that is gone out of the way; returns where it is now."""
    number = 1
    while (former := home.with_name(f"{home.name}-former-{number}")).exists():
        number += 1
    return home.rename(former)
