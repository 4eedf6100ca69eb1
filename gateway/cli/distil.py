"""The command `fanlight eval distil`.

Decides how the files are opened and what is printed: progress on stderr, the figures on stdout, one
JSON object with `--json`. What a figure means is decided in `core.prompting.recall`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from core.device import embed_with
from core.prompting.recall import Probe, measure, read_probes, read_talks
from gateway.cli.builders import meaning
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import read_from

_PATH = click.Path(path_type=Path, dir_okay=False)


@click.command("distil")
@click.option(
    "--turns", required=True, type=_PATH, help="JSON Lines of {conv, dia_id, speaker, text}."
)
@click.option(
    "--questions", required=True, type=_PATH, help="JSON Lines of {conv, question, evidence}."
)
@click.option("--budget", default=512, show_default=True, type=click.IntRange(8), help="Tokens.")
@click.option("--seed", default=0, show_default=True, help="Seed of what is drawn.")
@json_option
def distil_command(*, turns: Path, questions: Path, budget: int, seed: int, as_json: bool) -> None:
    """How much of what a question needs a summary of the conversation keeps."""
    output = Output(as_json)
    embed = embed_with(meaning())
    if embed is None:
        raise click.ClickException("this installation has no embedding: reinstall fanlight")
    talks = read_from(turns, lambda stream: read_talks(stream, str(turns)))

    def read(stream: Iterable[str]) -> list[Probe]:
        return read_probes(stream, str(questions), talks)

    probes = read_from(questions, read)
    if not probes:
        raise click.ClickException(f"{questions}: no question has evidence in {turns}")
    with output.progress("asking") as report:
        found = measure(
            talks, probes, embed, budget, seed=seed,
            told=lambda done: report(f"{done} of {len(probes)}", done / len(probes)),
        )  # fmt: skip
    figures = {
        **{name: round(share, 4) for name, share in found.shares.items()},
        "questions": found.questions,
        "turns": found.turns,
        "budget": budget,
    }
    output.result(figures)
    output.show(*(f"{name:>14}  {value}" for name, value in figures.items()))
