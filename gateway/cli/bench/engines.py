"""`fanlight bench engines`: what our engine adds to wllama called bare, in a real Chromium.

Decides what is measured and the goals beside the figures. Refuses to begin without Playwright, a
Chromium, the built web assets and a published model, each with the remedy.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table

from gateway.cli.bench.host import ENCODER
from gateway.cli.bench.load import BenchError
from gateway.cli.output import Output, Report, json_option

LEAST: Final = {"speed_ratio": 0.97, "first_ratio": 0.97}
WEBLLM: Final = {f"webllm_{name}": goal for name, goal in LEAST.items()}
MOST: Final = {
    "hash_100_mb_s": 0.5,
    "second_load_requests": 0,
    "second_load_bytes": 0,
    "frame_p95_ms": 16,
    "embed_ms": 30,
}
"""No figure may be below, or above, its goal."""
LONGEST_S: Final = 900
LIBRARY: Final = "FANLIGHT_WEBLLM_LIB"
_MEANINGS: Final = {
    "ours_tokens_s": "tokens a second through our engine",
    "bare_tokens_s": "and through its own call, in the same page, in turn",
    "speed_ratio": "the first over the second",
    "ours_first_s": "seconds to the first token through our engine",
    "bare_first_s": "and through its own call",
    "first_ratio": "the second over the first",
    "logged_speed_ratio": "wllama's own call with log-probabilities over that without",
    "logged_first_ratio": "the same of the first token: what ours asks for, and nothing of ours",
    "hash_100_mb_s": "seconds that looking at every block adds, for 100 MB",
    "open_s": "seconds to read and look at all that is kept",
    "load_s": "seconds to take the model into memory",
    "second_load_s": "from opening the page to a model that is ready; restarted, no network",
    "second_load_requests": "for the model, or for what runs it, that left the page then",
    "second_load_bytes": "that any socket of the browser received then",
    "frames": "that were drawn while the model answered",
    "embed_ms": "median milliseconds of encoding a sentence, on one thread of the processor",
    "frame_p95_ms": "95th percentile of the panel's work for a frame while the model answers",
}


@click.command("engines")
@click.option(
    "--published",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(".fanlight/published"),
    show_default=True,
    help="A folder that `fanlight models publish --to` wrote.",
)
@click.option("--model", default="smollm2-135m", show_default=True, help="One of it.")
@click.option("--rounds", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--tokens", type=click.IntRange(4, 256), default=32, show_default=True)
@click.option("--chromium", type=click.Path(path_type=Path), help="Instead of the one found.")
@json_option
def engines(
    *, published: Path, model: str, rounds: int, tokens: int, chromium: Path | None, as_json: bool
) -> None:
    """Measure the engines that run a model in a visitor's browser."""
    output = Output(as_json)
    if find_spec("playwright") is None:
        raise click.ClickException("This needs Playwright: `pip install playwright`.")
    if not (published / f"{model}.json").is_file():
        remedy = f"`fanlight models publish {model} --to {published} --form q8_0` writes it."
        raise click.ClickException(f"{model} is not in {published}. {remedy}")
    with output.progress("measuring") as report:
        figures = _run((published, model), rounds, tokens, chromium, report)
        figures |= (webllm := _webllm(model, rounds, tokens, chromium, report))
    browser = figures.pop("browser")
    goals = {"least": LEAST, "most": MOST}
    machine = {"browser": browser, "rounds": rounds, "tokens": tokens}
    skipped = {} if webllm else {"webllm": f"{LIBRARY} names no library that was compiled for it"}
    if "embed_ms" not in figures:
        skipped["embed_ms"] = f"{ENCODER} is not in {published}: `fanlight models publish` it"
    missed = [name for name in missed_goals(figures) if name not in skipped]
    output.result(
        {**figures, "goals": goals, "missed": missed, "skipped": skipped, "machine": machine}
    )
    output.show(
        _table(figures, missed),
        *(f"skipped, so neither reached nor missed: {k} ({why})" for k, why in skipped.items()),
        " ".join(f"{k} {v}" for k, v in machine.items()),
    )


def _run(
    local: tuple[Path, str], rounds: int, tokens: int, chromium: Path | None, report: Report
) -> dict[str, object]:
    # Only here is Playwright known to be there.
    visit = importlib.import_module("gateway.cli.bench.engine_visit")
    return _measured(visit.measure(local, rounds, tokens, chromium, report))


def _measured(measuring: Coroutine[Any, Any, dict[str, object]]) -> dict[str, object]:
    try:
        return asyncio.run(asyncio.wait_for(measuring, LONGEST_S))
    except TimeoutError as error:
        raise click.ClickException(f"The browser was not done after {LONGEST_S} s.") from error
    except (BenchError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _webllm(
    model: str, rounds: int, tokens: int, chromium: Path | None, report: Report
) -> dict[str, object]:
    """WebLLM's figures; none where no library is named."""
    library = os.environ.get(LIBRARY, "")
    if not library:
        return {}
    if not Path(library).is_file():
        raise click.ClickException(f"{LIBRARY} names {library}, which is no file.")
    visit = importlib.import_module("gateway.cli.bench.engine_webllm")
    return _measured(visit.measure_webllm((Path(library), model), rounds, tokens, chromium, report))


def missed_goals(figures: dict[str, object]) -> list[str]:
    """The figures that do not reach their goal; WebLLM's are held to those of its kind if taken."""

    def value(name: str) -> float:
        found = figures.get(name)
        return found if isinstance(found, int | float) else float("nan")

    least = {**LEAST, **{name: goal for name, goal in WEBLLM.items() if name in figures}}
    low = [name for name, goal in least.items() if not value(name) >= goal]
    return low + [name for name, goal in MOST.items() if not value(name) <= goal]


def _table(figures: dict[str, object], missed: list[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "", "goal", ""):
        table.add_column(heading)
    for name, value in figures.items():
        least = {**LEAST, **WEBLLM}
        low = f"≥ {least[name]:g}" if name in least else ""
        goal = f"≤ {MOST[name]:g}" if name in MOST else low
        style = "yellow" if name in missed else ""
        table.add_row(name, f"{value:,}", goal, _meaning(name), style=style)
    return table


def _meaning(name: str) -> str:
    kind, _, what = name.partition("webllm_")
    return f"WebLLM: {_MEANINGS[what]}" if what and not kind else _MEANINGS[name]
