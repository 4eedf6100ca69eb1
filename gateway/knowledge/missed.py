"""What visitors asked and the knowledge base did not answer, put together and counted.

It decides what is still worth showing: not what was marked, and not what is answered by now. How
far back and how many rows are looked at is bounded. It does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.knowledge import Mark, Missed
from kb import Hit, Index, detect_language
from kb.features import text_key
from kb.groups import group_questions

MOST_ROWS: Final = 1_000
MOST_GROUPS: Final = 200
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class MissedGroup:
    """Questions that ask the same; `similar` are other wordings, `nearest` what came closest."""

    question: str
    locale: str
    count: int
    first_at: float
    last_at: float
    similar: tuple[str, ...]
    nearest: Hit | None
    escalations: tuple[str, ...]


def missed_groups(
    missed: Sequence[Missed], marks: Iterable[Mark], live: Index, threshold: float, today: str
) -> list[MissedGroup]:
    """Put the questions together, the most asked first. `missed` is newest first.

    `today` is a day in ISO 8601: what does not hold on it answers nothing.
    """
    marks = list(marks)
    known = {text_key(mark.question) for mark in marks}
    missed = [one for one in missed if text_key(one.question) not in known]
    embedding = live.finder.meaning.embedding if live.finder.meaning else None
    asked = [(one.question, detect_language(one.question) or one.locale) for one in missed]
    marked = [(mark.question, detect_language(mark.question) or "") for mark in marks]
    groups: list[MissedGroup] = []
    for places in group_questions([*asked, *marked], embedding):
        if max(places) >= len(asked) or len(groups) == MOST_GROUPS:
            continue
        group = _group([missed[at] for at in places], live, today)
        if group.nearest is None or group.nearest.confidence < threshold:
            groups.append(group)
    return groups


def _group(rows: Sequence[Missed], live: Index, today: str) -> MissedGroup:
    first = rows[0]
    hits = live.search(first.question, locale=first.locale, limit=1, today=today)
    others = dict.fromkeys(row.question for row in rows if row.question != first.question)
    by_time = sorted(rows, key=lambda row: row.at, reverse=True)
    return MissedGroup(
        question=first.question,
        locale=detect_language(first.question) or first.locale,
        count=len(rows),
        first_at=by_time[-1].at,
        last_at=by_time[0].at,
        similar=tuple(others)[:EXAMPLES],
        nearest=hits[0] if hits else None,
        escalations=tuple(row.escalation_id for row in by_time[:EXAMPLES]),
    )
