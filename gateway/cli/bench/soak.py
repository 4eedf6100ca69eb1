"""`fanlight bench soak`: thousands of turns through one gateway, and what of it grows.

Decides what counts: the gateway's resident memory at every thousandth of the way (at full size each
thousand turns) and how fast it still rises in the second half, when what fills up once is full;
that every turn a visitor was told of is in the truth when the gateway has ended; that no money is
held any more; and, by the gateway's own histograms over turns that came one at a time, what each
stage takes besides the model.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from statistics import linear_regression, quantiles
from typing import Final

import click
import httpx
import uvloop
from rich.table import Table

from gateway.cli.bench.demo_index import demo_index
from gateway.cli.bench.figures import figures_table
from gateway.cli.bench.gateway import machine_facts
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.overload import Memory
from gateway.cli.bench.processes import Child, child
from gateway.cli.bench.servers import INDEX, SCRAPE
from gateway.cli.bench.soak_visits import Talks
from gateway.cli.bench.stages import AROUND, MODELS_OWN, Stages, middles
from gateway.cli.output import Output, Report, json_option

GOALS: Final = {"growth_bytes_a_turn": 512.0, "lost": 0, "held": 0, "errors": 0, "pipeline_ms": 3.0}
"""A turn that is kept in memory is thousands of bytes; caches that fill, and have an end, a few
hundred."""
_MEANINGS: Final = {
    "turns": "answered, in conversations of ten",
    "subjects": "visitors that they came from",
    "turns_a_second": "so many at once as --at-once says",
    "rss_mb": "the gateway's resident memory at the end",
    "growth_bytes_a_turn": "by which it still rose in the second half",
    "p50_ms": "what an answer took",
    "p99_ms": "the same, in the slowest of a hundred",
    "errors": "answers that were none",
    "lost": "turns that were acknowledged and are not in the truth",
    "held": "reservations of money that were never settled",
    "spent_micros": "what the models cost, in millionths of a US dollar",
    "pipeline_ms": "classify, route, assemble, score and learn, one turn at a time (p50 of each)",
    "stages_ms": "the same with the gate and the commit",
}
SAMPLES: Final = 10
ALONE: Final = 200
_TIERS: Final = "SELECT tier, count(*) FROM trajectories WHERE tier IS NOT NULL GROUP BY tier"


@click.command("soak")
@click.option("--turns", type=click.IntRange(40, 1_000_000), default=10_000, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 64), default=8, show_default=True)
@json_option
def soak(turns: int, at_once: int, as_json: bool) -> None:
    """Send turns for a long while; look at memory, at the truth and at each stage."""
    output = Output(as_json)
    with output.progress("talking") as report:
        try:
            with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
                folder = Path(name)
                report("building the knowledge base", 0.0)
                (folder / INDEX).write_bytes(demo_index(folder / "data"))
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    talks, stages = runner.run(_talk(folder, turns, at_once, report))
                kept = _kept(folder, talks)
        except (BenchError, OSError, TimeoutError, httpx.HTTPError) as error:
            raise click.ClickException(str(error) or "a server stopped answering") from error
    figures = {**_figures(talks), **kept, **sums(stages)}
    missed = [name for name, goal in GOALS.items() if figures[name] > goal]
    more = {"memory_mb": talks.memory, "stages": stages, "failures": dict(talks.errors)}
    tiers = {"tiers": talks.tiers, "at_once": at_once}
    output.result(
        {**figures, **more, **tiers, "goals": GOALS, "missed": missed, "machine": machine_facts()}
    )
    output.show(figures_table(figures, GOALS, _MEANINGS), "", _stage_table(stages), "")
    output.show(", ".join(f"{at:,}: {mb} MB" for at, mb in talks.memory.items()))


async def _talk(
    folder: Path, turns: int, at_once: int, report: Report
) -> tuple[Talks, dict[str, float]]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(child("provider", folder))
        url = f"http://127.0.0.1:{provider.port}/v1"
        gateway = await stack.enter_async_context(child("soaked", folder, url))
        # A gateway refuses what was signed before it knew what had been used: its first second.
        await asyncio.sleep(1.1)
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        talks = Talks(client, gateway.port, turns, Memory(gateway.pid), SAMPLES, report)
        began = time.perf_counter()
        await asyncio.gather(*(talks.visitors(place) for place in range(at_once)))
        talks.seconds = time.perf_counter() - began
        before = await _scrape(client, gateway)
        alone = Talks(client, gateway.port, min(ALONE, turns), None, 1, report)
        await alone.visitors(0)
        talks.add(alone)
        return talks, middles(before, await _scrape(client, gateway))


async def _scrape(client: httpx.AsyncClient, gateway: Child) -> Stages:
    response = await client.get(
        f"http://localhost:{gateway.port}/metrics", headers={"authorization": f"Bearer {SCRAPE}"}
    )
    return Stages.read(response.raise_for_status().text)


def _kept(folder: Path, talks: Talks) -> dict[str, float]:
    """What the truth has, now that nobody has it open."""
    [path] = folder.glob("*/bench.db")
    with closing(sqlite3.connect(path)) as truth:
        stored = {row[0] for row in truth.execute("SELECT id FROM turns")}
        [held] = truth.execute("SELECT count(*) FROM spending_holds").fetchone()
        [spent] = truth.execute(
            "SELECT coalesce(sum(settled), 0) FROM spending WHERE subject = '' AND period = 'day'"
        ).fetchone()
        talks.tiers = dict(truth.execute(_TIERS).fetchall())
    return {"lost": len(talks.acknowledged - stored), "held": held, "spent_micros": spent}


def _figures(talks: Talks) -> dict[str, float]:
    cuts = quantiles(talks.took, n=100)
    return {
        "turns": len(talks.acknowledged),
        "subjects": talks.subjects,
        "turns_a_second": round(len(talks.took) / talks.seconds, 1),
        "rss_mb": list(talks.memory.values())[-1],
        "growth_bytes_a_turn": growth(talks.memory),
        "p50_ms": round(1000 * cuts[49], 2),
        "p99_ms": round(1000 * cuts[98], 2),
        "errors": talks.errors.total(),
    }


def growth(memory: Mapping[int, float]) -> float:
    """Bytes a turn by which memory (turns to megabytes) rises in the second half of a run.

    The slope of a line through the samples by least squares; 0 where there are fewer than two.
    """
    half = [(at, mb) for at, mb in memory.items() if at * 2 >= max(memory)]
    if len(half) < 2:
        return 0.0
    slope = linear_regression([at for at, _ in half], [mb for _, mb in half]).slope
    return round(slope * 1e6, 1)


def sums(stages: Mapping[str, float]) -> dict[str, float]:
    """What the pipeline's own slots take together, and all stages, in milliseconds; what waits for
    a model is in neither."""
    own = {name: took for name, took in stages.items() if name not in MODELS_OWN}
    pipeline = [took for name, took in own.items() if name not in AROUND]
    return {"pipeline_ms": round(sum(pipeline), 3), "stages_ms": round(sum(own.values()), 3)}


def _stage_table(stages: Mapping[str, float]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("p50, ms", justify="right")
    for name, took in stages.items():
        table.add_row(name, f"{took:.3f}", style="dim" if name in MODELS_OWN else "")
    return table
