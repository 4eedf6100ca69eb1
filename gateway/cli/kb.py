"""The commands `fanlight kb build`, `fanlight kb ask` and `fanlight eval kb`.

Decides how files are found, opened and written, and what is printed: progress and problems on
stderr, the result on stdout, one JSON object with `--json`. What the files mean is decided in
`kb`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kb import Hit, Index, IndexFormatError, Reading, build_index, load_index, merge_readings
from kb import read_entries as read
from kb.evaluate import Labelled, entries_of, figures, judge, read_labelled
from kb.readers import Format

_FORMATS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_PATH = click.Path(path_type=Path)


@click.group("kb")
def kb_group() -> None:
    """Build a knowledge base, and ask it."""


@click.group("eval")
def eval_group() -> None:
    """Measure how good the answers are."""


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
    reading = merge_readings((str(path), _read_file(path, locale)) for path in files)
    for problem in reading.problems:
        click.echo(str(problem), err=True)
    if not reading.entries:
        raise click.ClickException("no entry could be read: nothing was written")
    if strict and reading.problems:
        raise click.ClickException(
            "nothing was written: mend the rows above, or leave out --strict"
        )
    data = _build(reading, seed, out_of_scope)
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
    index = _load(path)
    hits = index.search(question, locale=locale, limit=limit)
    if as_json:
        found = [_as_dict(hit) for hit in hits]
        click.echo(json.dumps({"release": index.release, "hits": found}, ensure_ascii=False))
    elif not hits:
        click.echo("Nothing in the knowledge base shares a word with this question.")
    else:
        _show(hits)


@eval_group.command("kb")
@click.option("--kb", "kb_path", required=True, type=_PATH, help="JSON Lines of {text, label}.")
@click.option(
    "--queries", required=True, type=_PATH, help="JSON Lines of {text, label, answerable}."
)
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="Keep rows with this value.")
@click.option("--near-oos", metavar="FIELD", help="Rows with this field true are out of scope.")
@click.option("--threshold", default=0.55, show_default=True, type=click.FloatRange(0, 1))
@click.option("--seed", default=0, show_default=True, help="Seed of the simulated questions.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def eval_kb_command(
    *,
    kb_path: Path,
    queries: Path,
    where: tuple[str, ...],
    near_oos: str | None,
    threshold: float,
    seed: int,
    as_json: bool,
) -> None:
    """Build an index from labelled texts, ask labelled queries, and print the figures."""
    conditions = dict(_condition(text) for text in where)
    entries = entries_of(_labelled(kb_path, conditions, near_oos))
    asked = _labelled(queries, conditions, near_oos)
    for path, rows in ((kb_path, entries), (queries, asked)):
        if not rows:
            raise click.ClickException(f"{path}: no row is left: check --where and --near-oos")
    index = load_index(_build(Reading(tuple(entries), ()), seed, 0.25))
    found = asdict(figures(judge(index, asked, time.perf_counter), threshold))
    rounded = {name: _rounded(value) for name, value in found.items()}
    if as_json:
        click.echo(json.dumps(rounded))
    else:
        for name, value in rounded.items():
            click.echo(f"{name:>12}  {'-' if value is None else value}")


def _rounded(value: float | None) -> float | None:
    return round(value, 4) if isinstance(value, float) else value


def _condition(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not field or not equals:
        raise click.BadParameter(f"{text!r} must be FIELD=VALUE", param_hint="--where")
    return field, value


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a text file, gzipped or not; say what goes wrong with its name and a remedy."""
    try:
        with path.open("rb") as raw:
            plain = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            yield io.TextIOWrapper(cast(Any, plain), encoding="utf-8", newline="")
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"{path}: not UTF-8 ({error.reason}): save it as UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise click.ClickException(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: check the path") from error


def _read_file(path: Path, locale: str | None) -> Reading:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    kind = _FORMATS.get(suffix.lower())
    if kind is None:
        raise click.ClickException(f"{path}: the name must end in one of {', '.join(_FORMATS)}")
    with _opened(path) as stream:
        return read(stream, format=kind, source=str(path), locale=locale)


def _labelled(path: Path, where: dict[str, str], near_oos: str | None) -> list[Labelled]:
    with _opened(path) as stream:
        try:
            return list(read_labelled(stream, str(path), where=where, near_oos=near_oos))
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise click.ClickException(str(error)) from error


def _build(reading: Reading, seed: int, out_of_scope: float) -> bytes:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=1.0)
        return build_index(
            reading.entries,
            seed=seed,
            out_of_scope=out_of_scope,
            progress=lambda step, share: progress.update(task, description=step, completed=share),
        )


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all: the last good index stays until the new one is on disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        written = Path(file.name)
        written.chmod(0o644)
        written.replace(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: choose another --out") from error


def _load(path: Path) -> Index:
    try:
        return load_index(path.read_bytes())
    except OSError as error:
        raise click.ClickException(
            f"{path}: {error.strerror}: build it with `fanlight kb build`"
        ) from error
    except IndexFormatError as error:
        raise click.ClickException(f"{path}: {error}") from error


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
