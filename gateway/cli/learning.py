"""`fanlight eval learning`: what learning from outcomes saves, replayed over known outcomes.

Rows say what a weak and a strong model made of each prompt. They are gone through once, in a drawn
order; the router chooses, hears only what came of its choice, and learns from that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from core.learning import Lesson
from gateway.cli.builders import meaning
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import read_from
from gateway.pipeline.learned.experience import Experience
from gateway.pipeline.learned.router import Outcome, read_outcomes
from kb.normalise import words

WEAK, STRONG = "weak", "strong"
SPANS: Final = 4
"""The turns are told of in so many spans, one after the other."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some turns in a row: the share that the strong model answered, and the shares that were
    right: as the router chose, with the strong model always, and with the weak one always."""

    turns: int
    strong: float
    right: float
    right_strong: float
    right_weak: float


@click.command("learning")
@click.option(
    "--rows",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON Lines of {id, bench, prompt, weak_ok, strong_ok, vector?}.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the draw and its order.")
@click.option(
    "--turns",
    default=2_000,
    show_default=True,
    type=click.IntRange(8, 20_000),
    help="How many rows are drawn; the time grows with their square.",
)
@json_option
def learning_command(*, rows: Path, seed: int, turns: int, as_json: bool) -> None:
    """Replay outcomes as turns, and say how many strong calls learning spares, at what loss."""
    output, table = Output(as_json), meaning()

    def embed(prompt: str) -> Sequence[float]:
        vector = table.vector(words(prompt)) if table else None
        return vector or [0.0] * (table.dimensions if table else 0)

    found = read_from(rows, lambda stream: read_outcomes(stream, str(rows), embed))
    drawn = random.Random(seed)  # noqa: S311 - an order, no secret
    drawn.shuffle(found)
    found = found[:turns]
    # What a row brings of its own is used: only so are vectors of other models compared.
    vectors = {one.prompt: one.vector for one in found}
    experience = Experience((WEAK, STRONG), vectors.get, len(found[0].vector) if found else 0)
    with output.progress("replaying"):
        chosen = replay(found, experience)
    spans = summed(found, chosen)
    output.result({"spans": [asdict(one) for one in spans]})
    for one in spans:
        output.show(
            f"{one.turns} turns: strong {one.strong:.1%}, right {one.right:.1%} "
            f"(always strong {one.right_strong:.1%}, always weak {one.right_weak:.1%})"
        )


def replay(rows: Sequence[Outcome], experience: Experience) -> list[str]:
    """The tier of each row; what experience does not say is answered by both in turn."""
    chosen: list[str] = []
    for number, row in enumerate(rows):
        name = f"t_{number}"
        tier = experience.tier(row.prompt, None, name) or (WEAK if number % 2 else STRONG)
        right = row.weak_ok if tier == WEAK else row.strong_ok
        chosen.append(tier)
        outcome = 1.0 if right else -1.0
        experience.learn(Lesson(name, row.prompt, tier, None, outcome, float(number)))
    return chosen


def summed(rows: Sequence[Outcome], chosen: Sequence[str]) -> list[Span]:
    """The figures of each span."""
    size = -(-len(rows) // SPANS) or 1
    spans = []
    for at in range(0, len(rows), size):
        own = list(zip(rows[at : at + size], chosen[at : at + size], strict=True))
        count = len(own)
        spans.append(
            Span(
                count,
                round(sum(tier == STRONG for _, tier in own) / count, 4),
                round(
                    sum(row.strong_ok if tier == STRONG else row.weak_ok for row, tier in own)
                    / count,
                    4,
                ),
                round(sum(row.strong_ok for row, _ in own) / count, 4),
                round(sum(row.weak_ok for row, _ in own) / count, 4),
            )
        )
    return spans
