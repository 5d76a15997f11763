"""The control API: faults, webhook weather, clock. It is nobody's dialect and speaks JSON."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from guilder_sandbox.clock import Clock, parse_instant, real_micros, rfc3339
from guilder_sandbox.faults import Faults, Rule, trouble_with
from guilder_sandbox.mischief import Healing
from guilder_sandbox.store import Store
from guilder_sandbox.trouble import Trouble
from guilder_sandbox.webhooks import Sender, Weather
from guilder_sandbox.wire import Answer, Request, json_answer


class Wrong(Trouble):
    """What was asked for makes no sense; the message says why."""


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`now` is the instant to show, in RFC 3339 with a zone; null is the real time."""

    now: str | None


class Control:
    """Everything a test or a demo may change about the outside world."""

    def __init__(
        self, store: Store, *, clock: Clock, faults: Faults, healing: Healing, sender: Sender
    ) -> None:
        self._store = store
        self._clock = clock
        self._faults = faults
        self._healing = healing
        self._sender = sender
        self._routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "health"): self._health,
            ("POST", "faults"): self._add_fault,
            ("GET", "faults"): self._show_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "webhooks"): self._set_weather,
            ("GET", "webhooks"): self._show_weather,
            ("POST", "clock"): self._move_clock,
            ("GET", "clock"): self._show_clock,
            ("POST", "heal"): self._heal,
        }

    async def answer(self, request: Request) -> Answer:
        """Answer after what was changed is committed."""
        try:
            answer = self._route(request)
        except (Wrong, msgspec.DecodeError, msgspec.ValidationError) as wrong:
            return json_answer({"error": str(wrong)}, status=400)
        await self._store.settled()
        return answer

    def _route(self, request: Request) -> Answer:
        path = request.path.removeprefix("/control").strip("/")
        found = self._routes.get((request.method, path))
        return self._one_fault(request.method, path) if found is None else found(request)

    def _one_fault(self, method: str, path: str) -> Answer:
        folder, _, number = path.partition("/")
        named = method == "DELETE" and folder == "faults" and number.isascii() and number.isdigit()
        if named and self._faults.drop(int(number)):
            return json_answer({"cleared": 1})
        return json_answer({"error": f"there is no {method} /control/{path}"}, status=404)

    def _health(self, _: Request) -> Answer:
        return json_answer(
            {
                "status": "ok",
                "now": rfc3339(self._clock.micros()),
                "faults": len(self._faults.rules),
                "held": self._healing.held,
                "webhooks_pending": self._sender.pending(),
            }
        )

    def _show_faults(self, _: Request) -> Answer:
        return json_answer({"faults": self._faults.rules})

    def _clear_faults(self, _: Request) -> Answer:
        return json_answer({"cleared": self._faults.clear()})

    def _add_fault(self, request: Request) -> Answer:
        rule = msgspec.json.decode(request.body, type=Rule)
        trouble = trouble_with(rule)
        if trouble is not None:
            raise Wrong(trouble)
        return json_answer(self._faults.add(rule), status=201)

    def _set_weather(self, request: Request) -> Answer:
        weather = msgspec.json.decode(request.body, type=Weather)
        shares = (weather.duplicate_percent, weather.reorder_percent, weather.drop_percent)
        if not all(0 <= share <= 100 for share in shares) or weather.delay_ms < 0:
            raise Wrong("per cents are from 0 to 100, and delay_ms is zero or more")
        self._sender.set_weather(weather)
        return self._show_weather(request)

    def _show_weather(self, _: Request) -> Answer:
        weather = msgspec.to_builtins(self._sender.weather)
        return json_answer({"weather": weather, "deliveries": self._sender.counts()})

    def _move_clock(self, request: Request) -> Answer:
        order = msgspec.json.decode(request.body, type=ClockOrder)
        instant = None if order.now is None else parse_instant(order.now)
        if order.now is not None and instant is None:
            raise Wrong("now is an RFC 3339 instant with its zone, or null")
        self._set_clock(instant)
        return self._show_clock(request)

    def _set_clock(self, instant: datetime | None) -> None:
        self._clock.move(instant)
        self._store.save_setting("clock_ahead_us", str(self._clock.ahead_us))

    def _show_clock(self, _: Request) -> Answer:
        real = real_micros()
        return json_answer({"now": rfc3339(real + self._clock.ahead_us), "real_now": rfc3339(real)})

    def _heal(self, _: Request) -> Answer:
        """No more faults: rules gone, fair weather, real time, held callers released."""
        cleared = self._faults.clear()
        self._sender.set_weather(Weather())
        self._sender.hurry()
        self._set_clock(None)
        self._healing.heal()
        return json_answer({"status": "healed", "faults_cleared": cleared})
