"""Five dimensions of a reply's quality, and what they come to.

Decides what each is made of, out of the same signals as the confidence: accuracy is that number
itself, relevance whether it speaks of what was asked, completeness whether it has all that was
asked for, part by part where the question has several, coherence whether it reads as a whole,
safety whether a validator let it pass. They describe; the confidence alone decides whether a person
is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from kb.features import STOP_STEMS, stems
from kb.normalise import words

SHARES: Final = (0.35, 0.2, 0.15, 0.1, 0.2)
"""What accuracy, relevance, completeness, coherence and safety count in the whole."""
_ENDS: Final = frozenset(".!?:)…\"'”»`*")
_CUT: Final = 0.6
"""What is left of coherence where a long reply ends in the middle of a sentence."""
_LONG: Final = 12


@dataclass(frozen=True, slots=True)
class Quality:
    """Dimensions in [0, 1], and `overall`, their weighted mean; 0 for what is not safe."""

    accuracy: float
    relevance: float
    completeness: float
    coherence: float
    safety: float
    overall: float

    def unsafe(self) -> Quality:
        """The same of a reply that a validator did not let pass."""
        return replace(self, safety=0.0, overall=0.0)


def quality(
    reply: str,
    confidence: float,
    signals: Mapping[str, float],
    *,
    answers: bool,
    parts: Sequence[str] = (),
) -> Quality:
    """The dimensions of a reply of which `confidence` is the probability that it is right.

    `parts` are the parts of the question, each with what was found for it.
    """
    relevance = min(1.0, max(signals["asked_here"], signals["alike"], 0.0))
    gaps = (signals["missing_number"], signals["wrong_kind"], signals["hedged"] / 2)
    made = (
        confidence,
        relevance if answers else 0.0,
        (1 - max(gaps)) * (0.5 + 0.5 * relevance) * addressed(reply, parts) if answers else 0.0,
        coherence(reply),
        1.0,
    )
    overall = sum(share * value for share, value in zip(SHARES, made, strict=True))
    return Quality(*(round(value, 4) for value in (*made, overall)))


def addressed(reply: str, parts: Sequence[str]) -> float:
    """The share of a question's parts that a reply has a word of which no other part has.

    A part that has no word of its own counts by all its words; 1 where there are no parts.
    """
    said = set(stems(reply))
    told = [set(stems(part)) - STOP_STEMS for part in parts]
    own = [mine.difference(*(told[:at] + told[at + 1 :])) or mine for at, mine in enumerate(told)]
    return sum(bool(said & mine) for mine in own) / len(own) if own else 1.0


def coherence(reply: str) -> float:
    """How far a reply reads as a whole: little said twice, and its last sentence ended."""
    spoken = words(reply)
    if not spoken:
        return 0.0
    pairs = Counter(pairwise(spoken))
    again = sum(count - 1 for count in pairs.values()) / max(1, sum(pairs.values()))
    whole = len(spoken) < _LONG or reply.rstrip()[-1] in _ENDS
    return (1 - again) * (1.0 if whole else _CUT)
