"""The command `fanlight kb import`: from FAQ content to a file of entries, again and again.

Decides the options, the summary, and when nothing is written: where nothing was found, where the
file holds a row that cannot be read, and with `--dry-run`. What becomes of the owner's rows is
decided in `kb.reconcile`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, get_args

import click

from gateway.adapters.website import Limits, Website
from gateway.cli.gathering import Gathered, Gatherer
from gateway.cli.output import Output, json_option
from gateway.cli.whole_file import write_whole
from kb.entry import Problem
from kb.reconcile import Change, Joined, Kept, Kind, Outcome, join, read_kept, reconcile

_SUFFIXES: Final = (".jsonl", ".ndjson")
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind.__value__)
_LISTED: Final[tuple[Kind, ...]] = ("kept", "vanished")


@dataclass(frozen=True, slots=True)
class _Imported:
    """All that a run has to say."""

    out: Path
    outcome: Outcome
    joined: Sequence[Joined]
    problems: Sequence[Problem]
    is_written: bool
    pruned: bool


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The JSON Lines file that is written, or brought up to date.",
)  # fmt: skip
@click.option("--locale", help="Language of pages and rows that name none, such as en.")
@click.option("--prune", is_flag=True, help="Delete rows that left their source, unless edited.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option(
    "--max-pages", default=200, show_default=True, type=click.IntRange(1, 10_000),
    help="Pages of a sitemap that are read.",
)  # fmt: skip
@click.option(
    "--time", "seconds", default=60.0, show_default=True, type=click.FloatRange(1, 3_600),
    help="Seconds that one site may take.",
)  # fmt: skip
@click.option(
    "--allow-private", multiple=True, metavar="HOST:PORT",
    help="A private address that may be read, exactly so written; may be given again.",
)  # fmt: skip
@json_option
def import_command(
    *,
    sources: tuple[str, ...],
    out: Path,
    locale: str | None,
    prune: bool,
    dry_run: bool,
    max_pages: int,
    seconds: float,
    allow_private: tuple[str, ...],
    as_json: bool,
) -> None:
    """Turn FAQ content into entries: web pages, sitemaps, HTML, Markdown, CSV, JSON Lines.

    SOURCE is an address, a file or a folder. Import again to bring the file up to date: rows that
    you edited stay as they are.
    """
    output = Output(as_json)
    kept, before = _read_out(out)
    website = _website(allow_private, seconds)
    with output.progress("importing") as report:
        gatherer = Gatherer(website, out, locale, max_pages, report)
        gathered = asyncio.run(_gather(gatherer, sources))
    for problem in gathered.problems:
        output.tell(_shown(problem))
    found, joined = join(gathered.found)
    if not found and not gathered.gone:
        raise click.ClickException("no question could be imported: nothing was written")
    outcome = reconcile(kept, found, gathered.scope, prune=prune)
    data = "".join(f"{line}\n" for line in outcome.lines).encode()
    is_new = data != before
    if is_new and not dry_run:
        _write(out, data)
    _tell(
        _Imported(out, outcome, joined, gathered.problems, is_new and not dry_run, prune),
        output,
        dry_run=dry_run,
    )


async def _gather(gatherer: Gatherer, sources: Sequence[str]) -> Gathered:
    try:
        return await gatherer.gather(sources)
    finally:
        await gatherer.website.close()


def _website(allow_private: Iterable[str], seconds: float) -> Website:
    try:
        return Website(allow_private, limits=Limits(site_s=seconds))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--allow-private") from error


def _read_out(path: Path) -> tuple[list[Kept], bytes | None]:
    """What the file holds from earlier; refuses one in which a row would be lost."""
    if path.suffix.lower() not in _SUFFIXES:
        raise click.BadParameter(
            f"{path}: the name must end in {' or '.join(_SUFFIXES)}", param_hint="--out"
        )
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except FileNotFoundError:
        return [], None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: choose another --out") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: not UTF-8: save it as UTF-8 first") from error
    rows = read_kept(text.split("\n"), str(path))
    bad = [row for row in rows if isinstance(row, Problem)]
    if bad:
        listed = "\n".join(map(_shown, bad))
        raise click.ClickException(f"nothing was written: mend these rows first\n{listed}")
    return [row for row in rows if isinstance(row, Kept)], data


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: choose another --out") from error


def _tell(done: _Imported, output: Output, *, dry_run: bool) -> None:
    changes = done.outcome.changes
    counts = Counter(change.kind for change in changes)
    output.result(
        {
            "out": str(done.out),
            "written": done.is_written,
            "dry_run": dry_run,
            "pruned": done.pruned,
            "rows": len(done.outcome.lines),
            **{
                kind: [_as_dict(change) for change in changes if change.kind == kind]
                for kind in _KINDS
            },
            "joined": [asdict(one) for one in done.joined],
            "problems": [asdict(problem) for problem in done.problems],
        }
    )
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS)
    output.show(f"{done.out}: {summary}, {len(done.problems)} problems")
    for kind in _LISTED:
        output.show(*(_line(change, done) for change in changes if change.kind == kind))
    output.show(*(_joined_line(one) for one in done.joined))
    if dry_run:
        output.show("Dry run: nothing was written.")


def _as_dict(change: Change) -> dict[str, str]:
    fields = {"id": change.id, "locale": change.locale, "origin": change.origin}
    return fields | ({"note": change.note} if change.note else {})


def _line(change: Change, done: _Imported) -> str:
    note = change.note or ("deleted" if done.pruned else "still in the file; --prune deletes it")
    return f"  {change.kind}: {change.id} ({change.locale}), {note} [{change.origin}]"


def _joined_line(joined: Joined) -> str:
    note = "its answers differ, the first one stands" if joined.differ else "one answer"
    return f"  joined: {joined.id} ({joined.locale}), {note} [{', '.join(joined.origins)}]"


def _shown(problem: Problem) -> str:
    """A problem as one line; the number is left out where it is about a whole page or file."""
    return str(problem) if problem.line else f"{problem.source}: {problem.reason}"
