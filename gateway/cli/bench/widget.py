"""`fanlight bench widget`: what the widget weighs, and how soon it answers in a real Chromium.

Decides what is measured and the goals beside the figures. Refuses to begin without Playwright, a
Chromium and the built web assets, each with the remedy.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from gateway.cli.bench.load import BenchError
from gateway.cli.output import Output, Report, json_option
from gateway.loader import CURRENT

GOALS: Final[dict[str, float]] = {
    "loader_bytes": 4_096,
    "panel_bytes": 46_080,
    "warm_s": 1.2,
    "query_p95_ms_500": 5.0,
    "query_p95_ms_5000": 15.0,
}
"""None may be larger than this."""
EARLY: Final = [f"/{CURRENT}"]
LONGEST_S: Final = 280
_MEANINGS: Final = {
    "loader_bytes": "the script on the host page, as sent",
    "panel_bytes": "HTML, CSS and JavaScript of the first screen, as sent",
    "python_bytes": "Python with its library and ours, as sent",
    "index_bytes": "the demo's knowledge base, as sent",
    "embedding_bytes": "what it knows meanings by, the same for every site, as sent",
    "cold_s": "from opening the panel to the first answer; nothing kept",
    "second_s": "the same on the next visit, without a network",
    "warm_s": "and on the one after: the browser has kept what it compiled",
    "query_p50_ms": "a question to so many entries, in Python in the browser",
    "query_p95_ms": "the slowest of twenty",
    "early_requests": "asked of the gateway before the launcher is used",
}


@click.command("widget")
@click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=5,
    show_default=True,
    help="Cold and warm starts, in turn.",
)
@click.option(
    "--entries",
    "sizes",
    type=click.IntRange(10, 50_000),
    multiple=True,
    default=(500, 5_000),
    show_default=True,
    help="The size of a made-up knowledge base; may be given again.",
)
@click.option(
    "--chromium",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="FANLIGHT_CHROMIUM",
    help="The browser; by default one that is installed, else Playwright's.",
)
@json_option
def widget(rounds: int, sizes: tuple[int, ...], chromium: Path | None, as_json: bool) -> None:
    """Weigh the widget, and time its first answer."""
    output = Output(as_json)
    if find_spec("playwright") is None:
        raise click.ClickException(
            "Playwright drives the browser and is not installed. Run `make setup`, or:\n"
            "  pip install playwright && playwright install chromium"
        )
    began = time.monotonic()
    with output.progress("measuring") as report:
        figures, browser = _run(rounds, sizes, chromium, report)
    missed = missed_goals(figures)
    machine = {"browser": browser, "rounds": rounds, "seconds": round(time.monotonic() - began, 1)}
    goals = {**GOALS, "early_requests": EARLY}
    output.result({**figures, "goals": goals, "missed": missed, "machine": machine})
    output.show(table(figures, missed), " ".join(f"{k} {v}" for k, v in machine.items()))


def _run(
    rounds: int, sizes: tuple[int, ...], chromium: Path | None, report: Report
) -> tuple[dict[str, object], str]:
    # Only here is Playwright known to be there.
    visits = importlib.import_module("gateway.cli.bench.visits")
    try:
        measured = asyncio.run(
            asyncio.wait_for(visits.measure(rounds, sizes, chromium, report), LONGEST_S)
        )
    except TimeoutError as error:
        raise click.ClickException(f"The browser was not done after {LONGEST_S} s.") from error
    except (BenchError, OSError) as error:
        raise click.ClickException(str(error)) from error
    return measured.figures, measured.browser


def missed_goals(figures: dict[str, object]) -> list[str]:
    """The figures that do not reach their goal."""
    missed = []
    for name, goal in GOALS.items():
        value = figures.get(name, 0)
        if not isinstance(value, int | float) or value > goal:
            missed.append(name)
    if figures["early_requests"] != EARLY:
        missed.append("early_requests")
    return missed


def table(figures: dict[str, object], missed: list[str]) -> Table:
    """The figures for people, each beside its goal."""
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("figure", "left"), ("", "right"), ("goal", "right"), ("", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, value in figures.items():
        meaning = _MEANINGS[re.sub(r"_ms_\d+$", "_ms", name)]
        shown = " ".join(value) if isinstance(value, list) else f"{value:,}"
        goal = f"≤ {GOALS[name]:,g}" if name in GOALS else ""
        if name == "early_requests":
            goal = " ".join(EARLY)
        table.add_row(name, shown, goal, meaning, style="yellow" if name in missed else "")
    return table
