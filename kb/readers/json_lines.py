"""The JSON Lines reader: one object a line, with the fields' own names.

Decides that lists are JSON lists and that a link is `{"title", "url"}` or Markdown. Refuses a line
that is not an object, an unknown field, and a value of the wrong type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kb.entry import Problem
from kb.readers.row import FIELDS, Row, RowError, unknown_field


def read_json_lines(
    lines: Iterator[str], source: str, locale: str | None
) -> Iterator[Row | Problem]:
    """Read one entry from each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _row(json.loads(line), source, number, locale)
        except json.JSONDecodeError as error:
            yield Problem(source, number, f"not JSON: {error.msg} at column {error.colno}")
        except RecursionError:
            yield Problem(source, number, "not an entry: nested too deep")
        except RowError as error:
            yield Problem(source, number, str(error))


def _row(value: Any, source: str, line: int, locale: str | None) -> Row:
    if not isinstance(value, dict):
        raise RowError("each line must be one JSON object")
    for name in value:
        if name not in FIELDS:
            raise RowError(unknown_field(name))
    return Row(
        source,
        line,
        id=_text(value, "id"),
        locale=_text(value, "locale") or locale or "",
        question=_text(value, "question"),
        answer=_text(value, "answer"),
        variants=_texts(value, "variants"),
        links=tuple(_link(link) for link in _list(value, "links")),
        tags=_texts(value, "tags"),
        escalate=_flag(value),
        valid_from=_text(value, "valid_from"),
        valid_until=_text(value, "valid_until"),
        origin=_text(value, "origin"),
        source_hash=_text(value, "source_hash"),
    )


def _text(value: dict[str, Any], field: str) -> str:
    given = value.get(field)
    if given is not None and not isinstance(given, str):
        raise RowError(f"{field} must be text")
    return given or ""


def _list(value: dict[str, Any], field: str) -> list[Any]:
    given = value.get(field)
    if given is not None and not isinstance(given, list):
        raise RowError(f"{field} must be a list")
    return given or []


def _texts(value: dict[str, Any], field: str) -> tuple[str, ...]:
    items = _list(value, field)
    if not all(isinstance(item, str) for item in items):
        raise RowError(f"{field} must be a list of texts")
    return tuple(items)


def _link(link: Any) -> str:
    if isinstance(link, str):
        return link
    if isinstance(link, dict) and link.keys() == {"title", "url"}:
        return f"[{link['title']}]({link['url']})"
    raise RowError('a link must be {"title", "url"} or "[Title](https://…)"')


def _flag(value: dict[str, Any]) -> str:
    given = value.get("escalate")
    if isinstance(given, bool):
        return "always" if given else ""
    return _text(value, "escalate")
