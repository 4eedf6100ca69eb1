"""The commands `fanlight eval confidence` and `fanlight eval turns`.

Decides how labelled turns are opened and what is printed: progress on stderr, the figures on
stdout, one JSON object with `--json`. What a figure means is decided in `core.confidence.measure`,
and which turns are made of questions with known answers in `core.confidence.pairing`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import click

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.measure import figures
from core.confidence.pairing import Corpus
from core.confidence.turns import LabelledTurn, read_turns
from core.gate import DEFAULT_THRESHOLD
from gateway.cli.builders import meaning
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import read_from
from gateway.cli.whole_file import write_whole

_PATH = click.Path(path_type=Path, dir_okay=False)


@click.command("confidence")
@click.option(
    "--turns", required=True, type=_PATH,
    help="JSON Lines of {question, passages, reply, right}, plain or gzip.",
)  # fmt: skip
@click.option(
    "--threshold", default=DEFAULT_THRESHOLD, show_default=True, type=click.FloatRange(0, 1),
    help="Confidence from which a reply is shown.",
)  # fmt: skip
@click.option("--each", type=_PATH, help="Also write every turn with its confidence and signals.")
@json_option
def confidence_command(*, turns: Path, threshold: float, each: Path | None, as_json: bool) -> None:
    """How far the confidence of model replies can be believed, on labelled turns."""
    output = Output(as_json)
    labelled = read_from(turns, lambda stream: read_turns(stream, str(turns)))
    if not labelled:
        raise click.ClickException(f"{turns}: there is no turn in it")
    scorer = Scorer(Closeness(meaning()), FITTED)
    judged, rows, spent = [], [], []
    with output.progress("judging replies") as report:
        for number, turn in enumerate(labelled, 1):
            began = time.perf_counter()
            look = scorer.look(turn.question, turn.passages, turn.reply, logprob=turn.logprob)
            spent.append(time.perf_counter() - began)
            judged.append((look.confidence, turn.right))
            rows.append({**_row(turn), "confidence": look.confidence, "signals": look.signals})
            report(f"{number} of {len(labelled)}", number / len(labelled))
    if each is not None:
        _write(each, rows)
    found = figures(judged, threshold).document()
    output.result({**found, "p50_ms": round(1000 * median(spent), 2)})
    output.show(
        *(f"{name:>10}  {'-' if value is None else value}" for name, value in found.items())
    )


@click.command("turns")
@click.option(
    "--kb", "kb_path", required=True, type=_PATH,
    help="JSON Lines of {question, answer}, or of {id, text, lang?}.",
)  # fmt: skip
@click.option(
    "--queries", required=True, type=_PATH,
    help="JSON Lines of {q1, q2, similar}, or of {passage, question, answer}.",
)  # fmt: skip
@click.option("--kb-lang", help="Language of the passages, such as en.")
@click.option("--query-lang", default="en", show_default=True, help="Language of the questions.")
@click.option("--seed", default=0, show_default=True, help="Seed of what is drawn.")
@click.option("--out", required=True, type=_PATH, help="Where the turns are written.")
@json_option
def turns_command(
    *,
    kb_path: Path, queries: Path, kb_lang: str | None, query_lang: str, seed: int, out: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Make labelled turns of questions with known answers: a right and a wrong one each."""
    embedding = meaning()
    if embedding is None:
        raise click.ClickException("this installation has no embedding: reinstall fanlight")

    def read(stream: Iterable[str]) -> Corpus:
        return Corpus(stream, str(kb_path), embedding, kb_lang)

    corpus = read_from(kb_path, read)
    made = read_from(
        queries,
        lambda stream: corpus.turns(stream, str(queries), language=query_lang, seed=seed),
    )
    if not made:
        raise click.ClickException(f"{queries}: no question has its answer in {kb_path}")
    _write(out, [_row(turn) for turn in made])
    output = Output(as_json)
    output.result({"turns": len(made), "out": str(out)})
    output.show(f"{len(made)} turns written to {out}")


def _row(turn: LabelledTurn) -> dict[str, Any]:
    return {name: value for name, value in asdict(turn).items() if value not in {"", None}}


def _write(path: Path, rows: Sequence[object]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(path, text.encode("utf-8"))
