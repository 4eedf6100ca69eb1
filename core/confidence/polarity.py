"""Whether a reply affirms what the passages deny, or denies what they affirm.

Decides by clauses: one that denies and one that does not, about the same words, cannot both hold.
What a yes or no is worth is told by the clause that is nearest to the question.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.confidence.closeness import Word
from core.confidence.evidence import SURE, Evidence
from core.confidence.lexicon import NO, YES
from core.confidence.reading import Clause
from kb.normalise import words


def polarity(evidence: Evidence) -> dict[str, float]:
    """The signals of contradiction, by name."""
    known = [c for s in evidence.known if not s.heading for c in s.clauses if c.words]
    return {
        "affirmed": _affirmed(evidence, known),
        "denied": _denied(evidence, known),
        "verdict": _verdict(evidence, known),
    }


def _affirmed(evidence: Evidence, known: Sequence[Clause]) -> float:
    """The share of a denying clause's words that a reply has which does not deny."""
    affirms = denies = 0.0
    for sentence in evidence.said:
        said = [evidence.near[word.text] for word in sentence.telling]
        denying = any(clause.denies for clause in sentence.clauses)
        for clause in known:
            if clause.denies:
                hit = sum(
                    any(near.get(word.text, 0.0) >= SURE for near in said) for word in clause.words
                )
                share = hit / len(clause.words)
                if denying:
                    denies = max(denies, share)
                else:
                    affirms = max(affirms, share)
    return max(0.0, affirms - denies)


def _denied(evidence: Evidence, known: Sequence[Clause]) -> float:
    """How much more of a denying reply stands in a clause that affirms than in one that denies."""
    most = 0.0
    for sentence in evidence.said:
        for clause in sentence.clauses:
            if clause.denies and len(clause.words) >= 2:
                shares = [(_recall(evidence, clause.words, own), own.denies) for own in known]
                yes = max((share for share, denies in shares if not denies), default=0.0)
                no = max((share for share, denies in shares if denies), default=0.0)
                most = max(most, yes - no)
    return most


def _recall(evidence: Evidence, said: Sequence[Word], own: Clause) -> float:
    texts = {word.text for word in own.words}
    return sum(evidence.nearest(word, texts) >= SURE for word in said) / len(said)


def _verdict(evidence: Evidence, known: Sequence[Clause]) -> float:
    """Above 0 where a yes or no is what the nearest clause says, below where it is the contrary."""
    first = words(evidence.reply)[:1]
    says = 1 if first and first[0] in YES else -1 if first and first[0] in NO else 0
    if not says or not evidence.asked:
        return 0.0
    best, told = 0.0, 0
    for clause in known:
        texts = {word.text for word in clause.words}
        share = sum(
            evidence.weights[word.text] * evidence.nearest(word, texts) for word in evidence.asked
        )
        if share > best:
            best, told = share, -1 if clause.denies else 1
    return says * told * min(1.0, 2 * best)
