"""The knowledge base's hits in the light of what an encoder says of them.

An encoder is a model that reads a whole sentence; where one is at hand, its cosines tell more of
what was meant than the static table's. Decides how much: what the hits have together stays theirs,
and is shared anew by a conditional logit (McFadden, 1974) of each one's probability and cosine,
whose two weights belong to the encoder. So it can never say that a question is known here which the
knowledge base takes for a stranger's. Refuses to overrule a question that an entry has word for
word, or to judge languages that the encoder does not know; there the hits stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Final

from kb.language import detect_language
from kb.search import Hit, Index, bounded

REASON: Final = "encoder"
"""Among a hit's reasons: its confidence was weighed anew."""
MOST_VARIANTS: Final = 8
"""Other ways to ask an entry that are encoded; words and head know well what has more."""
MOST_TEXT: Final = 1_000
"""Characters of a text that are encoded: more tokens than an encoder reads are not many."""
_LEAST: Final = 0.001
_FAR: Final = 0.0


@dataclass(frozen=True, slots=True)
class Near:
    """What an encoder says of a question.

    `cosines` has the largest cosine of the question and any text of each entry id. The logarithm of
    a hit's probability counts `kb` times, its cosine `near` times. `languages` are those that the
    encoder knows; empty: all.
    """

    cosines: Mapping[str, float]
    kb: float
    near: float
    languages: Collection[str] = ()

    def knows(self, locale: str) -> bool:
        """Say whether texts of this locale may be compared."""
        return not self.languages or _language(locale) in self.languages


def refined(hits: Sequence[Hit], question: str, near: Near) -> tuple[Hit, ...]:
    """Give the hits, best first, with their probabilities weighed anew.

    As they are where the first has the question word for word, or where the question's language or
    a hit's is none that the encoder knows; where the question's cannot be told, the hits' decide.
    """
    spoken = detect_language(question)
    known = [hit.entry.locale for hit in hits] + ([spoken] if spoken else [])
    if not hits or "exact" in hits[0].reasons or not all(map(near.knows, known)):
        return tuple(hits)
    utilities = [
        near.kb * log(max(_LEAST, hit.score)) + near.near * near.cosines.get(hit.entry.id, _FAR)
        for hit in hits
    ]
    top = max(utilities)
    powers = [exp(utility - top) for utility in utilities]
    each = min(1.0, sum(hit.score for hit in hits)) / sum(powers)
    weighed = [_weighed(hit, power * each) for hit, power in zip(hits, powers, strict=True)]
    return tuple(sorted(weighed, key=lambda hit: -hit.score))


def _weighed(hit: Hit, share: float) -> Hit:
    reasons = (*hit.reasons, REASON)
    return replace(hit, score=share, confidence=bounded(share), reasons=reasons)


def texts(index: Index) -> list[tuple[str, str, str]]:
    """Give (entry id, language, text) of what may be encoded: ways to ask, then the answer."""
    return [
        (entry.id, _language(entry.locale), text[:MOST_TEXT])
        for entry in index.entries
        for text in (entry.question, *entry.variants[:MOST_VARIANTS], entry.answer)
        if text.strip()
    ]


def _language(locale: str) -> str:
    return locale.split("-", 1)[0]
