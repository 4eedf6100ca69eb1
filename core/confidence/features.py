"""What a reply shows of whether it is right: grounding, contradictions, relevance, doubt.

Decides the signals, each in about [0, 1], not their weights (`core.confidence.fitted`). They know
only the question, the passages that were retrieved and the reply: what is true but stands nowhere
is not grounded, and what the passages have wrong is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from math import sumprod
from typing import Final

from core.confidence.closeness import Word
from core.confidence.evidence import Evidence
from core.confidence.lexicon import HEDGES, HOW_MANY, REFUSALS, TIMES, WHO
from core.confidence.place import place
from core.confidence.polarity import polarity
from kb.language import detect_language
from kb.normalise import words

STATED: Final = 0.4
"""How far a fact of the world is stated, from which it is one."""
AT_LENGTH: Final = 16
"""Telling words from which a reply is no short statement."""
_LINK: Final = re.compile(
    r"\b(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.]+"
    r"|\b[\w-]+\.(?:com|net|org|example|io|co)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[^\W\d_] )[A-ZÁÉÍÓÚÑ][^\W\d_]+")


def features(evidence: Evidence) -> dict[str, float]:
    """Every signal, by name."""
    told = evidence.told
    beyond = _beyond(evidence, told)
    where, denial = place(evidence), polarity(evidence)
    if beyond > STATED:
        # No place in the passages is the right one for it, and they deny nothing of it.
        where |= {"asked_gap": 0.0, "rival": 0.0, "passage_gap": 0.0}
        denial = dict.fromkeys(denial, 0.0)
    return {
        **_grounding(evidence, told),
        **_additions(evidence, told),
        **where,
        **denial,
        **_kind(evidence, told),
        **_form(evidence),
        "beyond": beyond,
    }


def _grounding(evidence: Evidence, told: Sequence[Word]) -> dict[str, float]:
    pairs = {(a.key, b.key) for one in evidence.known for a, b in pairwise(one.words)}
    own = [(a.key, b.key) for one in evidence.said for a, b in pairwise(one.words)]
    known = {word.key for one in evidence.known for word in one.words}
    asked = {word.key for word in evidence.asked}
    fresh = [word for word in told if word.key not in asked]
    return {
        "copied": _mean([pair in pairs for pair in own]) if own else 0.5,
        "exact": _mean([word.key in known for word in fresh]),
    }


def _additions(evidence: Evidence, told: Sequence[Word]) -> dict[str, float]:
    known = {word.key for one in evidence.known for word in one.words}
    known |= {word.key for word in evidence.asked}
    text = " ".join((*evidence.passages, evidence.question)).lower()
    links = [link.lower().rstrip(".,)") for link in _LINK.findall(evidence.reply)]
    return {
        "new_number": float(any(word.number and word.key not in known for word in told)),
        "new_name": float(any(n.lower() not in text for n in _NAME.findall(evidence.reply))),
        "new_link": float(any(link not in text for link in links)),
    }


def _kind(evidence: Evidence, told: Sequence[Word]) -> dict[str, float]:
    """Whether the reply is of the kind that the question asks for."""
    question = evidence.question.lower()
    counts = any(_counts(word) for one in evidence.said for word in one.words)
    only_counts = bool(told) and all(_counts(word) for word in told)
    wants_count = bool(HOW_MANY.search(question))
    return {
        "missing_number": float(wants_count and not counts),
        "wrong_kind": float(only_counts and (not wants_count or bool(WHO.search(question)))),
    }


def _beyond(evidence: Evidence, told: Sequence[Word]) -> float:
    """How far a short reply states a fact of the world that the passages do not speak of.

    Nothing grounds it; but who asks about the world, and not about the site, is told the truth more
    often than not. 0 where the question is the site's own, or the passages have its words.
    """
    if not evidence.worldly:
        return 0.0
    said = {word.key for word in told}
    restated = _mean([word.key in said for word in evidence.asked])
    return restated * max(0.0, 1 - len(told) / AT_LENGTH)


def _form(evidence: Evidence) -> dict[str, float]:
    reply = evidence.reply.lower()
    mine = evidence.closeness.vector([w.text for one in evidence.said for w in one.words])
    theirs = evidence.closeness.vector(words(evidence.question))
    return {
        "hedged": float(bool(HEDGES.search(reply))),
        "refused": float(bool(REFUSALS.search(reply))),
        "across": float(_across(evidence)),
        "alike": sumprod(mine, theirs) if mine and theirs else 0.0,
    }


def _across(evidence: Evidence) -> bool:
    """Whether reply and passages are in two languages, as far as that can be told."""
    ours = detect_language(evidence.reply) or detect_language(evidence.question)
    theirs = detect_language(" ".join(evidence.passages))
    return None not in {ours, theirs} and ours != theirs


def _counts(word: Word) -> bool:
    return word.number or word.text in TIMES


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
