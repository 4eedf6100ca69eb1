"""Answer a question from the knowledge base alone: gate, route, and what to show otherwise.

A question that is not sure enough by itself is read once more as going on from the one before.
The browser's Pyodide worker calls it through `core.device`; the gateway uses `respond` for the same
turn, so that both decide alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any

from core.fields import read, read_choice, read_day, read_object, read_share, read_texts
from core.gate import DEFAULT_THRESHOLD, Verdict, judge
from core.risk import NO_TOPICS, Topics, own_topics
from core.route import ENGINES, NETWORKS, POLICIES, Network, Route, Signals, route
from kb import Hit, Index, SystemText, detect_language, follow_up
from kb.follow import HISTORY, RIVALS, leans, points
from kb.normalise import words
from kb.refine import Near, refined, texts

if TYPE_CHECKING:
    from core.messages import Suggestion

MAX_QUESTION = 8_000
SUGGESTIONS = 3
SUGGESTION_FLOOR = 0.05
QUICK = 24
"""So many words, at the most, has a follow-up that is quickly answered."""
ONLINE = Signals()


@dataclass(frozen=True, slots=True)
class Response:
    """What the knowledge base says to a question, judged and routed.

    `clarify_text` is said above the choices, where there are any. `declined`: the visitor has been
    asked back, and meant none of the choices.
    """

    verdict: Verdict
    route: Route
    hits: tuple[Hit, ...]
    locale: str
    fallback_text: str
    declined: bool = False
    clarify_text: str = ""
    signals: Signals = ONLINE


def respond(
    index: Index,
    question: str,
    *,
    locale: str | None = None,
    question_locale: str | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    signals: Signals = ONLINE,
    attended: bool = True,
    may_clarify: bool = True,
    history: Sequence[str] = (),
    today: str | None = None,
    near: Near | None = None,
) -> Response:
    """Search, judge and route one question.

    `question_locale` is the question's own language where known, else it is detected; it decides
    the answer's language, and `locale` (the visitor's) does where nothing can be told.
    `signals` say what the route is chosen by; what follows from the history is worked out here.
    `attended` is False where nobody is there to answer soon, as far as the caller knows.
    `may_clarify` is False once the visitor has meant none of the choices. `history` has the
    visitor's earlier questions, oldest first; `today` (ISO 8601) is the day that answers hold on.
    `near` is what an encoder says of the question, where one is at hand: it is heard where the
    knowledge base is not sure by itself.
    """
    question = question[:MAX_QUESTION]
    spoken = question_locale or detect_language(question) or locale
    hits = index.search(question, locale=spoken, limit=RIVALS, today=today)
    verdict = judge(hits, threshold, may_clarify=may_clarify)
    if near is not None and not verdict.answers:
        hits = refined(hits, question, near)
        verdict = judge(hits, threshold, may_clarify=may_clarify)
    told = False
    if history and _may_go_on(question, verdict):
        earlier = [text[:MAX_QUESTION] for text in history]
        reread = follow_up(index, question, hits, earlier, locale=spoken, today=today)
        again = judge(reread, threshold, may_clarify=may_clarify)
        told = bool(reread)
        if reread and _goes_on(verdict, again):
            hits, verdict = reread, again
    signals = replace(signals, follow_up=bool(history) and is_quick(question), told=told)
    chosen = route(verdict, signals)
    shown_locale = spoken or (index.locales[0] if index.locales else "en")
    kind = _fallback_kind(online=signals.network != "offline", attended=attended)
    fallback = index.text(kind, shown_locale, today=today)
    asked_back = index.text("clarify", shown_locale, today=today) if verdict.choices else ""
    return Response(
        verdict, chosen, hits, shown_locale, fallback, declined=not may_clarify,
        clarify_text=asked_back, signals=signals,
    )  # fmt: skip


def _fallback_kind(*, online: bool, attended: bool) -> SystemText:
    if not online:
        return "offline"
    return "fallback" if attended else "out_of_hours"


def is_quick(question: str) -> bool:
    """Say whether a question goes on from the one before it, and is short."""
    return leans(question) and len(words(question)) <= QUICK


def _may_go_on(question: str, verdict: Verdict) -> bool:
    """Say whether a question is to be read after the one before it too.

    One that is sure by itself is not, unless it points at what was said in other words than an
    entry has.
    """
    if verdict.hit is None or not verdict.answers:
        return True
    return points(question) and "exact" not in verdict.hit.reasons


def _goes_on(alone: Verdict, reread: Verdict) -> bool:
    """Say whether the second reading decides: where it is surer, or leads elsewhere."""
    if alone.hit and reread.hit and alone.answers:
        return alone.hit.entry.id != reread.hit.entry.id
    return reread.answers or reread.confidence > alone.confidence


def document(response: Response, index: Index) -> dict[str, object]:
    """The response as the panel reads it (see tests/wire/kb_response.json)."""
    verdict = response.verdict
    return {
        "route": response.route.target,
        "route_reasons": list(response.route.reasons),
        "otherwise": response.route.otherwise,
        "risk": list(response.signals.risk),
        "reasons": list(verdict.reasons),
        "escalate": verdict.escalate,
        "answer": _answer(verdict),
        "clarify": _clarify(response),
        "fallback": {
            "text": response.fallback_text,
            "locale": response.locale,
            "suggestions": [] if response.declined else _suggestions(response.hits),
        },
        "gate": {
            "entry_id": verdict.hit.entry.id if verdict.hit else None,
            "confidence": round(verdict.hit.confidence, 4) if verdict.hit else 0.0,
            "index_release": index.release,
        },
    }


def _answer(verdict: Verdict) -> dict[str, object] | None:
    if verdict.hit is None or not verdict.answers:
        return None
    entry = verdict.hit.entry
    return {
        "text": entry.answer,
        "sentence": marked_sentence(verdict.hit),
        "confidence": round(verdict.confidence, 4),
        "source": "kb",
        "entry_id": entry.id,
        "locale": entry.locale,
        "citations": [{"title": link.title, "url": link.url} for link in entry.links],
        "method": ",".join(verdict.hit.reasons),
    }


def marked_sentence(hit: Hit) -> tuple[int, int] | None:
    """Give where the sentence stands that speaks for an entry, as JavaScript counts."""
    if hit.sentence is None:
        return None
    start, end = hit.sentence
    return _utf16(hit.entry.answer, start), _utf16(hit.entry.answer, end)


def _utf16(text: str, at: int) -> int:
    """Give a place in a text as JavaScript counts it."""
    return len(text[:at].encode("utf-16-le", "surrogatepass")) // 2


def _clarify(response: Response) -> dict[str, object] | None:
    choices = response.verdict.choices
    if not choices:
        return None
    return {
        "text": response.clarify_text,
        "locale": response.locale,
        "confidence": round(response.verdict.confidence, 4),
        "choices": _questions(choices),
    }


def _suggestions(hits: tuple[Hit, ...]) -> list[dict[str, str]]:
    return _questions([hit for hit in hits if hit.confidence >= SUGGESTION_FLOOR][:SUGGESTIONS])


def _questions(hits: Iterable[Hit]) -> list[dict[str, str]]:
    return [{"entry_id": hit.entry.id, "question": hit.entry.question} for hit in hits]


def suggestions(hits: Iterable[Hit]) -> tuple[Suggestion, ...]:
    """Give the hits as what a visitor may have meant."""
    # Imported where it is wanted: a browser wants none of the messages, and starts sooner.
    from core.messages import Suggestion  # noqa: PLC0415

    return tuple(Suggestion(hit.entry.id, hit.entry.question) for hit in hits)


def respond_json(index: Index, request: str, topics: Topics = NO_TOPICS) -> str:
    """`respond` for a host that speaks JSON; the request's form is in tests/wire/kb_request.json.

    Raises `ValueError` naming the field that is not of its form.
    """
    asked = read_object(request)
    question = read(asked, "question", str)
    response = respond(
        index,
        question,
        locale=read(asked, "locale", (str, NoneType), None),
        question_locale=read(asked, "question_locale", (str, NoneType), None),
        threshold=read_share(asked, "threshold", DEFAULT_THRESHOLD),
        signals=_signals(asked, question[:MAX_QUESTION], topics),
        may_clarify=read(asked, "may_clarify", bool, default=True),
        history=read_texts(asked, "history")[-HISTORY:],
        today=read_day(asked, "today"),
        near=read_near(asked),
    )
    return json.dumps(document(response, index), ensure_ascii=False)


def read_near(asked: dict[str, Any]) -> Near | None:
    """What an encoder says of the question; None where nothing is told."""
    told = read(asked, "near", (dict, NoneType), None)
    if told is None:
        return None
    cosines = read(told, "cosines", dict)
    if not all(isinstance(one, (int, float)) and -1 <= one <= 1 for one in cosines.values()):
        raise ValueError("near.cosines must be numbers between -1 and 1, by the ids of entries")
    weights = {name: float(read(told, name, (int, float))) for name in ("kb", "near")}
    if not all(map(isfinite, weights.values())):
        raise ValueError("near.kb and near.near must be finite numbers")
    return Near(cosines, weights["kb"], weights["near"], read_texts(told, "languages"))


def texts_json(index: Index) -> str:
    """What an encoder is to encode of an index: a list of [entry id, language, text] as JSON."""
    return json.dumps(texts(index), ensure_ascii=False)


def _signals(asked: dict[str, Any], question: str, topics: Topics) -> Signals:
    """The signals of the device, and those of the question's own words."""
    online = read(asked, "online", bool, default=True)
    # Imported when a question comes: its patterns take a while to compile, and the panel starts.
    from core.redact import redact  # noqa: PLC0415

    device = read(asked, "device", dict, {})
    own = own_topics(read(asked, "risk_topics", dict, {}))
    reached: Network = read_choice(device, "network", NETWORKS, "online")
    return Signals(
        network=reached if online else "offline",
        engine=read_choice(device, "engine", ENGINES, "none"),
        risk=tuple(sorted({*topics.found(question), *own.found(question)})),
        sensitive=redact(question) != question,
        battery=read_share(device, "battery", None),
        data_saver=read(device, "data_saver", bool, default=False),
        metered=read(device, "metered", bool, default=False),
        site=read_choice(device, "site", POLICIES, "auto"),
        visitor=read_choice(device, "visitor", POLICIES, "auto"),
        cloud=read(device, "cloud", bool, default=True),
    )
