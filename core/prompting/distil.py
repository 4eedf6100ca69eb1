"""A long conversation in a few of its lines: what a prompt holds of the turns that no longer fit.

Decides what a line is worth (how near it is to the question by its words and its meaning, and how
near the lines beside it are: an answer means little without what it answers) and which lines say
the same (the leader algorithm; Hartigan, Clustering Algorithms, 1975): of each cluster the
worthiest line stays, in the conversation's order, while the tokens last. It writes nothing of its
own, so that a summary claims nothing that was not said. Without an embedding, words alone count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log, sumprod
from typing import Final

from core.prompting.budget import Count, cut, estimate
from kb.features import STOP_STEMS, stems

Embed = Callable[[str], Sequence[float] | None]
"""The unit vector of a text; None where it has none."""

LINE_TOKENS: Final = 80
"""A longer line is cut: half a dozen lines say more of a conversation than one."""
MEANING: Final = 0.4
"""The share of meaning in a line's worth; words have the rest."""
BESIDE: Final = 0.5
"""How much of its better neighbour's worth a line has too."""
SAME: Final = 0.8
"""The cosine from which two lines say the same."""
_CACHED: Final = 1_024
_LEAST: Final = 8
"""Tokens that are not worth a further line."""
_SATURATION, _LENGTH_SHARE = 1.2, 0.75
"""The usual two numbers of BM25 (Robertson and Zaragoza, 2009)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of a conversation, by whom it is."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A line that stays: its number, as it is shown, and whether it is whole."""

    number: int
    shown: str
    whole: bool


def distil(
    lines: Sequence[Line],
    question: str,
    budget: int,
    *,
    count: Count = estimate,
    embed: Embed | None = None,
) -> tuple[Kept, ...]:
    """The lines to keep for a question within so many tokens, in their order."""
    if not lines:
        return ()
    vectors = [embed(line.text) for line in lines] if embed else [None] * len(lines)
    about = embed(question) if embed else None
    worth = _worth(lines, question, [_cosine(about, vector) for vector in vectors])
    leaders: list[int] = []
    kept: list[Kept] = []
    left = budget
    for number in sorted(range(len(lines)), key=lambda at: -worth[at]):
        if left < _LEAST:
            break
        if any(_cosine(vectors[number], vectors[leader]) > SAME for leader in leaders):
            continue
        line = _shown(number, lines[number], count)
        cost = count(line.shown) + 1
        if line.shown and cost <= left:
            leaders.append(number)
            kept.append(line)
            left -= cost
    return tuple(sorted(kept, key=lambda line: line.number))


def _shown(number: int, line: Line, count: Count) -> Kept:
    said = f"{line.speaker}: {' '.join(line.text.split())}" if line.text.strip() else ""
    shown = cut(said, LINE_TOKENS, count)
    return Kept(number, shown, shown == said)


def _worth(lines: Sequence[Line], question: str, meaning: Sequence[float]) -> list[float]:
    said = [_counted(f"{line.speaker} {line.text}") for line in lines]
    spoken = _by_words(said, [stem for stem in stems(question) if stem not in STOP_STEMS])
    own = [MEANING * near + (1 - MEANING) * has for near, has in zip(meaning, spoken, strict=True)]
    beside = zip([0.0, *own[:-1]], [*own[1:], 0.0], strict=True)
    return [one + BESIDE * max(both) for one, both in zip(own, beside, strict=True)]


@lru_cache(maxsize=_CACHED)
def _counted(text: str) -> Counter[str]:
    """A line's stems: the next question is about the same lines."""
    return Counter(stems(text))


def _by_words(said: Sequence[Counter[str]], wanted: Sequence[str]) -> list[float]:
    """BM25 of each line, as a share of what the question's words are worth together."""
    lengths = [line.total() for line in said]
    mean = sum(lengths) / len(lengths) if any(lengths) else 1.0
    weights = {}
    for word in dict.fromkeys(wanted):
        having = sum(word in line for line in said)
        weights[word] = log(1 + (len(said) - having + 0.5) / (having + 0.5))
    mass = sum(weights.values()) * (_SATURATION + 1) or 1.0
    found = []
    for line, length in zip(said, lengths, strict=True):
        damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / mean)
        hits = (weight * line[word] / (line[word] + damping) for word, weight in weights.items())
        found.append(sum(hits) * (_SATURATION + 1) / mass)
    return found


def _cosine(one: Sequence[float] | None, other: Sequence[float] | None) -> float:
    return max(0.0, sumprod(one, other)) if one and other else 0.0
