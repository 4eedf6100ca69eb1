"""A knowledge base while its index is built: every text looked at once, searched in any part.

Decides what is worked out once (terms, vectors, features) and what each part needs anew (weights,
the head). Refuses to train a head on entries with hardly a variant: there is nothing to learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from kb.embed import Embedding, Vector
from kb.entry import Entry
from kb.features import Blocks, feature_blocks
from kb.find import Finder, Judgement, Meaning, starts_of
from kb.head import Head, Lesson, Trainer, feature_space
from kb.normalise import words
from kb.pool import pooled
from kb.rank import Ranker
from kb.tables import Phrasing, Terms, build_tables
from kb.vectors import Vectors, pack_vector
from kb.vocabulary import Vocabulary, build_vocabulary

FEW_VARIANTS: Final = 3.0
"""Phrasings an entry, on average, from which a head is trained."""
MOST_CLASSES: Final = 2_000
NEAREST_STRANGER: Final = 0.5
"""Cosine to a phrasing from which a background text may be one of this site's own questions."""
FEW_NEAR: Final = 8
LEAST_STRANGERS: Final = 120
STRANGERS_SHARE: Final = 0.25
"""Background texts that are used: so many, or this share of the entries' own; more of them drown a
small knowledge base."""


@dataclass
class Bench:
    """The searchable texts, phrasings in order of unit, with all that was worked out of them."""

    texts: Sequence[str]
    unit_of: Sequence[int]
    unit_ids: Sequence[str]
    terms: Terms
    phrasings: list[Phrasing]
    vocabulary: Vocabulary
    common: list[Phrasing]
    embedding: Embedding | None
    trainer: Trainer | None
    _vectors: dict[str, Vector | None] = field(default_factory=dict)
    _packed: dict[str, bytes] = field(default_factory=dict)
    _blocks: dict[str, Blocks] = field(default_factory=dict)

    def finder(self, kept: Sequence[int], background: Sequence[str]) -> Finder:
        """Give a finder over the phrasings `kept`, ascending; `background` is nobody's."""
        tables = build_tables(
            [self.phrasings[number] for number in kept],
            len(self.unit_ids),
            self.terms,
            self.common,
        )
        ranker = Ranker(tables, self.vocabulary, self.terms.pairs)
        return Finder(ranker, self._meaning(kept), self._judgement(kept, background))

    def strangers(self, background: Sequence[str], nearest: float = NEAREST_STRANGER) -> list[str]:
        """Give the background texts that no entry could be meant by, as far as vectors tell."""
        if self.embedding is None or not self.texts:
            return list(background)
        levels = b"".join(self._pack(text) for text in self.texts if self.vector(text) is not None)
        known = Vectors(levels, self.embedding.dimensions)
        return [text for text in background if self._closest(known, text) < nearest]

    def _closest(self, known: Vectors, text: str) -> float:
        vector = self.vector(text)
        if vector is None:
            return 0.0
        return max((cosine for cosine, _ in known.nearest(vector, FEW_NEAR)), default=0.0)

    def vector(self, text: str) -> Vector | None:
        """Give a text's vector, worked out once."""
        if self.embedding is None:
            return None
        if text not in self._vectors:
            self._vectors[text] = self.embedding.vector(words(text))
        return self._vectors[text]

    def _meaning(self, kept: Sequence[int]) -> Meaning | None:
        if self.embedding is None:
            return None
        rows = pooled(
            [(self.unit_of[n], at, self.vector(self.texts[n])) for at, n in enumerate(kept)]
        )
        levels = b"".join(self._pack(self.texts[kept[at]]) for _, at in rows)
        owners = [unit for unit, _ in rows]
        return Meaning(
            self.embedding,
            Vectors(levels, self.embedding.dimensions),
            owners,
            [at for _, at in rows],
            starts_of(owners, len(self.unit_ids)),
        )

    def _pack(self, text: str) -> bytes:
        vector = self.vector(text)
        if text not in self._packed and vector is not None:
            self._packed[text] = pack_vector(vector)
        return self._packed[text]

    def _judgement(self, kept: Sequence[int], background: Sequence[str]) -> Judgement | None:
        ids = list(dict.fromkeys(self.unit_ids))
        enough = len(self.texts) >= FEW_VARIANTS * len(self.unit_ids)
        if self.trainer is None or not enough or not 2 <= len(ids) <= MOST_CLASSES:
            return None
        number = {entry: at for at, entry in enumerate(ids)}
        class_of = [number[entry] for entry in self.unit_ids]
        strangers = some_strangers(background, len(kept))
        texts = [self.texts[n] for n in kept] + strangers
        labels = [class_of[self.unit_of[n]] for n in kept] + [len(ids)] * len(strangers)
        blocks = [self._features(text) for text in texts]
        space = feature_space(blocks)
        weights = self.trainer.fit(
            Lesson(
                rows=[space.row(own) for own in blocks],
                vectors=[self.vector(text) for text in texts],
                labels=labels,
                features=len(space),
                classes=len(ids) + 1,
            )
        )
        dimensions = self.embedding.dimensions if self.embedding else 0
        return Judgement(Head(space, weights, dimensions), class_of)

    def _features(self, text: str) -> Blocks:
        if text not in self._blocks:
            self._blocks[text] = feature_blocks(text)
        return self._blocks[text]


def make_bench(
    entries: Sequence[Entry],
    everyday: Sequence[str],
    embedding: Embedding | None,
    trainer: Trainer | None,
    progress: Callable[[float], None] = lambda _: None,
) -> Bench:
    """Look at every text of the entries once."""
    terms = Terms()
    located = [
        (unit, text)
        for unit, entry in enumerate(entries)
        for text in (entry.question, *entry.variants)
    ]
    phrasings = [terms.phrasing(unit, text) for unit, text in located]
    own_words = len(terms.words)
    common = [terms.phrasing(-1, text) for text in some_strangers(everyday, len(phrasings))]
    bench = Bench(
        texts=[text for _, text in located],
        unit_of=[unit for unit, _ in located],
        unit_ids=[entry.id for entry in entries],
        terms=terms,
        phrasings=phrasings,
        vocabulary=build_vocabulary(terms.words, own_words),
        common=common,
        embedding=embedding,
        trainer=trainer,
    )
    for at, text in enumerate(bench.texts):
        if at % 500 == 0:
            progress(at / len(bench.texts))
        bench.vector(text)
    return bench


def some_strangers(background: Sequence[str], own: int) -> list[str]:
    """Draw the background texts to use beside `own` texts of entries; always the same."""
    most = max(LEAST_STRANGERS, round(STRANGERS_SHARE * own))
    if len(background) <= most:
        return list(background)
    return Random(most).sample(background, most)  # noqa: S311 (repeatable, nothing secret)
