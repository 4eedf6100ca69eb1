"""How commands speak: results on stdout, everything else on stderr, one JSON object with `--json`.

Decides no wording. Nothing that comes from outside is read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from gateway.configuration import Flaw

type Report = Callable[[str, float], None]
"""Told the step and its share done, in [0, 1]."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@dataclass(frozen=True, slots=True)
class Output:
    """A command's two streams; with `as_json` stdout carries the one result and nothing else."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def result(self, value: Mapping[str, object]) -> None:
        """Print the result, where JSON is wanted."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False))

    def show(self, *parts: RenderableType) -> None:
        """Print for people, where JSON is not wanted; a plain string is never markup."""
        if not self.as_json:
            for part in parts:
                self.out.print(Text(part) if isinstance(part, str) else part)

    def tell(self, text: str, style: str = "") -> None:
        """Print one line on stderr."""
        self.err.print(Text(text, style), soft_wrap=True)

    def flaws(self, flaws: Iterable[Flaw]) -> None:
        """Print flaws on stderr: key, what is wrong, what to do."""
        for flaw in flaws:
            self.err.print(Text.assemble(("✗ ", "red"), (flaw.key, "bold")), soft_wrap=True)
            self.err.print(Text(f"  {flaw.detail}"), soft_wrap=True)
            self.err.print(Text(f"  {flaw.remedy}", "dim"), soft_wrap=True)

    @contextmanager
    def progress(self, title: str) -> Iterator[Report]:
        """A bar on stderr while something is built; one line where stderr is no terminal."""
        if not self.err.is_terminal:
            self.tell(f"{title} …")
            yield lambda _step, _share: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(title, total=1.0)
            yield lambda step, share: bar.update(
                task, description=f"{title}: {step}", completed=share
            )


def as_rows(flaws: Iterable[Flaw]) -> list[dict[str, str]]:
    """Flaws for JSON."""
    return [{"key": flaw.key, "detail": flaw.detail, "remedy": flaw.remedy} for flaw in flaws]
