"""Play a fault on one connection: wait, lie, break off, or kill."""

import asyncio
import contextlib
import os
import signal

import msgspec

from guilder_sandbox.faults import Rule
from guilder_sandbox.wire import Answer, HungUp, Line

HOLD_MS_MAX = 120_000  # A silent connection ends at last, so that nothing is held for ever.
LAST_BYTES_SECONDS = 0.02  # Time for an answer to leave this process before its caller dies.

HTML = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502</body>\r\n</html>\r\n"
GARBAGE = b'\x00\xff\xfe{"id": "pi_\xc3\x28\', status: succ'
ERROR_BODIES = {
    429: {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Slower."}},
    500: {"error": {"type": "api_error", "message": "An error on the provider's side."}},
    503: {"error": {"type": "api_error", "message": "The provider is overloaded."}},
}


REPLACEMENTS = {
    "status_429": Answer(429, msgspec.json.encode(ERROR_BODIES[429])),
    "status_500": Answer(500, msgspec.json.encode(ERROR_BODIES[500])),
    "status_503": Answer(503, msgspec.json.encode(ERROR_BODIES[503])),
    "status_502_html": Answer(502, HTML, content_type=b"text/html"),
    "garbage": Answer(200, GARBAGE),
}


class Healing:
    """Everyone who waits for a fault to pass waits here; healing wakes them all."""

    def __init__(self) -> None:
        self._healed = asyncio.Event()
        self.held = 0

    def heal(self) -> None:
        self._healed.set()
        self._healed = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait for the time to pass, or for healing."""
        try:
            await asyncio.wait_for(self._healed.wait(), seconds)
        except TimeoutError:
            return

    async def hold(self, line: Line, seconds: float) -> None:
        """Hold a connection in silence until it heals, the caller leaves, or the time is up."""
        self.held += 1
        waits = [asyncio.create_task(self._healed.wait()), asyncio.create_task(line.gone())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.held -= 1
            for wait in waits:
                wait.cancel()


async def play(rule: Rule, line: Line, healing: Healing, answer: Answer | None) -> Answer | None:
    """Play `rule`: return what to send instead, or None to go on; raise HungUp when it is over.

    `answer` is the true answer once there is one, and None before the booking.
    """
    if rule.fault in REPLACEMENTS:
        return REPLACEMENTS[rule.fault]
    match rule.fault:
        case "answer_late":
            await healing.pause(rule.delay_ms / 1000)
        case "never_answer":
            longest_ms = min(rule.delay_ms or HOLD_MS_MAX, HOLD_MS_MAX)
            await healing.hold(line, longest_ms / 1000)
            await line.cut()
        case "reset":
            await line.reset()
        case "close":
            await line.cut()
        case "kill_caller":
            await _kill(rule, line)
        case "truncated":
            await line.write_raw(_half_of(answer))
        case "lie":
            return _lie(rule, answer)
        case _:
            return None  # What is left was done with the booking itself.
    return None


def error_answer(status: int) -> Answer:
    return Answer(status, msgspec.json.encode(ERROR_BODIES[status]))


async def _kill(rule: Rule, line: Line) -> None:
    """Kill the caller. Before the booking and after it, nothing is answered any more."""
    if rule.when == "after_answer":
        await asyncio.sleep(LAST_BYTES_SECONDS)
    if rule.pid is not None and rule.pid != os.getpid():
        with contextlib.suppress(ProcessLookupError):  # Dead already is all we wanted.
            os.kill(rule.pid, signal.SIGKILL)
    if rule.when != "after_answer":
        await line.cut()
    raise HungUp


def _half_of(answer: Answer | None) -> bytes:
    body = b"{" if answer is None else answer.body
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return start % (len(body) + 1) + body[: len(body) // 2 + 1]


def _lie(rule: Rule, answer: Answer | None) -> Answer | None:
    if answer is None or rule.say is None:
        return None
    told = msgspec.json.decode(answer.body, type=dict[str, object])
    told.update(rule.say)
    return Answer(answer.status, msgspec.json.encode(told), answer.headers)
