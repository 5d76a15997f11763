"""The page of all problems, where the `type` of every problem document points."""

import inspect
from collections.abc import Sequence

from guilder.edge import problems
from guilder.edge.pages.html import Html, code, heading, page, paragraph
from guilder.kernel.errors import Refusal


def render(refusals: Sequence[type[Refusal]]) -> bytes:
    """The page, one section per code."""
    parts = [
        paragraph(
            "A problem is answered as `application/problem+json` (RFC 9457) with its code in "
            "`error_code`. Where `retryable` is true, the same request may succeed later: send it "
            "again with the same `Idempotency-Key`."
        )
    ]
    parts += [_section(kind) for kind in refusals]
    parts.append(heading(2, code(problems.FAULT_CODE), anchor=problems.FAULT_CODE))
    parts.append(paragraph("500. Something is wrong on our side. Quote the correlation id."))
    return page("Errors", *parts)


def _section(kind: type[Refusal]) -> Html:
    retryable = "retryable" if kind.retryable else "not retryable"
    text = heading(2, code(kind.code), anchor=kind.code)
    text += paragraph(f"{problems.status_of(kind)}, {kind.kind.value}, {retryable}.")
    told = (inspect.getdoc(kind) or "").split("\n\n")
    return text + "".join(paragraph(part) for part in told)
