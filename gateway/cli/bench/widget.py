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
from typing import TYPE_CHECKING, Final

import click
from rich.table import Table

from gateway.cli.bench.load import BenchError
from gateway.cli.output import Output, Report, json_option
from gateway.loader import CURRENT

if TYPE_CHECKING:
    from gateway.cli.bench.visits import Measured

GOALS: Final[dict[str, float]] = {
    "loader_bytes": 4_096,
    "panel_bytes": 46_080,
    "layout_shift": 0,
    "long_tasks": 0,
    "third_party_requests": 0,
    "stored_before_consent": 0,
    "warm_s": 1.0,
    "open_warm_ms": 300.0,
    "query_p95_ms_500": 5.0,
    "query_p95_ms_5000": 15.0,
    "talk_exchanges_drawn": 50,
    "talk_growth_mb": 2.0,
    "typing_p95_ms": 16.0,
}
"""None may be larger than this."""
EARLY: Final = [f"/{CURRENT}"]
LONGEST_S: Final = 1_800
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
    "layout_shift": "of the host page until then",
    "long_tasks": "in which our script kept the host page busy for over 50 ms until then",
    "third_party_requests": "to anybody but the page and the gateway, the panel's first screen in",
    "stored_before_consent": "keys, cookies, databases and caches, with the panel open",
    "open_warm_ms": "on that last visit, from the click until the visitor can write",
    "talk_messages": "asked and answered in one page, for the figures that follow",
    "talk_exchanges_drawn": "of them; earlier ones are drawn on demand",
    "talk_elements": "in the page then",
    "talk_growth_mb": "of the page's memory, from the 50th question to the last",
    "typing_p95_ms": "the page's work for a letter under that talk",
    "typing_worst_ms": "the slowest letter",
}

_BESIDE: Final = {
    "early_bytes": "script on the host page before the chat is used, brotli",
    "open_bytes": "what opening the chat adds until one can write",
    "layout_shift": "of the host page",
    "long_tasks": "in which the chat's script kept the host page busy for over 50 ms",
    "stored_before_consent": "keys, cookies, databases and caches",
    "open_warm_ms": "from the click until one can write, all of it fetched before",
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
@click.option(
    "--turns",
    type=click.IntRange(10, 500),
    default=500,
    show_default=True,
    help="Questions of the long talk.",
)
@json_option
def widget(
    rounds: int, sizes: tuple[int, ...], chromium: Path | None, turns: int, as_json: bool
) -> None:
    """Weigh the widget, time its first answer, and measure another chat beside it."""
    output = Output(as_json)
    if find_spec("playwright") is None:
        raise click.ClickException(
            "Playwright drives the browser and is not installed. Run `make setup`, or:\n"
            "  pip install playwright && playwright install chromium"
        )
    began = time.monotonic()
    with output.progress("measuring") as report:
        measured = _run(rounds, sizes, turns, chromium, report)
    figures, browser = measured.figures, measured.browser
    missed = missed_goals(figures)
    machine = {"browser": browser, "rounds": rounds, "seconds": round(time.monotonic() - began, 1)}
    goals = {**GOALS, "early_requests": EARLY}
    output.result(
        {
            **figures,
            "goals": goals,
            "missed": missed,
            "beside": measured.beside,
            "machine": machine,
        }
    )
    output.show(
        table(figures, missed),
        beside_table(figures, measured.beside),
        " ".join(f"{k} {v}" for k, v in machine.items()),
    )


def _run(
    rounds: int, sizes: tuple[int, ...], turns: int, chromium: Path | None, report: Report
) -> Measured:
    # Only here is Playwright known to be there.
    visits = importlib.import_module("gateway.cli.bench.visits")
    try:
        extent = visits.Extent(rounds, sizes, turns)
        measured: Measured = asyncio.run(
            asyncio.wait_for(visits.measure(extent, chromium, report), LONGEST_S)
        )
    except TimeoutError as error:
        raise click.ClickException(f"The browser was not done after {LONGEST_S} s.") from error
    except (BenchError, OSError) as error:
        raise click.ClickException(str(error)) from error
    return measured


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


def compared(figures: dict[str, object]) -> dict[str, object]:
    """Our figures under the names of the other chat's."""
    same = ("layout_shift", "long_tasks", "third_party_requests", "stored_before_consent")
    return {
        "early_bytes": figures["loader_bytes"],
        "open_bytes": figures["panel_bytes"],
        **{name: figures[name] for name in same},
        "open_warm_ms": figures["open_warm_ms"],
    }


def beside_table(figures: dict[str, object], beside: dict[str, object]) -> Table | str:
    """The other chat's figures beside ours, or why there are none."""
    if "skipped" in beside:
        return f"{beside['name']} was not measured: {beside['skipped']}"
    table = Table(box=None, pad_edge=False)
    table.add_column("beside it")
    for name in ("fanlight", str(beside["name"])):
        table.add_column(name, justify="right")
    table.add_column("")
    theirs = beside["figures"]
    for name, value in compared(figures).items():
        other = theirs[name] if isinstance(theirs, dict) else ""
        meaning = _BESIDE.get(name) or _MEANINGS[name]
        table.add_row(name, f"{value:,}", f"{other:,}", meaning)
    return table
