"""What the knowledge desk's tools give, as the console reads it.

It decides what a finding is called there: an error keeps an entry from being answered, a warning
leads a visitor wrong, advice only might.
"""

from __future__ import annotations

from typing import Any, Final

from core.encoding import timestamp
from core.knowledge import Mark
from core.respond import Response
from gateway.knowledge.checking import Checked, Checks
from gateway.knowledge.importing import Import
from gateway.knowledge.missed import MissedGroup
from gateway.knowledge.trial import Outcome
from kb import Entry, Hit
from kb.finding import Finding, Kind

CANDIDATES: Final = 5
ERRORS: Final[frozenset[Kind]] = frozenset({"empty_answer", "empty_slot", "duplicate"})


def tried_document(
    question: str, response: Response, outcome: Outcome, threshold: float, *, is_draft: bool
) -> dict[str, Any]:
    """What a visitor would be told, and what was considered."""
    verdict = response.verdict
    return {
        "question": question,
        "draft": is_draft,
        "outcome": outcome,
        "confidence": round(verdict.confidence, 4),
        "threshold": threshold,
        "answer": _answer(verdict.hit.entry) if verdict.hit and verdict.answers else None,
        "candidates": [_candidate(hit) for hit in response.hits[:CANDIDATES]],
        "built": True,
    }


def untried_document(question: str, threshold: float) -> dict[str, Any]:
    """The same while the draft has not been looked at."""
    return {
        "question": question,
        "draft": True,
        "outcome": "handed_over",
        "confidence": 0.0,
        "threshold": threshold,
        "answer": None,
        "candidates": [],
        "built": False,
    }


def _answer(entry: Entry) -> dict[str, str]:
    return {"entry_id": entry.id, "locale": entry.locale, "text": entry.answer}


def _candidate(hit: Hit) -> dict[str, Any]:
    return {**_nearest(hit), "reasons": list(hit.reasons)}


def _nearest(hit: Hit) -> dict[str, Any]:
    return {**entry_line(hit.entry), "confidence": round(hit.confidence, 4)}


def entry_line(entry: Entry) -> dict[str, str]:
    """An entry as one line of a list."""
    return {"entry_id": entry.id, "locale": entry.locale, "question": entry.question}


def finding_documents(checks: Checks, site: str) -> dict[str, Any]:
    """What was found last, worst first, and why nothing newer was, if that failed."""
    checked = checks.last(site)
    return {
        "findings": [_finding(one, checked) for one in checked.findings] if checked else [],
        "checked_at": timestamp(checked.at) if checked else None,
        "running": checks.running(site),
        "failed": checks.failed(site),
    }


def _finding(finding: Finding, checked: Checked) -> dict[str, Any]:
    entry = checked.draft.get((finding.entry_id, finding.locale))
    return {
        "kind": finding.kind,
        "severity": _severity(finding),
        "entry_id": finding.entry_id,
        "locale": finding.locale,
        "question": entry.question if entry else "",
        "other": _other(finding, checked),
        "text": finding.why,
        "remedy": finding.remedy,
    }


def _severity(finding: Finding) -> str:
    if finding.severity == "hint":
        return "advice"
    return "error" if finding.kind in ERRORS else "warning"


def _other(finding: Finding, checked: Checked) -> dict[str, str] | None:
    """The first of the entries that it is about too, in this language if it is there."""
    if not finding.others:
        return None
    same = [entry for entry in checked.draft.entries if entry.id == finding.others[0]]
    same.sort(key=lambda entry: entry.locale != finding.locale)
    return entry_line(same[0]) if same else None


def missed_document(group: MissedGroup) -> dict[str, Any]:
    """What visitors asked."""
    return {
        "question": group.question,
        "locale": group.locale,
        "count": group.count,
        "first_at": timestamp(group.first_at),
        "last_at": timestamp(group.last_at),
        "similar": list(group.similar),
        "nearest": _nearest(group.nearest) if group.nearest else None,
        "escalations": list(group.escalations),
    }


def mark_document(mark: Mark) -> dict[str, Any]:
    """A mark."""
    return {
        "id": mark.id,
        "question": mark.question,
        "entry_id": mark.entry_id,
        "author": mark.author,
        "at": timestamp(mark.at),
    }


def import_document(made: Import) -> dict[str, Any]:
    """What an import would change."""
    brought = made.brought
    return {
        "import_id": made.id,
        "source": made.source,
        "added": [entry_line(one.entry) for one in brought.added],
        "changed": [entry_line(one.entry) for one in brought.changed],
        "removed": [entry_line(entry) for entry in brought.removed],
        "unchanged": brought.unchanged,
        "problems": list(brought.problems),
    }
