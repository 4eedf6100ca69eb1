"""How far a reply of a small model on the visitor's device may be believed.

Decides what counts beside what the scorer of `core.confidence` sees in any reply: how likely the
best entry was, how far a sentence of it speaks for the question and whether the reply says that
sentence, how sure the model was of its words, whether it says the same again, was cut short, is
long, how much it takes from the passages and how much from nowhere. The weights are data
(`device.json`, fitted by `models.local.fit`) that the caller reads and hands in; there are two
sets, since not every engine tells log-probabilities. Refuses weights of another form.
A refusal is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from core.confidence.estimate import Fitted, Scorer
from core.confidence.refusal import only_refuses
from core.confidence.repetition import repeated
from core.errors import FanlightError
from kb.features import STOP_STEMS, stems
from kb.normalise import stem, words

FORM: Final = 1
FILE: Final = "confidence/device.json"
"""The weights that come with this package, below `core`."""
LARGE: Final = 1_000_000_000
"""Parameters from which the weights, fitted on a small model, do not hold."""
AT_LENGTH: Final = 40
"""Words from which a reply of a small model is long."""
SIGNALS: Final = frozenset(
    (
        *("scored", "retrieval", "adds", "strange", "from_best", "source"),
        *("speaks", "pointed"),
        *("repeated", "cut", "long", "sure", "least_sure"),
    ),
)
MUCH: Final = 4
"""Telling words from the passages from which a reply says something."""
_FLOOR: Final = 0.005
_LEAST_LOGPROB: Final = -6.0


class BadWeights(FanlightError):
    """The weights are not what a fit writes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply as its engine gave it.

    `logprobs` are natural logarithms, one a token, or none; `cut`: it ended for its length;
    `parameters` are the model's, where they are known.
    """

    text: str
    logprobs: Sequence[float] = ()
    cut: bool = False
    parameters: int | None = None

    @property
    def logprob(self) -> float | None:
        """The mean log-probability of a token."""
        return sum(self.logprobs) / len(self.logprobs) if self.logprobs else None


@dataclass(frozen=True, slots=True)
class Ground:
    """What a reply is grounded in: passages, that of the likeliest entry first.

    `retrieval` is that entry's likelihood, `speaks` how far a sentence of its answer speaks for the
    question, both in [0, 1]; `sentence` is that sentence, or nothing.
    """

    passages: Sequence[str]
    retrieval: float
    speaks: float = 0.0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class DeviceWeights:
    """Weights where an engine tells log-probabilities, and where it does not."""

    told: Fitted
    untold: Fitted


@dataclass(frozen=True, slots=True)
class DeviceScorer:
    """The estimated probability that a reply is right.

    A large model's reply is judged as any model's: what a small one's are worth says nothing of it.
    """

    scorer: Scorer
    weights: DeviceWeights

    def confidence(self, question: str, ground: Ground, written: Written) -> float:
        """Judge a reply."""
        if not words(written.text) or only_refuses(written.text):
            return 0.0
        if (written.parameters or 0) >= LARGE:
            told = written.logprob
            look = self.scorer.look(question, ground.passages, written.text, logprob=told)
            return look.confidence
        fitted = self.weights.told if written.logprobs else self.weights.untold
        seen = signals(self.scorer, question, ground, written)
        return round(fitted.probability(seen), 4)


def signals(scorer: Scorer, question: str, ground: Ground, written: Written) -> dict[str, float]:
    """What the weights are applied to, each of about the size of one."""
    said = words(written.text)
    scored = scorer.look(question, ground.passages, written.text).confidence
    told = [max(_LEAST_LOGPROB, value) for value in written.logprobs]
    return {
        "scored": _logit(scored) / 3,
        "retrieval": _logit(ground.retrieval) / 3,
        "speaks": _logit(ground.speaks) / 3,
        **_taken(question, ground, said),
        "repeated": repeated(said),
        "cut": float(written.cut),
        "long": min(1.0, len(said) / AT_LENGTH),
        "sure": sum(told) / len(told) if told else 0.0,
        "least_sure": min(told, default=0.0) / 3,
    }


def _taken(question: str, ground: Ground, said: Sequence[str]) -> dict[str, float]:
    """What a reply has from the passages that the question did not have, and what from nowhere.

    A small model likes to say the question again, which is as grounded as it is empty. What it
    takes from the likeliest passage, and not from another, is as likely right as that passage; and
    what it takes from the sentence that speaks for the question is likelier right than the rest.
    """
    passages = ground.passages
    telling = {stem(word) for word in said} - STOP_STEMS
    fresh = telling - set(stems(question))
    each = [len(fresh & set(stems(passage))) for passage in passages]
    known = len(fresh & set(stems(" ".join(passages))))
    best = each[0] / max(each) if any(each) else 0.0
    pointed = len(fresh & set(stems(ground.sentence))) / len(fresh) if fresh else 0.0
    return {
        "adds": min(1.0, known / MUCH),
        "strange": (len(fresh) - known) / len(telling) if telling else 1.0,
        "from_best": best,
        "source": best * _logit(ground.retrieval) / 3,
        "pointed": pointed,
    }


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
