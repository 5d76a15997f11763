"""Things that happen by themselves a little later: slow payments end, slow refunds arrive."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from guilder_sandbox.clock import real_millis
from guilder_sandbox.store import Store

SCHEMA = """
create table if not exists stripe_later (
  seq integer primary key, due_ms integer not null, verb text not null, subject integer not null
) strict;
create index if not exists stripe_later_due on stripe_later (due_ms);
"""
AT_ONCE = 500
IDLE_SECONDS = 60

Verb: TypeAlias = Callable[[int], None]


class Later:
    """An agenda in the store, so that a restart forgets nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(SCHEMA)
        self._verbs: dict[str, Verb] = {}
        self._nudge = asyncio.Event()

    def learn(self, name: str, verb: Verb) -> None:
        self._verbs[name] = verb

    def schedule(self, verb: str, subject: int, *, after_ms: int) -> None:
        """Call `verb` with `subject`, a row number, when the time has passed."""
        seq = self._store.next_seq("stripe_later")
        self._store.put(
            "insert into stripe_later (seq, due_ms, verb, subject) values (?, ?, ?, ?)",
            (seq, real_millis() + after_ms, verb, subject),
        )
        self._nudge.set()

    async def run(self) -> None:
        while True:
            self._nudge.clear()
            self._act()
            await self._wait()

    def _act(self) -> None:
        """What is due, in one commit with its removal from the agenda."""
        rows = self._store.all(
            "select seq, verb, subject from stripe_later where due_ms <= ? order by due_ms limit ?",
            (real_millis(), AT_ONCE),
        )
        for seq, verb, subject in rows:
            assert isinstance(subject, int), "the column is an integer"
            self._store.put("delete from stripe_later where seq = ?", (seq,))
            self._verbs[str(verb)](subject)
        if len(rows) == AT_ONCE:
            self._nudge.set()

    async def _wait(self) -> None:
        row = self._store.find("select min(due_ms) from stripe_later")
        due = row[0] if row is not None and isinstance(row[0], int) else None
        seconds = IDLE_SECONDS if due is None else max(0, due - real_millis()) / 1000 + 0.001
        try:
            await asyncio.wait_for(self._nudge.wait(), min(seconds, IDLE_SECONDS))
        except TimeoutError:
            return
