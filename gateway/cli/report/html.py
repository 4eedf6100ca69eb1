"""Text as HTML, and the few forms that every part of a report has.

Decides that nothing of a knowledge base is ever markup: it is escaped, without control characters,
and kept apart from the page's own direction, so that Hebrew and English stand beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Markup that is safe to put into a page."""


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    is_number: bool


def plain(text: str) -> Html:
    """Give a text of ours, escaped."""
    return Html(escape(_printable(text)))


def own(text: str) -> Html:
    """Give a text of the knowledge base or of a visitor: its direction is its own affair."""
    return Html(f'<bdi dir="auto">{plain(text)}</bdi>')


def quote(text: str, most: int = 110) -> Html:
    """Give a visitor's words in quotes, on one line, cut where they are long."""
    line = " ".join(text.split())
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return Html(f'<q dir="auto">{plain(cut)}</q>')


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Give parts one after the other; `between` is ours."""
    return Html(escape(between).join(parts))


def para(text: Html, kind: str = "") -> Html:
    """Give a paragraph; `kind` is a class of the style sheet."""
    attribute = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<p{attribute}>{text}</p>")


def section(name: str, title: str, *parts: Html) -> Html:
    """Give a part of the page with its heading, which can be linked to."""
    return Html(
        f'<section aria-labelledby="{escape(name)}">'
        f'<h2 id="{escape(name)}">{plain(title)}</h2>{join(parts)}</section>'
    )


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Html]],
    *,
    stacked: bool = False,
) -> Html:
    """Give a table that scrolls within itself on a narrow screen; the first column names the row.

    A head that begins with `#` is of numbers, which stand to the right. `stacked` tables stand as
    cards there instead; their roles are said, because a browser forgets what is not laid out so.
    """
    columns = [_Column(head.lstrip("#"), head.startswith("#")) for head in heads]
    top = "".join(
        f'<th scope="col" role="columnheader"{_number(one)}>{plain(one.head)}</th>'
        for one in columns
    )
    body = "".join(f'<tr role="row">{_cells(row, columns)}</tr>' for row in rows)
    kind = ' class="stacked"' if stacked else ""
    return Html(
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0">'
        f'<table role="table"{kind}><caption>{plain(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{top}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>'
    )


def folded(summary: str, *parts: Html) -> Html:
    """Give what is opened when wanted; in print it is open."""
    return Html(f"<details><summary>{plain(summary)}</summary>{join(parts)}</details>")


def percent(share: float) -> str:
    """Give a share in whole percents; what is neither none nor all is never shown as such."""
    shown = f"{share:.0%}"
    if shown == "0%" and share > 0:
        return "under 1%"
    return "over 99%" if shown == "100%" and share < 1 else shown


def of_hundred(shares: Sequence[float]) -> list[int]:
    """Give shares that sum to 1 as whole numbers that sum to 100 (largest remainder)."""
    parts = [100 * share for share in shares]
    whole = [int(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda at: (whole[at] - parts[at], at))
    for at in order[: max(0, 100 - sum(whole))]:
        whole[at] += 1
    return whole


def _cells(row: Sequence[Html], columns: Sequence[_Column]) -> str:
    first, *rest = columns
    cells = [f'<th scope="row" role="rowheader"{_number(first)}>{row[0]}</th>']
    cells += [
        f'<td role="cell"{_number(one)} data-label="{escape(one.head)}">{cell}</td>'
        for cell, one in zip(row[1:], rest, strict=True)
    ]
    return "".join(cells)


def _number(column: _Column) -> str:
    return ' class="number"' if column.is_number else ""


def _printable(text: str) -> str:
    shown = "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
    return shown.encode("utf-8", "replace").decode()
