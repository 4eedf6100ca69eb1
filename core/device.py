"""What a model on the visitor's device is asked, and how far its reply is believed, as JSON.

Decides which entries ground a reply: what the question finds, and for one that goes on from an
earlier question what that one found. The same gate as everywhere judges the reply; below the site's
line it is not shown, and the knowledge base's own words stand in its place. Refuses a request that
is not of its form with `ValueError`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import NoneType
from typing import Any, Final

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.device import LARGE, DeviceScorer, Ground, Written, read_weights
from core.fields import read, read_choice, read_day, read_object, read_share
from core.gate import DEFAULT_THRESHOLD, must_escalate
from core.messages import MemoryTurn
from core.prompting.compose import PASSAGES, Asked, Composed, Window, compose
from core.prompting.distil import Embed
from core.prompting.quoting import entry_text
from core.prompting.template import DEVICE, Template
from core.respond import MAX_QUESTION, SUGGESTION_FLOOR
from kb import Entry, Hit, Index, SystemText, detect_language
from kb.embed import Embedding
from kb.follow import HISTORY, TOLD, told_before
from kb.normalise import words

WINDOW: Final = 512
"""Tokens of prompt and reply: on one thread of a browser a prompt token costs 15 to 25 ms."""
REPLY: Final = 160
STOP: Final = ("\n\n",)
"""A small model says what it has to say in its first paragraph, and then says it again."""
MOST_TURNS: Final = 80
FEW: Final = 1
"""Passages for a small model, which mixes what it finds in several (docs/device.md)."""
MAX_REPLY: Final = 8_000


class Device:
    """Prompts and judgements over one index, beside the embedding where there is one."""

    def __init__(self, index: Index, table: Embedding | None, weights: str) -> None:
        """Read the weights (`core.confidence.device.FILE`); raises `BadWeights`."""
        self._index = index
        self._embed = embed_with(table)
        self._scorer = DeviceScorer(Scorer(Closeness(table), FITTED), read_weights(weights))

    def prompt(self, request: str) -> str:
        """The prompt for a question, both as JSON text."""
        return prompt_json(self._index, request, self._embed)

    def judge(self, request: str) -> str:
        """What is shown of a reply, both as JSON text."""
        return judge_json(self._index, request, self._scorer, self._embed)


def embed_with(table: Embedding | None) -> Embed | None:
    """The embedding of the knowledge base as what a summary is made with."""
    return None if table is None else lambda text: table.vector(words(text))


def grounds(
    index: Index,
    question: str,
    history: list[str],
    *,
    locale: str | None = None,
    today: str | None = None,
) -> tuple[Hit, ...]:
    """The hits that a reply is grounded in; what was told before leads unless another is sure."""
    hits = index.search(question, locale=locale, limit=PASSAGES, today=today)
    found = [hit for hit in hits if hit.confidence >= SUGGESTION_FLOOR] or list(hits[:1])
    before = told_before(index, question, history, locale=locale, today=today)
    if before is not None:
        told = before[1]
        others = [hit for hit in found if hit.entry.id != told.entry.id]
        # Of a question that leans on another the words alone say little.
        ahead = sum(hit.confidence >= TOLD for hit in others[:1])
        found = [*others[:ahead], told, *others[ahead:]]
    return tuple(found[:PASSAGES])


def prompt_json(index: Index, request: str, embed: Embed | None = None) -> str:
    """The prompt for a question; the request's form is in tests/wire/device_request.json."""
    asked = read_object(request)
    hits, locale = found_for(index, asked)
    composed = composed_for(asked, hits, locale, embed)
    return json.dumps(_document(composed), ensure_ascii=False)


def judge_json(index: Index, request: str, scorer: DeviceScorer, embed: Embed | None = None) -> str:
    """What is shown of a reply; the request's form is in tests/wire/device_reply.json."""
    asked = read_object(request)
    hits, locale = found_for(index, asked)
    composed = composed_for(asked, hits, locale, embed)
    written = _written(asked)
    question = read(asked, "question", str)[:MAX_QUESTION]
    ground = ground_of(index, question, hits, composed.entries, read_day(asked, "today"))
    confidence = scorer.confidence(question, ground, written)
    reasons = must_escalate(
        written.text, confidence, read_share(asked, "threshold", DEFAULT_THRESHOLD)
    )
    kind: SystemText = "fallback" if read(asked, "online", bool, default=True) else "offline"
    answer = {
        "text": written.text,
        "confidence": confidence,
        "source": "local",
        "citations": _citations(composed),
        "method": "device",
    }
    return json.dumps(
        {
            "answer": None if reasons else answer,
            "confidence": confidence,
            "escalate": bool(reasons),
            "reasons": list(reasons),
            "locale": locale,
            "fallback": {
                "text": index.text(kind, locale, today=read_day(asked, "today")),
                "locale": locale,
            },
        },
        ensure_ascii=False,
    )


