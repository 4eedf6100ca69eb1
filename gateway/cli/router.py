"""The command `fanlight eval router`: how good the learned router is on models it never asks.

Decides how the outcomes are opened and what is printed, for each bench by itself. What is learnt is
decided in `gateway.pipeline.learned.router`, what the figures mean in `…learned.judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli.builders import meaning
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import read_from
from gateway.pipeline.learned.judge import judge
from gateway.pipeline.learned.router import Outcome, learn, read_outcomes
from kb.normalise import words

_PATH = click.Path(path_type=Path, dir_okay=False)


@click.command("router")
@click.option(
    "--rows", required=True, type=_PATH,
    help="JSON Lines of {id, bench, prompt, weak_ok, strong_ok, vector?} to learn from.",
)  # fmt: skip
@click.option("--test", required=True, type=_PATH, help="The same, to be judged on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap.")
@json_option
def router_command(*, rows: Path, test: Path, seed: int, as_json: bool) -> None:
    """Learn when a weak model suffices, and say how much of a strong one's lead is recovered."""
    output = Output(as_json)
    learnt, judged = _outcomes(rows), _outcomes(test)
    if learnt and judged and len(learnt[0].vector) != len(judged[0].vector):
        raise click.ClickException(f"{rows} and {test}: their vectors are of two lengths")
    with output.progress("learning the router"):
        router = learn(learnt)
    found: dict[str, dict[str, float | int | None]] = {}
    for bench in sorted({one.bench for one in judged}):
        own = [one for one in judged if one.bench == bench]
        gains = [router.gain(one) for one in own]
        figures = judge(gains, [one.gain for one in own], seed)
        if figures is None:
            output.tell(f"{bench}: the strong model is no better there, so nothing is recovered")
            continue
        found[bench] = {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(figures).items()
        }
    output.result(found)
    for bench, each in found.items():
        output.show(f"{bench}: " + "  ".join(f"{name} {value}" for name, value in each.items()))


def _outcomes(path: Path) -> Sequence[Outcome]:
    table = meaning()

    def embed(prompt: str) -> Sequence[float]:
        vector = table.vector(words(prompt)) if table else None
        return vector or [0.0] * (table.dimensions if table else 0)

    found = read_from(path, lambda stream: read_outcomes(stream, str(path), embed))
    if not found:
        raise click.ClickException(f"{path}: there is no outcome in it")
    return found
