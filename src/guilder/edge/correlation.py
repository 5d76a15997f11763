"""Correlation: one id for everything a request causes, taken from W3C Trace Context or made."""

import re
import secrets

from structlog.contextvars import bind_contextvars, clear_contextvars

# https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_NO_TRACE = "0" * 32
_NO_PARENT = "0" * 16


def begin(traceparent: str | None) -> str:
    """The correlation id of this request, 32 hex digits; every log line carries it from here."""
    correlation_id = (traceparent and _trace_id(traceparent)) or secrets.token_hex(16)
    clear_contextvars()
    bind_contextvars(correlation_id=correlation_id)
    return correlation_id


def _trace_id(traceparent: str) -> str | None:
    """The trace id, or None where the header is not valid, and so to be ignored."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or found[2] == _NO_TRACE or found[3] == _NO_PARENT:
        return None
    if found[1] == "00" and found[4] is not None:
        return None
    return found[2]
