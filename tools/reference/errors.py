"""docs/reference/errors.md: every refusal the platform can answer."""

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

from guilder.kernel.errors import Refusal
from tools.reference.tree import context_of, first_line, page, table

StatusOf = Callable[[type[Refusal]], int]


def refusals(modules: Iterable[ModuleType]) -> list[type[Refusal]]:
    """Every class of refusal these modules define, by code."""
    names = {module.__name__ for module in modules}
    found = [kind for kind in _below(Refusal) if kind.__module__ in names and "code" in vars(kind)]
    return sorted(found, key=lambda kind: (kind.code, kind.__module__))


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def render(modules: Iterable[ModuleType], status_of: StatusOf) -> str:
    """The page, one row per code in alphabetical order."""
    rows = [
        [
            f"`{refusal.code}`",
            str(status_of(refusal)),
            refusal.kind.value,
            "yes" if refusal.retryable else "no",
            first_line(refusal),
            context_of(refusal.__module__),
        ]
        for refusal in refusals(modules)
    ]
    return page(
        "Errors",
        "A refusal is answered as `application/problem+json` with its code in `error_code`. "
        "Retryable means that the same request, sent again later with the same idempotency key, "
        "may succeed.",
        table(["Code", "Status", "Kind", "Retryable", "Meaning", "From"], rows),
    )
