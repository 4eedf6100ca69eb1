"""Stage 5, the scorer: how far a model's reply may be believed.

Grounding is the share of the reply's content stems that occur in the retrieved passages or the
question. The number is that share, drawn toward what the retrieval itself was worth: a reply that
repeats passages which do not answer the question is no better than they are. A refusal scores
zero: it is not an answer. This is a first scorer; it is not yet calibrated on labelled turns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from core.gate import must_escalate
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import from_model
from kb import Hit
from kb.features import STOP_STEMS, stems

GROUNDING_WEIGHT = 0.7
RETRIEVAL_WEIGHT = 0.3
_REFUSAL = re.compile(
    r"(?i)\b(?:i (?:do not|don[’']t) know|i(?:[’']m| am) not sure"
    r"|(?:cannot|can[’']t) (?:answer|help)|as an ai"
    r"|no (?:lo )?s[eé]\b|no estoy segur|no puedo (?:responder|ayudar))"
    r"|(?:אני )?לא (?:יודע|יודעת|בטוח|בטוחה)|אין לי (?:מידע|תשובה)"
)


class Grounding:
    """`score.grounding`: believes what the passages say, and the site's threshold decides."""

    async def run(self, state: TurnState) -> TurnState:
        """Add the judged turn."""
        written = state.written
        if written is None:
            return state
        confidence = score(written.reply, state.request.question, state.passages)
        reasons = must_escalate(written.reply, confidence, state.site.threshold)
        return replace(state, turn=from_model(state, written, confidence, reasons))


@lru_cache(maxsize=4_096)
def _stems_of(question: str, answer: str) -> frozenset[str]:
    return frozenset(stems(f"{question} {answer}"))


def score(reply: str, question: str, hits: Sequence[Hit]) -> float:
    """The estimated probability in [0, 1] that `reply` is right."""
    said = set(stems(reply)) - STOP_STEMS
    if not said or _REFUSAL.search(reply):
        return 0.0
    known = set(stems(question))
    for hit in hits:
        known.update(_stems_of(hit.entry.question, hit.entry.answer))
    grounding = len(said & known) / len(said)
    retrieval = max((hit.confidence for hit in hits), default=0.0)
    return round(grounding * (GROUNDING_WEIGHT + RETRIEVAL_WEIGHT * retrieval), 4)
