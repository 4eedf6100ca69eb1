"""The commands `fanlight kb build` and `fanlight kb ask`.

Decides how files are found, opened and written, and what is printed: progress and problems on
stderr, the result on stdout, one JSON object with `--json`. What the files mean is decided in
`kb`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.builders import build
from gateway.cli.kb_check import check_command
from gateway.cli.kb_explain import explain_command
from gateway.cli.kb_files import load_file, read_files
from gateway.cli.kb_import import import_command
from gateway.cli.kb_nearest import nearest_command
from gateway.cli.kb_report import report_command
from gateway.cli.kb_suggest import suggest_command
from gateway.cli.whole_file import write_whole
from kb import Hit, load_index

_PATH = click.Path(path_type=Path)


@click.group("kb")
def kb_group() -> None:
    """Build a knowledge base, and ask it."""


for _command in (
    *(import_command, check_command, explain_command, nearest_command),
    *(suggest_command, report_command),
):
    kb_group.add_command(_command)


@kb_group.command("build")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--out", required=True, type=_PATH, help="Where the index is written.")
@click.option("--locale", help="Language of rows that name none, such as en.")
@click.option("--seed", default=0, show_default=True, help="Seed of the simulated questions.")
@click.option(
    "--out-of-scope", default=0.25, show_default=True, type=click.FloatRange(0, 0.95),
    help="Share of questions expected to have no answer here.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Write nothing when a row has a problem.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def build_command(
    *,
    files: tuple[Path, ...],
    out: Path,
    locale: str | None,
    seed: int,
    out_of_scope: float,
    strict: bool,
    as_json: bool,
) -> None:
    """Build an index from Markdown, CSV and JSON Lines FILES (each may end in .gz)."""
    reading = read_files(files, locale)
    if not reading.entries:
        raise click.ClickException("no entry could be read: nothing was written")
    if strict and reading.problems:
        raise click.ClickException(
            "nothing was written: mend the rows above, or leave out --strict"
        )
    data = build(reading.entries, seed=seed, out_of_scope=out_of_scope, earlier=_before(out))
    _write(out, data)
    index = load_index(data)
    result = {
        "out": str(out),
        "release": index.release,
        "entries": len(index),
        "locales": list(index.locales),
        "bytes": len(data),
        "problems": [asdict(problem) for problem in reading.problems],
    }
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        click.echo(
            f"{out}: {len(index)} entries in {', '.join(index.locales)}, {len(data):,} bytes, "
            f"release {index.release}, {len(reading.problems)} problems"
        )


@kb_group.command("ask")
@click.option("--index", "path", required=True, type=_PATH, help="An index from `kb build`.")
@click.option("--locale", help="Language of the page, such as es.")
@click.option("--limit", default=3, show_default=True, type=click.IntRange(1, 50))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("question")
def ask_command(path: Path, locale: str | None, limit: int, as_json: bool, question: str) -> None:
    """Show what the knowledge base finds for QUESTION, with its confidence and reasons."""
    index = load_file(path)
    today = datetime.now(tz=UTC).date().isoformat()
    hits = index.search(question, locale=locale, limit=limit, today=today)
    if as_json:
        found = [_as_dict(hit) for hit in hits]
        click.echo(json.dumps({"release": index.release, "hits": found}, ensure_ascii=False))
    elif not hits:
        click.echo("Nothing in the knowledge base shares a word with this question.")
    else:
        _show(hits)


def _before(path: Path) -> bytes | None:
    """What is there already: an index of the same entries spares a part of the work."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all: the last good index stays until the new one is on disk."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: choose another --out") from error


def _as_dict(hit: Hit) -> dict[str, Any]:
    return {
        "entry_id": hit.entry.id,
        "locale": hit.entry.locale,
        "question": hit.entry.question,
        "answer": hit.entry.answer,
        "score": round(hit.score, 6),
        "confidence": round(hit.confidence, 6),
        "reasons": list(hit.reasons),
        "escalate": hit.entry.escalate,
    }


def _show(hits: tuple[Hit, ...]) -> None:
    table = Table("confidence", "entry", "locale", "question", "why")
    for hit in hits:
        why = ", ".join(hit.reasons)
        table.add_row(
            f"{hit.confidence:.2f}", hit.entry.id, hit.entry.locale, hit.entry.question, why
        )
    console = Console()
    console.print(table)
    console.print(hits[0].entry.answer, markup=False, highlight=False)
