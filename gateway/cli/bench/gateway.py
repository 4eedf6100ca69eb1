"""`fanlight bench gateway`: what signatures, receipts and the truth cost beside a bare app.

Decides where the run keeps its files (a temporary folder, on a real disk if the system's is) and
what is printed beside the figures: the machine, without which they mean nothing.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
import uvloop
from rich.table import Table

from gateway.cli.bench.demo_index import demo_index
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.rounds import AT_ONCE, ROUNDS, Report, measure
from gateway.cli.bench.servers import INDEX
from gateway.cli.output import Output, json_option

GOALS: Final = {"signed_ratio": 0.25, "chat_ratio": 0.6, "added_p50_ms": 2.0}
LIBRARIES: Final = ("starlette", "uvicorn", "uvloop", "httptools", "httpx", "sqlalchemy")
LONGEST_S: Final = 170
_MEANINGS: Final = {
    "echo_rps": "calls a second: a bare Starlette app gives JSON back",
    "signed_rps": "the same requests, their signatures checked",
    "signed_ratio": "of echo_rps",
    "bare_chat_rps": "a bare Starlette app asks the model by httpx",
    "chat_rps": "a chat with its turn and receipt committed",
    "chat_ratio": "of bare_chat_rps",
    "added_p50_ms": "what a chat takes longer than a bare one, one at a time",
    "added_p99_ms": "the same, in the slowest of a hundred",
}


@click.command("gateway")
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 15),
    default=6.0,
    show_default=True,
    help="Load for each figure; the whole run takes about eight times as long.",
)
@json_option
def gateway(seconds: float, as_json: bool) -> None:
    """Compare the gateway with bare apps on the same libraries."""
    output = Output(as_json)
    began = time.monotonic()
    with output.progress("measuring") as report:
        try:
            figures = _run(seconds, report)
        except (BenchError, OSError, TimeoutError) as error:
            raise click.ClickException(str(error) or "a server stopped answering") from error
    show(output, figures, {**machine_facts(), "seconds": round(time.monotonic() - began, 1)})


def _run(seconds: float, report: Report) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
        folder = Path(name)
        report("building the knowledge base", 0.0)
        (folder / INDEX).write_bytes(demo_index(folder / "data"))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(asyncio.wait_for(measure(folder, seconds, report), LONGEST_S))


def show(output: Output, figures: dict[str, float], machine: dict[str, object]) -> None:
    """Print the figures, their goals and what they were measured on."""
    missed = missed_goals(figures)
    output.result({**figures, "goals": GOALS, "missed": missed, "machine": machine})
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    output.show(_table(figures, missed), "", facts)


def machine_facts() -> dict[str, object]:
    """What the figures were measured on and with."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in LIBRARIES},
        "at_once": AT_ONCE,
        "rounds": ROUNDS,
    }


def missed_goals(figures: dict[str, float]) -> list[str]:
    """The figures that do not reach their goal; what is in milliseconds must be below it."""
    return [
        name
        for name, goal in GOALS.items()
        if (figures[name] > goal if name.endswith("_ms") else figures[name] < goal)
    ]


def _table(figures: dict[str, float], missed: list[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("figure", "left"), ("", "right"), ("goal", "right"), ("", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, value in figures.items():
        goal = GOALS.get(name)
        shown = "" if goal is None else f"{'≤' if name.endswith('_ms') else '≥'} {goal:g}"
        style = "yellow" if name in missed else ""
        table.add_row(name, f"{value:,.3f}", shown, _MEANINGS[name], style=style)
    return table
