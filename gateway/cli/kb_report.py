"""The command `fanlight kb report`: one page that says how well a knowledge base answers.

Decides the options, which questions are asked, and what is printed. What the figures are is decided
in `kb.overview`, how they look in `gateway.cli.report`. Refuses to write half a page.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from core.gate import DEFAULT_THRESHOLD
from gateway.cli.builders import build, installed_tools, meaning
from gateway.cli.kb_files import read_files
from gateway.cli.output import Output, json_option
from gateway.cli.report.page import page
from gateway.cli.text_files import read_from
from gateway.cli.whole_file import write_whole
from kb import load_index
from kb.entry import is_searchable
from kb.evaluate import Labelled, read_labelled
from kb.overview import Overview, look_over

_PATH: Final = click.Path(path_type=Path, dir_okay=False)
_LISTED: Final = 20


@click.command("report")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--out", required=True, type=_PATH, help="Where the page is written.")
@click.option(
    "--queries", type=_PATH,
    help="Real questions: JSON Lines of {text, label, answerable}; the label is an entry's id.",
)  # fmt: skip
@click.option(
    "--marked", "marks", default=0, show_default=True, type=click.IntRange(0),
    help="So many of them, drawn, correct the confidence and are not counted.",
)  # fmt: skip
@click.option("--locale", help="Language of rows that name none, such as en.")
@click.option(
    "--threshold", default=DEFAULT_THRESHOLD, show_default=True, type=click.FloatRange(0, 1),
    help="Confidence from which the site answers.",
)  # fmt: skip
@click.option(
    "--out-of-scope", default=0.25, show_default=True, type=click.FloatRange(0, 0.95),
    help="Share of questions expected to have no answer here.",
)  # fmt: skip
@click.option("--title", help="Name of the site or knowledge base; else of the first file.")
@click.option("--seed", default=0, show_default=True, help="Seed of all that is drawn.")
@json_option
def report_command(
    *,
    files: tuple[Path, ...],
    out: Path,
    queries: Path | None,
    marks: int,
    locale: str | None,
    threshold: float,
    out_of_scope: float,
    title: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Write one HTML page that says how well the entries of FILES answer, and what to mend."""
    if marks and queries is None:
        raise click.UsageError("--marked goes with --queries: only real questions can be marked")
    output = Output(as_json)
    reading = read_files(files, locale)
    if not any(is_searchable(entry) for entry in reading.entries):
        raise click.ClickException("no entry could be read: nothing was written")
    asked = _queries(queries, {entry.id for entry in reading.entries}) if queries else []
    if marks >= max(1, len(asked)) and queries:
        raise click.ClickException(f"--marked {marks}: there are only {len(asked)} questions")
    data = build(reading.entries, seed=seed, out_of_scope=out_of_scope)
    with output.progress("reporting") as progress:
        view = look_over(
            load_index(data, meaning()),
            threshold=threshold,
            today=datetime.now(tz=UTC).date().isoformat(),
            trainer=installed_tools().find_trainer(),
            queries=asked,
            marks=marks,
            out_of_scope=out_of_scope,
            seed=seed,
            progress=progress,
        )
    for note in view.notes:
        output.tell(note, "dim")
    text = page(view, title or files[0].name.partition(".")[0])
    try:
        write_whole(out, text.encode("utf-8", "replace"))
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}: choose another --out") from error
    output.result(_as_dict(view, out))
    said = f"{view.at.answered:.0%} answered, {view.at.wrong:.0%} of those wrong"
    output.show(f"{out}: {said if view.asking.count else 'the entries alone, nothing was asked'}")


def _queries(path: Path, ids: set[str]) -> list[Labelled]:
    """Read an owner's questions; refuse a file whose labels are no ids at all."""
    asked = read_from(path, lambda stream: list(read_labelled(stream, str(path))))
    if not asked:
        raise click.ClickException(f"{path}: there is no question in it")
    if not any(query.label in ids for query in asked if query.answerable):
        raise click.ClickException(
            f"{path}: no question names an entry: the field label must be the id of one, such as "
            f"{min(ids)!r}"
        )
    return asked


def _as_dict(view: Overview, out: Path) -> dict[str, object]:
    """The figures of the page; a curve is left out, its thresholds are listed."""
    return {
        "out": str(out),
        "release": view.release,
        "entries": view.entries,
        "threshold": view.threshold,
        "asking": asdict(view.asking),
        "shares": {name: round(share, 4) for name, share in asdict(view.shares).items()},
        "ece": round(view.ece, 4),
        "thresholds": [asdict(point) for point in view.steps],
        "reliability": [asdict(one) for one in view.bins],
        "confusions": [asdict(one) for one in view.confusions[:_LISTED]],
        "worst_entries": [
            asdict(one) | {"risk": round(one.risk, 4)} for one in view.fates[:_LISTED]
        ],
        "strangers": [
            {"text": one.text, "first": one.first, "confidence": round(one.confidence, 4)}
            for one in view.strangers[:_LISTED]
        ],
        "problems": sum(one.severity == "problem" for one in view.report.findings),
        "hints": sum(one.severity == "hint" for one in view.report.findings),
        "notes": list(view.notes),
    }
