"""The safety head: a linear classifier over words and their meaning, from weights that a fit wrote.

Decides how likely each kind is, calibrated for the share of unsafe texts that the weights name, and
which kinds are flagged. It adds up numbers of each word, looked up, so that it needs no library and
a question costs tenths of a millisecond (docs/adr/0029). Refuses weights that are not whole, and an
embedding that they were not fitted on.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt, sumprod
from typing import Any, Final

from core.errors import FanlightError
from core.safety.features import Window, marks, windows
from core.safety.kinds import KEPT_FROM_MODELS, KINDS, Kind
from kb.embed import Embedding

FORM: Final = 1
FEWEST: Final = 4
"""A text of fewer words counts as one of so many: a single word proves little."""

_CACHED: Final = 8_192
_NONE: Final = (0.0,) * len(KINDS)

type Scores = Sequence[float]


class BadWeights(FanlightError):
    """The weights of the head are not what a fit writes."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fit found, in the order of the kinds.

    `rows` are of features by name, `planes` of the embedding's dimensions, `slopes` and `offsets`
    turn scores into probabilities, `thresholds` are the probabilities from which a kind is flagged.
    """

    rows: Mapping[str, tuple[float, ...]]
    planes: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    thresholds: tuple[float, ...]
    prior: float
    embedding: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The probability of each kind, and the kinds that are flagged."""

    shares: Mapping[Kind, float]
    flagged: tuple[Kind, ...]

    @property
    def unsafe(self) -> bool:
        """Whether the text is kept from language models."""
        return not KEPT_FROM_MODELS.isdisjoint(self.flagged)


class Head:
    """Judges texts. Immutable but for a cache of what tokens count."""

    def __init__(self, weights: Weights, embedding: Embedding) -> None:
        if embedding.release != weights.embedding:
            raise BadWeights("These weights were fitted on another embedding; fit them anew.")
        self.weights: Final = weights
        self._embedding = embedding
        self._tokens: dict[int, tuple[float, ...]] = {}

    def judge(self, text: str) -> Judgement:
        """What is to be thought of a text; its worst window counts."""
        weights = self.weights
        signs = _total(weights.rows.get(name, _NONE) for name in marks(text))
        tops = [max(column) for column in zip(*map(self._score, windows(text)), strict=True)]
        shares = [
            _logistic(slope * (top + sign) + offset)
            for top, sign, slope, offset in zip(
                tops, signs, weights.slopes, weights.offsets, strict=True
            )
        ]
        return Judgement(
            dict(zip(KINDS, shares, strict=True)),
            tuple(
                kind
                for kind, share, needed in zip(KINDS, shares, weights.thresholds, strict=True)
                if share >= needed
            ),
        )

    def _score(self, window: Window) -> Scores:
        rows = self.weights.rows
        said = _total(row for name in window.names if (row := rows.get(name)) is not None)
        tokens = [token for word in window.words for token in self._embedding.split(word)]
        meant = _total(map(self._counted, tokens))
        by_words, by_tokens = scales(len(window.words), len(tokens))
        return [
            bias + by_words * one + by_tokens * two
            for bias, one, two in zip(self.weights.bias, said, meant, strict=True)
        ]

    def _counted(self, token: int) -> tuple[float, ...]:
        """What a token's vector counts for each kind."""
        found = self._tokens.get(token)
        if found is None:
            if len(self._tokens) >= _CACHED:
                self._tokens.clear()
            vector = self._embedding.token(token)
            found = tuple(sumprod(plane, vector) for plane in self.weights.planes)
            self._tokens[token] = found
        return found


def scales(count: int, tokens: int) -> tuple[float, float]:
    """By what the sums over a window's features and over its tokens are multiplied."""
    return 1.0 / sqrt(max(FEWEST, count)), 1.0 / sqrt(max(1, tokens))


def read_weights(text: str) -> Weights:
    """The weights that a fit wrote; raises `BadWeights`."""
    try:
        told = json.loads(text)
        if told["form"] != FORM or told["kinds"] != list(KINDS):
            raise BadWeights("These weights are of another form; fit them anew.")
        scale = float(told["scale"])
        return Weights(
            rows={str(name): _row(row, scale) for name, row in told["features"].items()},
            planes=_planes(told["planes"], told["plane_scales"]),
            bias=_row(told["bias"]),
            slopes=_row(told["slopes"]),
            offsets=_row(told["offsets"]),
            thresholds=_row(told["thresholds"]),
            prior=float(told["prior"]),
            embedding=str(told["embedding"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadWeights(f"These are no weights of a head: {error!r}. Fit them anew.") from error


def _planes(packed: Sequence[str], plane_scales: Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    planes = []
    for plane, scale in zip(packed, _row(plane_scales), strict=True):
        # Whole numbers of one byte, from -128.
        planes.append(tuple((byte - 128) * scale for byte in base64.b64decode(plane)))
    if len(planes) != len(KINDS) or len({len(plane) for plane in planes}) != 1:
        raise ValueError("planes that do not fit each other")
    return tuple(planes)


def _row(row: Any, scale: float = 1.0) -> tuple[float, ...]:
    numbers = tuple(float(number) * scale for number in row)
    if len(numbers) != len(KINDS) or not all(map(math.isfinite, numbers)):
        raise ValueError("a row that is not of as many numbers as there are kinds")
    return numbers


def _total(rows: Iterable[tuple[float, ...]]) -> Scores:
    columns = list(zip(*rows, strict=True))
    return [sum(column) for column in columns] if columns else _NONE


def _logistic(score: float) -> float:
    return 1.0 / (1.0 + exp(-score)) if score > -500.0 else 0.0
