"""The CSV reader: a header of field names, then one entry a row.

Decides how lists are written in one cell: variants with `|` between them, tags with commas, links
in Markdown. Refuses a header with unknown names, and rows longer or shorter than the header.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from kb.entry import Problem
from kb.readers.row import FIELDS, Row, split_links, unknown_field


def read_csv(lines: Iterator[str], source: str, locale: str | None) -> Iterator[Row | Problem]:
    """Read rows of CSV; a broken header is one problem, and nothing can be read after it."""
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(source, start, f"not CSV: {error}; check the quotes")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [name.strip().lower() for name in cells]
            problem = _header_problem(header)
            if problem:
                yield Problem(source, start, problem)
                return
        elif len(cells) != len(header):
            yield Problem(source, start, f"{len(cells)} cells, but the header has {len(header)}")
        else:
            yield _row(dict(zip(header, cells, strict=True)), source, start, locale)


def _header_problem(header: list[str]) -> str | None:
    for name in header:
        if name not in FIELDS:
            return unknown_field(name)
    if len(set(header)) != len(header):
        return "a field is named twice in the header"
    missing = {"question", "answer"}.difference(header)
    return f"the header lacks {', '.join(sorted(missing))}" if missing else None


def _row(cells: dict[str, str], source: str, line: int, locale: str | None) -> Row:
    return Row(
        source,
        line,
        id=cells.get("id", ""),
        locale=cells.get("locale", "").strip() or locale or "",
        question=cells["question"],
        answer=cells["answer"],
        variants=tuple(cells.get("variants", "").split("|")),
        links=split_links(cells.get("links", "")),
        tags=tuple(cells.get("tags", "").split(",")),
        escalate=cells.get("escalate", ""),
        valid_from=cells.get("valid_from", ""),
        valid_until=cells.get("valid_until", ""),
        origin=cells.get("origin", "").strip(),
        source_hash=cells.get("source_hash", "").strip(),
    )