def ground_of(
    index: Index,
    question: str,
    hits: Sequence[Hit],
    entries: Sequence[Entry],
    today: str | None = None,
) -> Ground:
    """What a reply is judged by: of the hits the entries that the prompt had, likeliest first."""
    given = [hit for hit in hits if hit.entry in entries]
    ranked = sorted(given, key=lambda hit: -hit.confidence)
    if not ranked:
        return Ground((), 0.0)
    best = ranked[0]
    again = index.again(best, question, today=today)
    start, end = (again.sentence if again else None) or (0, 0)
    return Ground(
        [entry_text(hit.entry) for hit in ranked],
        best.confidence,
        again.score if again else 0.0,
        best.entry.answer[start:end],
    )


def _written(asked: dict[str, Any]) -> Written:
    logprobs = read(asked, "logprobs", (list, NoneType), None) or ()
    if not all(isinstance(one, (int, float)) and one <= 0 for one in logprobs):
        raise ValueError("logprobs must be a list of natural logarithms, one a token, or null")
    finish = read_choice(asked, "finish", ("stop", "length"), "stop")
    text = read(asked, "reply", str)[:MAX_REPLY].strip()
    return Written(text, logprobs, cut=finish == "length", parameters=_parameters(asked))


def found_for(index: Index, asked: dict[str, Any]) -> tuple[tuple[Hit, ...], str]:
    """What the question of a request finds, and its language."""
    question = read(asked, "question", str)[:MAX_QUESTION]
    spoken = read(asked, "question_locale", (str, NoneType), None) or detect_language(question)
    locale = spoken or read(asked, "locale", (str, NoneType), None) or "en"
    history = [turn.content for turn in read_turns(asked) if turn.role == "user"][-HISTORY:]
    hits = grounds(index, question, history, locale=locale, today=read_day(asked, "today"))
    return hits[: passages_for(_parameters(asked))], locale


def passages_for(parameters: int | None) -> int:
    """How many passages a model of so many parameters is given; one that is not known is small."""
    return FEW if (parameters or 0) < LARGE else PASSAGES


def _parameters(asked: dict[str, Any]) -> int | None:
    parameters: int | None = read(asked, "parameters", (int, NoneType), None)
    return parameters


def composed_for(
    asked: dict[str, Any], hits: tuple[Hit, ...], locale: str, embed: Embed | None
) -> Composed:
    """The prompt of a request, composed."""
    tokens, reply = read(asked, "window", int, WINDOW), read(asked, "max_tokens", int, REPLY)
    if not 1 <= reply < tokens:
        raise ValueError("max_tokens must be at least 1 and less than window")
    composing = Asked(
        read(asked, "name", str),
        read(asked, "question", str)[:MAX_QUESTION],
        locale,
        [hit.entry for hit in hits],
        read_turns(asked),
    )
    return compose(composing, _template(asked), Window(tokens, reply), embed)


def read_turns(asked: dict[str, Any]) -> list[MemoryTurn]:
    """What was said before, oldest first."""
    found = []
    for turn in read(asked, "turns", list, [])[-MOST_TURNS:]:
        said = isinstance(turn, dict) and turn.get("role") in {"user", "assistant"}
        if not said or not isinstance(turn.get("content"), str):
            raise ValueError("turns must be a list of {role, content}, of user or assistant")
        found.append(MemoryTurn(turn["role"], turn["content"][:MAX_QUESTION]))
    return found


def _template(asked: dict[str, Any]) -> Template:
    given = read(asked, "template", (str, NoneType), None)
    return DEVICE if given is None else Template(given)


def _document(composed: Composed) -> dict[str, object]:
    return {
        "messages": list(composed.prompt.messages),
        "max_tokens": composed.prompt.max_tokens,
        "stop": list(STOP),
        "tokens": composed.tokens,
        "entries": [
            {"entry_id": entry.id, "locale": entry.locale, "question": entry.question}
            for entry in composed.entries
        ],
        "citations": _citations(composed),
        "summary": [line.shown for line in composed.summary],
        "last": composed.last,
    }


def _citations(composed: Composed) -> list[dict[str, str]]:
    links = dict.fromkeys(link for entry in composed.entries for link in entry.links)
    return [{"title": link.title, "url": link.url} for link in links]
