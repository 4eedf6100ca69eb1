"""Whether a reply is taken from where its question points.

A reply may be word for word in the passages and yet answer something else: its sentences are laid
beside those of the passages, and what the question names is looked for around them. Decides which
sentence a reply is taken from, how near the question's words stand to what it says there, and
whether another of its kind stands nearer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import exp, sumprod
from typing import Final

from core.confidence.evidence import SURE, Evidence
from core.confidence.lexicon import TIMES
from core.confidence.reading import Sentence
from kb.normalise import words

REACH: Final = 6.0
"""Words over which nearness to what the question names falls to 1/e."""
HEADING: Final = 0.8
"""What a word of the question counts where only the passage's heading has it."""
TIE: Final = 0.2
"""How much the question counts where a sentence of the reply could be taken from several."""
FURTHEST: Final = 0.2
"""What a passage may be further from the question than the nearest: more says no more."""
_FADING: Final = tuple(exp(-distance / REACH) for distance in range(128))


def place(evidence: Evidence) -> dict[str, float]:
    """The signals of place, by name."""
    body = evidence.body
    covered = _covered(evidence, body)
    found = _Found()
    for sentence in evidence.said:
        if sentence.telling:
            _lay(evidence, sentence, body, covered, found)
    likeness = _likeness(evidence)
    mine = max((likeness[number] for number in found.passages), default=0.0)
    return {
        "asked_here": found.covered,
        "close": found.close,
        "aligned": found.aligned,
        "asked_gap": max(covered, default=0.0) - found.covered,
        "rival": max(0.0, _rival(evidence, body, found.anchors) - found.close),
        "passage_gap": min(FURTHEST, max(likeness, default=0.0) - mine),
    }


class _Found:
    """What laying the reply's sentences beside the passages' came to, so far."""

    def __init__(self) -> None:
        self.covered = self.close = self.share = 0.0
        self.count = 0
        self.anchors: set[str] = set()
        self.passages: set[int] = set()

    @property
    def aligned(self) -> float:
        """How much of what the reply says stands in the sentences that it is taken from."""
        return self.share / self.count if self.count else 0.0


def _lay(
    evidence: Evidence,
    sentence: Sentence,
    body: Sequence[Sentence],
    covered: Sequence[float],
    found: _Found,
) -> None:
    fresh = evidence.fresh(sentence)
    shares = [sum(evidence.nearest(word, own.texts) for word in fresh) / len(fresh) for own in body]
    if not shares:
        return
    at = max(range(len(shares)), key=lambda n: shares[n] + TIE * covered[n])
    anchors = {
        text for word in fresh for text, near in evidence.near[word.text].items() if near >= SURE
    }
    found.share += shares[at]
    found.count += 1
    found.covered = max(found.covered, covered[at])
    found.anchors |= anchors
    found.passages.add(body[at].passage)
    found.close = max(found.close, max(_closest(evidence, body[at], anchors), default=0.0))


def _covered(evidence: Evidence, body: Sequence[Sentence]) -> list[float]:
    """The share of the question that each sentence, or the heading over it, has."""
    heads = {
        one.passage: [HEADING * evidence.nearest(word, one.texts) for word in evidence.asked]
        for one in evidence.known
        if one.heading
    }
    none = [0.0] * len(evidence.asked)
    return [
        sum(
            evidence.weights[word.text] * max(evidence.nearest(word, own.texts), head)
            for word, head in zip(evidence.asked, heads.get(own.passage, none), strict=True)
        )
        for own in body
    ]


def _closest(evidence: Evidence, sentence: Sentence, anchors: Collection[str]) -> list[float]:
    """How near the question's words stand to each place of the anchors within a sentence."""
    places = [at for at, word in enumerate(sentence.words) if word.text in anchors]
    if not places:
        return []
    sums = [0.0] * len(places)
    for word in evidence.asked:
        near = evidence.near[word.text]
        spots = [(at, near[w.text]) for at, w in enumerate(sentence.words) if w.text in near]
        if spots:
            weight = evidence.weights[word.text]
            for number, place in enumerate(places):
                sums[number] += weight * max(
                    value * _FADING[abs(at - place)] for at, value in spots
                )
    return sums


def _rival(evidence: Evidence, body: Sequence[Sentence], anchors: Collection[str]) -> float:
    """How near the question's words stand to what could have been said instead, of that kind."""
    asked = {word.key for word in evidence.asked}
    fresh = [word for word in evidence.told if word.key not in asked]
    counts = bool(fresh) and all(word.number or word.text in TIMES for word in fresh)
    best = 0.0
    for sentence in body:
        others = {
            word.text
            for word in sentence.telling
            if word.text not in anchors
            and word.key not in asked
            and (word.number or word.text in TIMES) == counts
        }
        best = max(best, max(_closest(evidence, sentence, others), default=0.0))
    return best


def _likeness(evidence: Evidence) -> list[float]:
    """The cosine of the question and each passage, or its heading where that is nearer."""
    asked = evidence.closeness.vector(words(evidence.question))
    numbers = 1 + max((one.passage for one in evidence.known), default=-1)
    found = [0.0] * numbers
    if asked is None:
        return found
    for number in range(numbers):
        own = [one for one in evidence.known if one.passage == number]
        heads = [one for one in own if one.heading]
        for part in (own, heads):
            vector = evidence.closeness.vector([w.text for one in part for w in one.words])
            if vector is not None:
                found[number] = max(found[number], sumprod(asked, vector))
    return found
