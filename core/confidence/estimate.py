"""From signals to one number: the estimated probability that a reply is right.

A logistic regression over the signals of `core.confidence.features`; its weights are data, fitted
on labelled turns (`models/confidence`). Decides that a reply which only refuses, says nothing or
goes round in circles is no answer. A model's own log-probabilities count where it gives them, by
an assumed weight: no labelled turn has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

from core.confidence.closeness import Closeness
from core.confidence.evidence import Evidence, gather
from core.confidence.features import features
from core.confidence.quality import Quality, quality
from core.confidence.refusal import only_refuses
from core.confidence.repetition import goes_round

LOWEST: Final = 0.001
HIGHEST: Final = 0.995
"""No reply is certain, either way."""
USUAL_LOGPROB: Final = -0.35
"""Mean natural log-probability of a token in a reply that says nothing about its rightness."""
LOGPROB_WEIGHT: Final = 1.0
MOST_LOGPROB: Final = 1.5
"""What a model's own doubt may move the log-odds by."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights by signal, and the log-odds where all signals are 0."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, signals: Mapping[str, float], shift: float = 0.0) -> float:
        """The probability for some signals; one without a weight counts nothing."""
        total = self.bias + shift
        total += sum(weight * signals[name] for name, weight in self.weights.items())
        return min(HIGHEST, max(LOWEST, 1 / (1 + exp(-max(-60.0, min(60.0, total))))))


@dataclass(frozen=True, slots=True)
class Look:
    """What a scorer makes of one reply.

    `confidence` is the estimated probability in [0, 1] that it is right; `signals` say why.
    """

    confidence: float
    quality: Quality
    signals: Mapping[str, float]


class Scorer:
    """Judges replies over one embedding, or by words alone without one."""

    def __init__(self, closeness: Closeness, fitted: Fitted) -> None:
        self._closeness = closeness
        self._fitted = fitted

    def signals(self, question: str, passages: Sequence[str], reply: str) -> dict[str, float]:
        """What the weights are applied to."""
        return features(self._gather(question, passages, reply))

    def look(
        self,
        question: str,
        passages: Sequence[str],
        reply: str,
        *,
        logprob: float | None = None,
        parts: Sequence[str] = (),
    ) -> Look:
        """Judge a reply; `logprob` is the mean natural log-probability of its tokens.

        `parts` are the parts of the question, each with what was found for it.
        """
        evidence = self._gather(question, passages, reply)
        signals = features(evidence)
        answers = bool(evidence.said) and not only_refuses(reply) and not goes_round(reply)
        sure = self._fitted.probability(signals, _shift(logprob)) if answers else 0.0
        made = quality(reply, sure, signals, answers=answers, parts=parts)
        return Look(round(sure, 4), made, signals)

    def _gather(self, question: str, passages: Sequence[str], reply: str) -> Evidence:
        return gather(question, passages, reply, self._closeness)


def _shift(logprob: float | None) -> float:
    if logprob is None:
        return 0.0
    return max(-MOST_LOGPROB, min(MOST_LOGPROB, LOGPROB_WEIGHT * (logprob - USUAL_LOGPROB)))
