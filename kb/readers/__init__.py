"""How entries are read from a text stream: Markdown, CSV or JSON Lines.

Decides which rows are entries and which are problems; a bad row never stops the rest. Refuses an
unknown format with `ValueError`. Opens nothing: callers open the file and name it as `source`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, TextIO, get_args

from kb.entry import Entry, Problem, Reading
from kb.readers.csv_rows import read_csv
from kb.readers.json_lines import read_json_lines
from kb.readers.markdown import read_markdown
from kb.readers.row import Row, entry_of

type Format = Literal["markdown", "csv", "jsonl"]

FORMATS: Final[tuple[str, ...]] = get_args(Format.__value__)

_READERS: Final = {"markdown": read_markdown, "csv": read_csv, "jsonl": read_json_lines}


def read_entries(
    stream: TextIO,
    *,
    format: Format,  # noqa: A002 (the name that callers expect)
    source: str,
    locale: str | None = None,
) -> Reading:
    """Read every entry of a text stream.

    `locale` is the language of rows that name none; without it such a row is a problem. The second
    row with the same id and locale is a problem too: the first one stands.
    """
    if format not in _READERS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    return _collect(_READERS[format](_without_mark(stream), source, locale))


def merge_readings(readings: Iterable[tuple[str, Reading]]) -> Reading:
    """Join the readings of several sources; an entry that an earlier one has is a problem."""
    entries: dict[tuple[str, str], Entry] = {}
    problems: list[Problem] = []
    for source, reading in readings:
        problems.extend(reading.problems)
        for entry in reading.entries:
            if (entry.id, entry.locale) in entries:
                problems.append(Problem(source, 0, _duplicate(entry)))
            else:
                entries[entry.id, entry.locale] = entry
    return Reading(tuple(entries.values()), tuple(problems))


def _without_mark(stream: TextIO) -> Iterator[str]:
    """Give the lines, without the byte order mark that spreadsheets put first."""
    for number, line in enumerate(stream):
        yield line.removeprefix("\ufeff") if number == 0 else line


def _collect(rows: Iterator[Row | Problem]) -> Reading:
    entries: dict[tuple[str, str], Entry] = {}
    problems: list[Problem] = []
    for row in rows:
        entry = row if isinstance(row, Problem) else entry_of(row)
        if isinstance(entry, Problem):
            problems.append(entry)
        elif (entry.id, entry.locale) in entries:
            problems.append(Problem(row.source, row.line, _duplicate(entry)))
        else:
            entries[entry.id, entry.locale] = entry
    return Reading(tuple(entries.values()), tuple(problems))


def _duplicate(entry: Entry) -> str:
    return (
        f"id {entry.id!r} is there twice in locale {entry.locale!r}: "
        "the first one stands; give this one its own id, or join the two"
    )
