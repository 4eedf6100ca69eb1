"""The reader of help-centre exports: CSV whose columns Zendesk, Freshdesk and others name.

Decides which column is the question, the answer, the language, a tag or the address, by the names
that such exports use; other columns are passed over. HTML in an answer becomes Markdown. A file
whose columns are all Fanlight's own is left to the CSV reader. Refuses a header without a question
or an answer, and articles that are not published.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kb.entry import Problem
from kb.readers.csv_rows import read_csv
from kb.readers.html_markdown import html_to_markdown
from kb.readers.html_tree import PageTooLarge, language_tag, parse_page, text_of
from kb.readers.question_form import clean_question
from kb.readers.row import FIELDS, Row
from kb.readers.safe_markdown import has_tags, safe_markdown
from kb.readers.web_page import is_address

MAX_CELL: Final = 5 * 1024 * 1024
"""Characters of one cell."""
NOT_PUBLISHED: Final = "not published: it is left out; publish it and export again"

# Of two columns with one meaning the first one named here counts; of tags all do.
_COLUMNS: Final = {
    "question": ("question", "title", "article title", "subject", "name", "heading"),
    "answer": (
        "answer", "body", "html body", "body html", "article body", "content", "article content",
        "html content", "solution", "text", "description html", "description",
    ),
    "locale": ("locale", "language", "lang", "article language", "language code"),
    "tags": (
        "tags", "labels", "label names", "keywords", "category", "category name", "section",
        "section name", "folder", "folder name", "topic", "collection", "collection name",
        "knowledge base category",
    ),
    "origin": (
        "html url", "url", "article url", "public url", "link", "permalink", "page url",
    ),
    "id": ("id", "article id"),
    "state": ("state", "status", "article status"),
    "published": ("published", "is published"),
    "draft": ("draft", "is draft"),
}  # fmt: skip
_UNPUBLISHED: Final = frozenset(("draft", "unpublished", "archived", "scheduled", "private"))
_TRUE: Final = frozenset(("true", "yes", "1"))
_FALSE: Final = frozenset(("false", "no", "0"))
_LANGUAGES: Final = {
    "english": "en", "spanish": "es", "español": "es", "hebrew": "he", "עברית": "he", "iw": "he",
}  # fmt: skip
_TAG_SEPARATORS = re.compile(r"[,;|]")
_ID = re.compile(r"[\w.:-]{1,128}\Z")


def read_export(lines: Iterator[str], source: str, locale: str | None) -> Iterator[Row | Problem]:
    """Read one row from each published article; `locale` is that of rows that name none."""
    text = list(lines)
    header = _header(text)
    if set(header) <= set(FIELDS):
        yield from read_csv(iter(text), source, locale)
        return
    columns = _mapped(header)
    missing = [field for field in ("question", "answer") if field not in columns]
    if missing:
        yield Problem(source, 1, _missing(missing[0]))
        return
    rows = _rows(text)
    next(rows)  # the header
    for line, cells in rows:
        if isinstance(cells, str):
            yield Problem(source, line, cells)
        elif len(cells) != len(header):
            reason = f"{len(cells)} cells, but the header has {len(header)}"
            yield Problem(source, line, reason)
        else:
            yield _row(cells, columns, source, line, locale)


def _rows(text: Sequence[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Give the line and the cells of each row that is not blank, or what is wrong with it."""
    reader = csv.reader(iter(text), delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            with _long_cells():
                cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"not CSV: {error}; check the quotes"
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let a cell be as long as an article; the limit is the whole process's, so it is put back."""
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _header(text: Sequence[str]) -> list[str]:
    _line, cells = next(_rows(text), (0, []))
    return [] if isinstance(cells, str) else [name.strip().lower() for name in cells]


def _delimiter(text: Sequence[str]) -> str:
    """Take what separates the header: spreadsheets of many countries write semicolons."""
    first = next((line for line in text if line.strip()), "")
    return max(",;\t", key=first.count)


def _mapped(header: Sequence[str]) -> dict[str, list[int]]:
    plain = [" ".join(re.split(r"[\s_\-.]+", name)) for name in header]
    places = {
        field: [plain.index(name) for name in names if name in plain]
        for field, names in _COLUMNS.items()
    }
    return {field: found for field, found in places.items() if found}


def _missing(field: str) -> str:
    names = ", ".join(_COLUMNS[field])
    return f"no column is the {field}: name one of them {field} (understood: {names})"


def _row(
    cells: Sequence[str],
    columns: dict[str, list[int]],
    source: str,
    line: int,
    locale: str | None,
) -> Row | Problem:
    def cell(field: str) -> str:
        return next((cells[at].strip() for at in columns.get(field, ()) if cells[at].strip()), "")

    if (
        cell("state").lower() in _UNPUBLISHED
        or cell("draft").lower() in _TRUE
        or cell("published").lower() in _FALSE
    ):
        return Problem(source, line, NOT_PUBLISHED)
    given, url = cell("id"), cell("origin")
    is_id = _ID.match(given)
    try:
        question = clean_question(text_of(parse_page(cell("question")).root))
        answer = _answer(cell("answer"), url)
    except PageTooLarge as error:
        return Problem(source, line, str(error))
    return Row(
        source,
        line,
        id=given if is_id else "",
        locale=_language(cell("locale")) or locale or "",
        question=question,
        answer=answer,
        tags=tuple(
            tag for at in columns.get("tags", ()) for tag in _TAG_SEPARATORS.split(cells[at])
        ),
        origin=url if is_address(url) else f"{source}#{given}" if is_id else "",
    )


def _answer(text: str, url: str) -> str:
    base = url if is_address(url) else ""
    return html_to_markdown(text, base) if has_tags(text) else safe_markdown(text)


def _language(text: str) -> str:
    return _LANGUAGES.get(text.lower()) or language_tag(text) or text
