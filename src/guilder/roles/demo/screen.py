"""What a person sees while it works: a bar on a terminal, elsewhere a line every second."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

TELL_SECONDS = 1.0
REDRAW_SECONDS = 0.2
BAR_WIDTH = 16  # So that a line fits into eighty columns.

Standing = Callable[[], tuple[int, str]]


class Screen:
    """Tells people on stdout; beside JSON, which stdout is then for, on stderr."""

    def __init__(self, *, beside_json: bool) -> None:
        self._console = Console(stderr=beside_json, highlight=False)

    def tell(self, line: str = "", *, style: str | None = None) -> None:
        """One line, as it is: it is neither wrapped nor coloured by what is in it."""
        self._console.print(line, style=style, markup=False, soft_wrap=True)

    def tell_all(self, lines: Iterable[str]) -> None:
        """Lines, the first of them in bold."""
        for number, line in enumerate(lines):
            wrong = line.lstrip().startswith("WRONG")
            self.tell(line, style="bold red" if wrong else "bold" if number == 0 else None)

    def step(self, line: str) -> None:
        """What is being done now."""
        self.tell(f"· {line}")

    @contextlib.asynccontextmanager
    async def progress(self, total: int, standing: Standing) -> AsyncGenerator[None]:
        """Show how far it is while the block lasts; `standing` tells how many, and the rest."""
        drawing = self._draw if self._console.is_terminal else self._tell_now_and_then
        task = asyncio.create_task(drawing(total, standing))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            through, rest = standing()
            self.step(f"{through} of {total} orders through, {rest}")

    async def _draw(self, total: int, standing: Standing) -> None:
        columns = (
            TextColumn("orders"),
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            shown = bar.add_task("", total=total)
            while True:
                through, rest = standing()
                bar.update(shown, completed=through, description=rest)
                await asyncio.sleep(REDRAW_SECONDS)

    async def _tell_now_and_then(self, total: int, standing: Standing) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            through, rest = standing()
            self.step(f"{through} of {total} orders through, {rest}")
