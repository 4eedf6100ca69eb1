"""The Markdown reader: one file a language, one `## Question {#id}` heading an entry.

Decides where an entry starts, and which bullets under its heading are fields. Refuses fields that
it does not know and text before the first heading; headings inside fenced code are part of the
answer.

    locale: en

    ## How do I change my password? {#password-change}
    - also: I forgot my password
    - tags: account, password
    - link: [Account](https://example.com/account)
    - escalate: always
    - valid_until: 2026-12-31

    The answer, in Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from kb.entry import Problem
from kb.readers.row import Row

_HEADING = re.compile(r"##[ \t]+(.*?)(?:[ \t]*\{#([^}]*)\})?[ \t]*\Z")
_BULLET = re.compile(r"[-*][ \t]+(\w+)[ \t]*:[ \t]*(.*)\Z")
_FRONT = re.compile(r"(\w+)[ \t]*:[ \t]*(.*)\Z")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_BULLETS: Final = ("also", "tags", "link", "escalate", "valid_from", "valid_until")


@dataclass(slots=True)
class _Draft:
    """An entry while its lines are being read."""

    row: Row
    answer: list[str] = field(default_factory=list)
    problem: Problem | None = None
    in_fields: bool = True
    blank: bool = False
    fence: str = ""

    def finish(self) -> Row | Problem:
        return self.problem or replace(self.row, answer="\n".join(self.answer))


def read_markdown(lines: Iterator[str], source: str, locale: str | None) -> Iterator[Row | Problem]:
    """Read one entry from each second-level heading."""
    draft: _Draft | None = None
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r\n")
        heading = _HEADING.match(line)
        if heading and not (draft and draft.fence):
            if draft:
                yield draft.finish()
            question, given = heading.group(1), heading.group(2) or ""
            draft = _Draft(Row(source, number, given, locale or "", question))
        elif draft:
            _take(draft, line, number)
        elif line.strip() and line.strip() != "---" and not line.startswith("# "):
            front = _FRONT.match(line)
            if front and front.group(1) == "locale":
                locale = front.group(2).strip()
            else:
                yield Problem(
                    source, number, "before the first ## heading only `locale: en` may stand"
                )
    if draft:
        yield draft.finish()


def _take(draft: _Draft, line: str, number: int) -> None:
    """Add one line under the heading: a field until the first that is none, then the answer."""
    bullet = _BULLET.match(line) if draft.in_fields else None
    # After a blank line only known names are fields: an answer may itself begin with bullets.
    if bullet and (not draft.blank or bullet.group(1).lower() in _BULLETS):
        _set_field(draft, bullet.group(1).lower(), bullet.group(2).strip(), number)
        return
    if not line.strip() and not draft.answer:
        draft.blank = True
        draft.in_fields = not _has_fields(draft.row)
        return
    draft.in_fields = False
    fence = _FENCE.match(line)
    if fence and not draft.fence:
        draft.fence = fence.group(1)
    elif fence and line.strip().startswith(draft.fence):
        draft.fence = ""
    draft.answer.append(line)


def _has_fields(row: Row) -> bool:
    dated = row.valid_from or row.valid_until
    return bool(row.variants or row.tags or row.links or row.escalate or dated)


def _set_field(draft: _Draft, name: str, value: str, number: int) -> None:
    row = draft.row
    match name:
        case "also":
            draft.row = replace(row, variants=(*row.variants, value))
        case "tags":
            draft.row = replace(row, tags=(*row.tags, *value.split(",")))
        case "link":
            draft.row = replace(row, links=(*row.links, value))
        case "escalate":
            draft.row = replace(row, escalate=value)
        case "valid_from":
            draft.row = replace(row, valid_from=value)
        case "valid_until":
            draft.row = replace(row, valid_until=value)
        case _:
            reason = f"unknown field {name!r}: use one of {', '.join(_BULLETS)}"
            draft.problem = draft.problem or Problem(row.source, number, reason)
