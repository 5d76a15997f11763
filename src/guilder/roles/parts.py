"""What every process is built from, and how it is let go of."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from guilder.connectors.calling import NO_BREAKER, CallingPolicy
from guilder.connectors.psp.contract import Psp
from guilder.connectors.psp.registry import Providers
from guilder.connectors.psp.stripe.connector import SETTLING_SECONDS, Stripe
from guilder.kernel.clock import Clock
from guilder.kernel.secret import Secret
from guilder.payments import public as payments
from guilder.plumbing.db import Database
from guilder.plumbing.postgres.cluster import find_running
from guilder.plumbing.postgres.place import secret_in
from guilder.roles.settings import Settings, SettingsTrouble

DATABASE = "guilder"
"""The name of our database and of the role that owns it, in the embedded server."""

POLICY = CallingPolicy(breaker=NO_BREAKER)
"""While there is one provider for each mode; a breaker needs another one to go to."""

STRIPE = "https://api.stripe.com"


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the clock, the database, the providers, and the money path on top of them."""

    settings: Settings
    clock: Clock
    db: Database
    providers: Providers
    payments: payments.Kit

    async def close(self) -> None:
        """Finish what was begun, then let go of everything."""
        await self.payments.drain()
        await self.providers.close()
        await self.db.close()


async def open_parts(settings: Settings, url: Secret, *, name: str) -> Parts:
    """Open the database and build the connectors; `name` is how the server sees us."""
    clock = Clock()
    db = await Database.open(url, connections_max=settings.database_connections, name=name)
    providers = build_providers(settings, clock)
    patience = timedelta(seconds=settings.patience_seconds)
    return Parts(
        settings, clock, db, providers, payments.kit(db, providers, clock, patience=patience)
    )


def build_providers(settings: Settings, clock: Clock) -> Providers:
    """The connectors whose keys are set."""
    test: dict[str, Psp] = {}
    live: dict[str, Psp] = {}
    if settings.stripe_test_key is not None:
        is_stripe = settings.stripe_test_url == STRIPE
        test["stripe"] = Stripe(
            settings.stripe_test_key,
            base_url=settings.stripe_test_url,
            webhook_secrets=settings.stripe_test_webhook_secrets,
            policy=POLICY,
            clock=clock,
            settling_seconds=SETTLING_SECONDS if is_stripe else 0,
        )
    if settings.stripe_live_key is not None:
        live["stripe"] = Stripe(
            settings.stripe_live_key,
            webhook_secrets=settings.stripe_live_webhook_secrets,
            policy=POLICY,
            clock=clock,
        )
    return Providers(test, live)


def database_url(settings: Settings) -> Secret:
    """The database of this installation, which must be running.

    Raises `SettingsTrouble` when none is named and no embedded server runs in the home folder.
    """
    if settings.database_url is not None:
        return settings.database_url
    return embedded_url(settings.home)


def embedded_url(home: Path) -> Secret:
    """The URL of the embedded server that another process of ours keeps running."""
    cluster = find_running(home)
    if cluster is None:
        raise SettingsTrouble(
            f"no database: set GUILDER_DATABASE_URL, or start `guilder solo` with home {home}"
        )
    return replace(
        cluster, user=DATABASE, database=DATABASE, password=secret_in(home, DATABASE)
    ).url()
