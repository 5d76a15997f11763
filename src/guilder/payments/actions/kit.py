"""What the verbs of payments work with, built once in roles."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from guilder.connectors.psp.registry import Providers
from guilder.kernel.clock import Clock
from guilder.payments.actions.begin import Begun, begin_operations, begin_payments
from guilder.payments.actions.conclude import conclude_attempts
from guilder.payments.model import Conclusion, NewOperation, NewPayment, Standing
from guilder.payments.rules.concluding import PATIENCE
from guilder.plumbing.batch import Batcher
from guilder.plumbing.db import Database


@dataclass(frozen=True, slots=True)
class Kit:
    """The database, the providers, the clock, and a batcher for each beat."""

    db: Database
    providers: Providers
    clock: Clock
    patience: timedelta
    new_payments: Batcher[NewPayment, Begun]
    new_operations: Batcher[NewOperation, Begun]
    conclusions: Batcher[Conclusion, Standing]
    going: "set[asyncio.Task[Any]]" = field(default_factory=set["asyncio.Task[Any]"])

    async def drain(self) -> None:
        """Wait until everything that was begun is finished; a stopping process calls it last."""
        while self.going:
            await asyncio.wait(set(self.going))


def kit(db: Database, providers: Providers, clock: Clock, *, patience: timedelta = PATIENCE) -> Kit:
    """A kit on this database. `patience` must outlast any call to a provider."""
    return Kit(
        db=db,
        providers=providers,
        clock=clock,
        patience=patience,
        new_payments=Batcher(
            db, lambda tx, orders: begin_payments(tx, providers, orders, clock.now(), patience)
        ),
        new_operations=Batcher(
            db, lambda tx, orders: begin_operations(tx, orders, clock.now(), patience)
        ),
        conclusions=Batcher(
            db, lambda tx, conclusions: conclude_attempts(tx, conclusions, patience)
        ),
    )
