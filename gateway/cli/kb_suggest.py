"""The command `fanlight kb suggest`: proposes other ways to ask, and puts in those you accept.

Decides the options, what is printed, and which files are written. What is proposed is decided in
`kb.suggest`, what a line of accepted texts may hold in `kb.accept`. Refuses to accept visitors'
questions unread, and to write entries where a row of FILES could not be read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gateway.cli.builders import build, meaning
from gateway.cli.kb_files import read_files
from gateway.cli.knowledge import FORMATS
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import opened, read_from
from gateway.cli.whole_file import write_whole
from kb import Reading, load_index
from kb.accept import Accepted, Key, Provenance, entry_line, merge, provenance, read_accepted
from kb.entry import is_searchable
from kb.suggest import FEW, MOST, Suggestion, read_visitors, suggest

_PATH: Final = click.Path(path_type=Path, dir_okay=False)
_LINES: Final = (".jsonl", ".ndjson")
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class _Target:
    """Where all entries of `files` are written; `locale` is that of rows that name none."""

    files: Sequence[Path]
    locale: str | None
    out: Path


@click.command("suggest")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--locale", help="Language of rows that name none, such as en.")
@click.option(
    "--questions", type=_PATH,
    help="What visitors asked: one a line, or JSON Lines of {question}.",
)  # fmt: skip
@click.option(
    "--fewer-than", default=FEW, show_default=True, type=click.IntRange(1),
    help="Look at entries with fewer ways to ask than this.",
)  # fmt: skip
@click.option(
    "--most", default=MOST, show_default=True, type=click.IntRange(1), help="Proposals an entry."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the index's simulated users.")
@click.option(
    "--write-suggestions", "proposals", type=_PATH, metavar="FILE",
    help="Write the proposals, to be edited and accepted.",
)  # fmt: skip
@click.option(
    "--accept",
    metavar="all|FILE",
    help="Put in a FILE of proposals, or all of them but visitors' questions.",
)
@click.option("--out", type=_PATH, metavar="FILE.jsonl", help="Where --accept writes all entries.")
@json_option
def suggest_command(
    *,
    files: tuple[Path, ...],
    locale: str | None,
    questions: Path | None,
    fewer_than: int,
    most: int,
    seed: int,
    proposals: Path | None,
    accept: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Propose other ways to ask the entries of FILES that have few; put in what you accept."""
    _refuse(files, accept, out, proposals, questions)
    output = Output(as_json)
    reading = read_files(files, locale)
    if not any(is_searchable(entry) for entry in reading.entries):
        raise click.ClickException("no entry could be read: there is nothing to propose for")
    if accept and reading.problems:
        raise click.ClickException("nothing was written: mend the rows above first")
    target = _Target(files, locale, out) if out else None
    if target and accept and accept != ALL:
        _put_in(_read_accepted(Path(accept), reading), reading, target, output)
        return
    found = _propose(reading, _visitors(questions), output, few=fewer_than, most=most, seed=seed)
    if proposals:
        _write(proposals, (json.dumps(_as_dict(one), ensure_ascii=False) for one in found))
    if target:
        _put_in(_unread(found, output), reading, target, output, found)
        return
    output.result({"suggestions": [_as_dict(one) for one in found], **_counts(found)})
    _show(found, proposals, output)


def _refuse(
    files: Sequence[Path],
    accept: str | None,
    out: Path | None,
    proposals: Path | None,
    questions: Path | None,
) -> None:
    """Refuse options that do not go together."""
    if (accept is None) != (out is None):
        raise click.UsageError("--accept and --out go together: --out FILE.jsonl is written")
    if accept not in {None, ALL} and (proposals or questions):
        raise click.UsageError(
            "--accept FILE proposes nothing: leave out --questions and --write-suggestions"
        )
    if out and out.suffix.lower() not in _LINES:
        raise click.BadParameter(f"{out}: the name must end in .jsonl", param_hint="--out")
    if out and len(files) > 1 and out.resolve() in {path.resolve() for path in files}:
        raise click.BadParameter(
            f"{out}: it is one of several FILES, whose entries would then be there twice: choose "
            "another name",
            param_hint="--out",
        )


