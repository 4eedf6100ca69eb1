"""Answer a question from the knowledge base alone: gate, route, and what to show otherwise.

The browser's Pyodide worker calls `respond_json`; the gateway uses `respond` for the same turn,
so that both decide alike. It refuses a request that is not of its form with `ValueError`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import NoneType
from typing import Any

from core.gate import DEFAULT_THRESHOLD, Verdict, judge
from core.route import Route, route
from kb import Hit, Index, detect_language

MAX_QUESTION = 8_000
SUGGESTIONS = 3
SUGGESTION_FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Response:
    """What the knowledge base says to a question, judged and routed."""

    verdict: Verdict
    route: Route
    hits: tuple[Hit, ...]
    locale: str
    fallback_text: str


def respond(
    index: Index,
    question: str,
    *,
    locale: str | None = None,
    question_locale: str | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    online: bool = True,
) -> Response:
    """Search, judge and route one question.

    `question_locale` is the question's own language where known, else it is detected; it decides
    the answer's language, and `locale` (the visitor's) does where nothing can be told.
    """
    spoken = question_locale or detect_language(question) or locale
    hits = index.search(question[:MAX_QUESTION], locale=spoken)
    verdict = judge(hits, threshold)
    chosen = route(verdict, online=online)
    shown_locale = spoken or (index.locales[0] if index.locales else "en")
    fallback = index.text("fallback" if online else "offline", shown_locale)
    return Response(verdict, chosen, tuple(hits), shown_locale, fallback)


def document(response: Response, index: Index) -> dict[str, object]:
    """The response as the panel reads it (see tests/wire/kb_response.json)."""
    verdict = response.verdict
    return {
        "route": response.route.target,
        "route_reasons": list(response.route.reasons),
        "reasons": list(verdict.reasons),
        "escalate": verdict.escalate,
        "answer": _answer(verdict),
        "fallback": {
            "text": response.fallback_text,
            "locale": response.locale,
            "suggestions": _suggestions(response.hits),
        },
        "gate": {
            "entry_id": verdict.hit.entry.id if verdict.hit else None,
            "confidence": round(verdict.confidence, 4),
            "index_release": index.release,
        },
    }


def _answer(verdict: Verdict) -> dict[str, object] | None:
    if verdict.hit is None or not verdict.answers:
        return None
    entry = verdict.hit.entry
    return {
        "text": entry.answer,
        "confidence": round(verdict.confidence, 4),
        "source": "kb",
        "entry_id": entry.id,
        "locale": entry.locale,
        "citations": [{"title": link.title, "url": link.url} for link in entry.links],
        "method": ",".join(verdict.hit.reasons),
    }


def _suggestions(hits: tuple[Hit, ...]) -> list[dict[str, str]]:
    near = [hit.entry for hit in hits if hit.confidence >= SUGGESTION_FLOOR][:SUGGESTIONS]
    return [{"entry_id": entry.id, "question": entry.question} for entry in near]


def respond_json(index: Index, request: str) -> str:
    """`respond` for a host that speaks JSON; the request's form is in tests/wire/kb_request.json.

    Raises `ValueError` naming the field that is not of its form.
    """
    asked = json.loads(request)
    if not isinstance(asked, dict):
        raise ValueError("the request must be an object")
    threshold = _field(asked, "threshold", (int, float), DEFAULT_THRESHOLD)
    if not 0 <= threshold <= 1:
        raise ValueError("threshold must be between 0 and 1")
    response = respond(
        index,
        _field(asked, "question", str),
        locale=_field(asked, "locale", (str, NoneType), None),
        question_locale=_field(asked, "question_locale", (str, NoneType), None),
        threshold=threshold,
        online=_field(asked, "online", bool, default=True),
    )
    return json.dumps(document(response, index), ensure_ascii=False)


def _field(
    asked: dict[str, Any], name: str, kinds: type | tuple[type, ...], default: object = ...
) -> Any:
    value = asked.get(name, default)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f"{name} is missing or of the wrong type")
    return value
