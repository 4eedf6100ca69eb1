"""How far a reply of a small model on the visitor's device may be believed.

Decides what counts beside what the scorer of `core.confidence` sees in any reply: how likely the
best entry was, how sure the model was of its words, whether it says the same again, whether it was
cut short, how long it is. The weights are data (`device.json`, fitted by `models.local.fit` on
turns of a real small model) that the caller reads and hands in; there are two sets, since not every
engine tells log-probabilities. Refuses weights of another form. A refusal is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from core.confidence.estimate import Fitted, Scorer
from core.confidence.refusal import only_refuses
from core.errors import FanlightError
from kb.normalise import words

FORM: Final = 1
FILE: Final = "confidence/device.json"
"""The weights that come with this package, below `core`."""
AT_LENGTH: Final = 40
"""Words from which a reply of a small model is long."""
SIGNALS: Final = frozenset(
    ("scored", "retrieval", "repeated", "cut", "long", "sure", "least_sure"),
)
_FLOOR: Final = 0.005
_LEAST_LOGPROB: Final = -6.0
_RUN: Final = 3


class BadWeights(FanlightError):
    """The weights are not what a fit writes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply as its engine gave it.

    `logprobs` are natural logarithms, one a token, or none; `cut`: it ended for its length.
    """

    text: str
    logprobs: Sequence[float] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class DeviceWeights:
    """Weights where an engine tells log-probabilities, and where it does not."""

    told: Fitted
    untold: Fitted


@dataclass(frozen=True, slots=True)
class DeviceScorer:
    """The estimated probability that a reply is right."""

    scorer: Scorer
    weights: DeviceWeights

    def confidence(
        self, question: str, passages: Sequence[str], written: Written, retrieval: float
    ) -> float:
        """Judge a reply; `retrieval` is how likely the best entry was."""
        if not words(written.text) or only_refuses(written.text):
            return 0.0
        fitted = self.weights.told if written.logprobs else self.weights.untold
        seen = signals(self.scorer, question, passages, written, retrieval)
        return round(fitted.probability(seen), 4)


def signals(
    scorer: Scorer, question: str, passages: Sequence[str], written: Written, retrieval: float
) -> dict[str, float]:
    """What the weights are applied to, each of about the size of one."""
    said = words(written.text)
    scored = scorer.look(question, passages, written.text).confidence
    told = [max(_LEAST_LOGPROB, value) for value in written.logprobs]
    return {
        "scored": _logit(scored) / 3,
        "retrieval": _logit(retrieval) / 3,
        "repeated": repeated(said),
        "cut": float(written.cut),
        "long": min(1.0, len(said) / AT_LENGTH),
        "sure": sum(told) / len(told) if told else 0.0,
        "least_sure": min(told, default=0.0) / 3,
    }


def repeated(said: Sequence[str]) -> float:
    """The share of three-word runs that were there before."""
    runs = [tuple(said[at : at + _RUN]) for at in range(len(said) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def read_weights(text: str) -> DeviceWeights:
    """Weights as a fit wrote them; raises `BadWeights`."""
    try:
        told = json.loads(text)
        if told["form"] != FORM:
            raise BadWeights("These weights are of another form; fit them anew.")
        return DeviceWeights(_fitted(told["told"]), _fitted(told["untold"]))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadWeights(f"These are no weights: {error!r}. Fit them anew.") from error


def _fitted(told: Mapping[str, object]) -> Fitted:
    weights = told["weights"]
    if not isinstance(weights, dict):
        raise TypeError("weights are by name")
    strange = set(weights) - SIGNALS
    if strange:
        raise ValueError(f"there is no signal {min(strange)!r}")
    return Fitted(float(str(told["bias"])), {name: float(one) for name, one in weights.items()})


def _logit(share: float) -> float:
    bounded = min(1 - _FLOOR, max(_FLOOR, share))
    return log(bounded / (1 - bounded))