def _propose(
    reading: Reading, asked: Sequence[str], output: Output, *, few: int, most: int, seed: int
) -> tuple[Suggestion, ...]:
    index = load_index(build(reading.entries, seed=seed), meaning())
    with output.progress("proposing") as progress:
        return suggest(
            index, asked, few=few, most=most, progress=lambda share: progress("proposing", share)
        )


def _visitors(path: Path | None) -> list[str]:
    return read_from(path, lambda stream: read_visitors(stream, str(path))) if path else []


def _read_accepted(path: Path, reading: Reading) -> tuple[Accepted, ...]:
    entries = [entry for entry in reading.entries if is_searchable(entry)]
    return read_from(path, lambda stream: read_accepted(stream, str(path), entries))


def _unread(found: Sequence[Suggestion], output: Output) -> tuple[Accepted, ...]:
    """What may be accepted without being read: all but what visitors asked."""
    kept = [one for one in found if one.source != "question"]
    left_out = len(found) - len(kept)
    if left_out:
        output.tell(
            f"Left out {left_out} questions of visitors: many belong to no entry, so read them "
            "first, with --write-suggestions and then --accept FILE.",
            "yellow",
        )
    return tuple(Accepted(one.entry_id, one.locale, one.text) for one in kept)


def _put_in(
    accepted: Sequence[Accepted],
    reading: Reading,
    target: _Target,
    output: Output,
    found: Sequence[Suggestion] = (),
) -> None:
    """Write all entries with the accepted texts, and say what was put in."""
    merged = merge(reading.entries, accepted)
    came_from = _provenance(target.files, target.locale)
    _write(
        target.out, (entry_line(one, came_from.get((one.id, one.locale))) for one in merged.entries)
    )
    output.result(
        {
            "out": str(target.out),
            "entries": len(merged.entries),
            "added": [asdict(one) for one in merged.added],
            "known": [asdict(one) for one in merged.known],
            **({"suggestions": [_as_dict(one) for one in found]} if found else {}),
        }
    )
    touched = len({(one.entry_id, one.locale) for one in merged.added})
    known = f", {len(merged.known)} were there already" if merged.known else ""
    output.show(f"{target.out}: {len(merged.added)} ways to ask put into {touched} entries{known}")


def _provenance(files: Sequence[Path], locale: str | None) -> dict[Key, Provenance]:
    """Where the entries of JSON Lines files were imported from, the first file before the next."""
    found: dict[Key, Provenance] = {}
    for path in files:
        name = Path(path.stem) if path.suffix == ".gz" else path
        if FORMATS.get(name.suffix.lower()) == "jsonl":
            with opened(path) as stream:
                found = provenance(stream, str(path), locale) | found
    return found


def _write(path: Path, lines: Iterable[str]) -> None:
    try:
        write_whole(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: choose another name") from error


def _as_dict(one: Suggestion) -> dict[str, object]:
    return asdict(one) | {"confidence": round(one.confidence, 4), "gain": round(one.gain, 4)}


def _counts(found: Sequence[Suggestion]) -> dict[str, object]:
    return {
        "entries": len({(one.entry_id, one.locale) for one in found}),
        "sources": dict(sorted(Counter(one.source for one in found).items())),
    }


def _show(found: Sequence[Suggestion], proposals: Path | None, output: Output) -> None:
    table = Table("entry", "gain", "now", "propose", "because", box=SIMPLE_HEAD)
    before: Key | None = None
    for one in found:
        key = (one.entry_id, one.locale)
        name = f"{one.entry_id} ({one.locale})" if key != before else ""
        gain, now = f"{one.gain:.2f}", f"{one.confidence:.2f}"
        table.add_row(Text(name, "bold"), gain, now, Text(one.text), Text(one.why, "dim"))
        before = key
    if found:
        output.show(table)
    output.show(f"proposals: {len(found)} for {_counts(found)['entries']} entries")
    if not found:
        output.show("What could be proposed is known surely already; visitors' own questions help.")
    elif proposals:
        output.show(
            f"{proposals}: delete or mend lines, then --accept {proposals} --out FILE.jsonl"
        )
