"""MemoryMeta v1: what was looked at for an answer, and what of it the answer rests on.

Decides the form of the `meta` event and of a turn's `memory`, after S2 18.7.2; the schema is
`memory_meta.v1.json` beside this module. The other tiers stay empty until there is memory. What
the site's knowledge base gave stands under `books`, the tier of documents, with ids that begin with
`kb:`, so that nobody takes it for something remembered; what was answered to others stands under
`patterns`, with ids that begin with `bank:` and without a word of it: that was written to somebody
else. It refuses to grow: lists are capped, and contents are cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.bank import Recalled
from kb import Hit

FILE: Final = "memory_meta.v1.json"
VERSION: Final = "v1"
TIERS: Final = ("working", "history", "patterns", "books", "memory_bank")
KNOWLEDGE: Final = "books"
"""The tier that the passages of a site's knowledge base are shown under."""
BANK: Final = "patterns"
"""The tier of what has worked before: answers of the reasoning bank, with ids that begin so."""

MOST: Final = 10
"""Entries of a list, at most."""
CONTENT: Final = 240
"""Characters of a passage that are shown; the knowledge base has the rest."""
QUERY: Final = 500
MEDIUM: Final = 0.3
"""Confidence of the best hit from which a retrieval is not called low."""

_NO_INSIGHTS: Final[Mapping[str, Any]] = {
    "matched_concepts": [],
    "active_concepts": [],
    "tier_recommendations": None,
    "you_already_know": None,
    "directives": None,
}

Sureness = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at for one question.

    `query` is the question, redacted by the caller; `hits` what was found, best first; `threshold`
    the site's, in [0, 1]; `timings_ms` the stages that are over. `recalled` are answers to like
    questions, out of the reasoning bank, that a model was given.
    """

    conversation_id: str
    turn_id: str
    created_at: str
    query: str
    hits: Sequence[Hit]
    threshold: float
    timings_ms: Mapping[str, float]
    has_vectors: bool
    recalled: Sequence[Recalled] = ()


@dataclass(frozen=True, slots=True)
class Used:
    """What became of it: the hits that a model was given and those that are cited, best first.

    `answered` is whether the visitor gets a reply that can be marked; `fallbacks` name what stood
    in for what; `context_type` is the kind of task, where one was told.
    """

    given: Sequence[Hit] = ()
    cited: Sequence[Hit] = ()
    answered: bool = False
    fallbacks: tuple[str, ...] = ()
    context_type: str | None = None


def memory_meta(looked: Looked, used: Used | None = None) -> dict[str, Any]:
    """The document; `used` is None while there is no answer yet."""
    used = used or Used()
    recalled = looked.recalled[:MOST]
    places = [(KNOWLEDGE, memory_id(hit)) for hit in looked.hits[: MOST - len(recalled)]]
    places += [(BANK, recalled_id(one)) for one in recalled]
    items = [_item(hit) for hit in used.given[: MOST - len(recalled)]]
    items += [_recalled_item(one) for one in recalled]
    return {
        "schema_version": VERSION,
        "conversation_id": looked.conversation_id,
        "assistant_message_id": looked.turn_id,
        "user_id": None,
        "created_at": looked.created_at,
        "context_type": used.context_type,
        "retrieval": _retrieval(looked, places),
        "known_context": {
            "known_context_text": "\n\n".join(item["content"] for item in items if item["content"]),
            "known_context_items": items,
        },
        "citations": [
            {
                "tier": KNOWLEDGE,
                "memory_id": memory_id(hit),
                "doc_id": hit.entry.id,
                "chunk_id": None,
            }
            for hit in used.cited[:MOST]
        ],
        "context_insights": dict(_NO_INSIGHTS),
        "debug": {
            "retrieval_confidence": sureness(looked),
            "fallbacks_used": list(used.fallbacks),
            "stage_timings_ms": {name: round(ms, 3) for name, ms in looked.timings_ms.items()},
            "errors": [],
            "vector_stage_status": "enabled" if looked.has_vectors else "disabled_config",
        },
        "feedback": {
            "eligible": used.answered,
            "interrupted": False,
            "eligible_reason": None if used.answered else "no_answer",
            "default_related_positions": _positions(places, used.cited),
        },
    }


def _retrieval(looked: Looked, places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    used = {tier for tier, _ in places}
    return {
        "query": looked.query[:QUERY],
        "normalized_query": None,
        "limit": MOST,
        "sort_by": "relevance",
        "tiers_considered": [tier for tier in TIERS if tier in {KNOWLEDGE, *used}],
        "tiers_used": [tier for tier in TIERS if tier in used],
        "search_position_map": {
            "by_position": [
                {"position": at, "tier": tier, "memory_id": name}
                for at, (tier, name) in enumerate(places, 1)
            ],
            "by_memory_id": {
                name: {"position": at, "tier": tier} for at, (tier, name) in enumerate(places, 1)
            },
        },
    }


def recalled_id(one: Recalled) -> str:
    """The id that an answer of the reasoning bank has here."""
    return f"bank:{one.id}"


def memory_id(hit: Hit) -> str:
    """The id that an entry of the knowledge base has here."""
    return f"kb:{hit.entry.id}"


def sureness(looked: Looked) -> Sureness:
    """How sure the retrieval is, by its best hit."""
    best = max((hit.confidence for hit in looked.hits), default=0.0)
    if best >= looked.threshold:
        return "high"
    return "medium" if best >= MEDIUM else "low"


def _item(hit: Hit) -> dict[str, Any]:
    return {
        "tier": KNOWLEDGE,
        "memory_id": memory_id(hit),
        "content": f"{hit.entry.question}\n{hit.entry.answer}"[:CONTENT],
        "doc_id": hit.entry.id,
        "score_summary": {"confidence": round(hit.confidence, 4)},
    }


def _recalled_item(one: Recalled) -> dict[str, Any]:
    return {
        "tier": BANK,
        "memory_id": recalled_id(one),
        "content": "",
        "doc_id": None,
        "score_summary": {"similarity": round(one.alike, 4)},
    }


def _positions(places: Sequence[tuple[str, str]], cited: Sequence[Hit]) -> list[int]:
    wanted = {memory_id(hit) for hit in cited}
    return [at for at, (_, name) in enumerate(places, 1) if name in wanted]


def kept(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is kept with its turn: without the question."""
    return {**meta, "retrieval": {**meta["retrieval"], "query": ""}}
