"""Shows how far a download is: a bar with its rate and the time left, on stderr.

Where stderr is no terminal, a line at the beginning and one at each quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from gateway.cli.output import Output
from models.registry.progress import Progress, Told

QUARTERS: Final = 4


@contextmanager
def shown(output: Output) -> Iterator[Progress]:
    """A way to tell how far something is, while it lasts."""
    if not output.err.is_terminal:
        yield lambda title: _Lines(title, output.tell)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=output.err) as bars:
        yield lambda title: _bar(bars, title)


def _bar(bars: Bars, title: str) -> Told:
    task = bars.add_task(title, total=None)
    return lambda done, total: bars.update(task, completed=min(done, total or done), total=total)


class _Lines:
    """Tells a title when it begins, then each quarter."""

    def __init__(self, title: str, tell: Callable[[str], None]) -> None:
        self._title = title
        self._tell = tell
        self._told = -1

    def __call__(self, done: int, total: int | None) -> None:
        quarter = QUARTERS * min(done, total) // total if total else 0
        if self._told < 0:
            self._tell(f"{self._title} …")
        elif quarter > self._told:
            self._tell(f"{self._title}: {quarter * 100 // QUARTERS} %")
        self._told = max(self._told, quarter)
