"""The API: desks over HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn
from litestar import Litestar

from guilder.access import public as access
from guilder.access.http import AccessDesk, authenticator
from guilder.edge.app import build_app
from guilder.edge.health import HealthDesk
from guilder.intake.http import IntakeDesk
from guilder.ledger.http import LedgerDesk
from guilder.merchants import events as merchants
from guilder.merchants.http import MerchantsDesk
from guilder.payments import events as payments
from guilder.payments.http import PaymentsDesk
from guilder.roles.parts import Parts
from guilder.trail.http import TrailDesk
from guilder.webhooks import events as webhooks
from guilder.webhooks.http import WebhooksDesk

GRACE_SECONDS = 15  # Longer than a caller is kept waiting, so that requests under way finish.


def build_api(parts: Parts) -> Litestar:
    """The API of this installation."""
    return build_app(
        [
            PaymentsDesk(parts.payments),
            TrailDesk(parts.db),
            MerchantsDesk(parts.db),
            AccessDesk(parts.db),
            LedgerDesk(parts.db),
            WebhooksDesk(parts.db, allow_private_receivers=parts.settings.allow_private_receivers),
            IntakeDesk(parts.db, parts.providers),
            HealthDesk({"database": parts.db.is_there}),
        ],
        authenticate=authenticator(access.KeyRing(parts.db)),
        events=_events(),
        clock=parts.clock,
    )


def _events() -> dict[str, type]:
    """Every event a context announces, by topic."""
    told = (merchants, payments, webhooks)
    kinds: list[Any] = [kind for module in told for kind in vars(module).values()]
    return {kind.topic: kind for kind in kinds if hasattr(kind, "topic")}


async def run_api(parts: Parts, listener: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until asked to stop; requests under way are answered first."""
    server = _Server(
        uvicorn.Config(
            build_api(parts),
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=2048,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stop.cancel()
    await serving


def listen(host: str, port: int) -> socket.socket:
    """A bound socket at this port, or at any free one when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.bind((host, 0))
    listener.settimeout(0)
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a bound socket is reached, as an address without a path."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """Signals are the role's business, not the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
