"""Why a question finds what it finds: every step of a search, laid open for the owner.

Decides what is shown of each step, and computes nothing of its own: candidates, order and
confidence are those of `Index.search`. Refuses nothing: any string is a question. Only an owner's
machine imports it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kb.choice import SIGNALS, Choice
from kb.embed import Embedding
from kb.entry import Entry
from kb.evidence import Hearing, heard
from kb.features import STOP_STEMS
from kb.normalise import normalise, stem, words
from kb.rank import Query, Ranker
from kb.search import Hit, Index

CANDIDATES: Final = 5
_MOST_STOOD_FOR: Final = 3
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the question, as it is compared.

    `known`: some phrasing has its stem. `everyday`: a function word, which tells little.
    `stands_for`: stems of the knowledge base that it also counts for, the nearest first.
    `pieces`: the tokens of its vector; none without an embedding.
    """

    text: str
    stem: str
    known: bool
    everyday: bool
    stands_for: tuple[str, ...]
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """What one sense says for a candidate; `contribution` is weight times value, 0 if not heard."""

    name: str
    value: float
    weight: float
    heard: bool
    contribution: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry that may be meant.

    `hit` is what the search gives, its `score` after the correction. `matched` is the translation
    that the question was compared with, `phrasing` its nearest way to ask. `probability` is the one
    before the correction and before any exact match, and `spoken` the part of it that the text of
    the answer gives. `shared` are stems that the nearest phrasing has and the question reached.
    """

    hit: Hit
    matched: Entry
    phrasing: str
    shared: tuple[str, ...]
    signals: tuple[Signal, ...]
    utility: float
    probability: float
    spoken: float
    is_exact: bool

    @property
    def sentence(self) -> str:
        """The sentence of the answer that speaks for it; empty where the phrasings say more."""
        return self.hit.entry.answer[slice(*self.hit.sentence)] if self.hit.sentence else ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that led to a search's result.

    `dropped` are words of the question that are not compared: parts of addresses and contractions,
    and what is beyond the first 96 words. `said` is the question in the site's own words, where it
    names some, and what `words` are of. `none_utility` and `none_probability` are those of "none
    of the entries". `shift` and `slope` are the owner's correction, (0, 1) where there is none.
    """

    question: str
    said: str
    release: str
    spoken: str | None
    hearing: Hearing
    words: tuple[Word, ...]
    dropped: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    none_utility: float
    none_probability: float
    shift: float
    slope: float

    @property
    def hits(self) -> tuple[Hit, ...]:
        """What the search gives, best first."""
        return tuple(candidate.hit for candidate in self.candidates)


def explain(
    index: Index,
    question: str,
    *,
    locale: str | None = None,
    limit: int = CANDIDATES,
    today: str | None = None,
) -> Explanation:
    """Lay open the search for a question; `locale` and `today` are as for `Index.search`."""
    look = index.look(question, today=today)
    choice = index.choices[look.hearing]
    hits = index.search(question, locale=locale, limit=limit, today=today)
    signals = {clue.unit: clue.signals for clue in look.clues}
    weighed_as = {index.entries[one.clue.unit].id: one for one in look.weighed}
    ranked = {index.entries[one.clue.unit].id: (one, exact) for one, exact in look.ranked}
    candidates = []
    for hit in hits:
        found, is_exact = ranked[hit.entry.id]
        own = weighed_as.get(hit.entry.id)
        unit = found.clue.unit
        weighed = _signals(signals.get(unit, ()), choice, look.hearing)
        candidates.append(
            Candidate(
                hit=hit,
                matched=index.entries[unit],
                phrasing=_phrasing(index, unit, found.clue.phrasing),
                shared=_shared(index.finder.ranker, look.query, found.clue.phrasing),
                signals=weighed,
                utility=sum(signal.contribution for signal in weighed),
                probability=own.probability if own else 0.0,
                spoken=own.spoken if own else 0.0,
                is_exact=is_exact,
            )
        )
    meaning = index.finder.meaning
    return Explanation(
        question=question,
        said=look.said,
        release=index.release,
        spoken=look.spoken,
        hearing=look.hearing,
        words=_words(look.said, index.finder.ranker, meaning.embedding if meaning else None),
        dropped=_dropped(question),
        candidates=tuple(candidates),
        none_utility=choice.none,
        none_probability=max(0.0, 1 - sum(one.probability for one in look.weighed)),
        shift=index.correction.shift,
        slope=index.correction.slope,
    )


def _words(question: str, ranker: Ranker, embedding: Embedding | None) -> tuple[Word, ...]:
    found = []
    for word in words(question):
        root, alone = stem(word), ranker.query(word)
        others = [name for name in ranker.reached(alone) if name != root]
        found.append(
            Word(
                text=word,
                stem=root,
                known=alone.known > 0,
                everyday=root in STOP_STEMS,
                stands_for=tuple(others[:_MOST_STOOD_FOR]),
                pieces=tuple(embedding.pieces(word)) if embedding else (),
            )
        )
    return tuple(found)


def _dropped(question: str) -> tuple[str, ...]:
    """Give the question's words that are missing among the compared ones, in order."""
    compared = Counter(words(question))
    dropped = []
    for word in _WORD.findall(normalise(question)):
        if compared[word]:
            compared[word] -= 1
        else:
            dropped.append(word)
    return tuple(dropped)


def _signals(values: Sequence[float], choice: Choice, hearing: Hearing) -> tuple[Signal, ...]:
    """Weigh a unit's signals; one that no sense put forward (an exact match alone) has zeros."""
    raw = tuple(values) or (0.0,) * len(SIGNALS)
    is_heard = heard((1.0,) * len(SIGNALS), hearing)
    return tuple(
        Signal(name, value, weight, bool(on), weight * value * on)
        for name, value, weight, on in zip(SIGNALS, raw, choice.weights, is_heard, strict=True)
    )


def _phrasing(index: Index, unit: int, phrasing: int) -> str:
    entry = index.entries[unit]
    return (entry.question, *entry.variants)[index.finder.ranker.place(unit, phrasing)]


def _shared(ranker: Ranker, query: Query, phrasing: int) -> tuple[str, ...]:
    return tuple(ranker.matched(query, phrasing))
