"""A question, its passages and a reply, read once, and which of their words are near which.

Decides how telling each word of the question is among the passages' sentences. Everything that
looks at a turn (`place`, `polarity`, `features`) looks at this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Final

from core.confidence.closeness import Closeness, Word
from core.confidence.lexicon import PERSONS
from core.confidence.reading import Sentence, read, read_all
from kb.normalise import words

SURE: Final = 0.6
"""Nearness from which a word is taken for another."""

TOUCHED: Final = 0.4
"""Share of a question from which the passages speak of it."""

type Near = Mapping[str, float]
"""How near the passages' words are to one word, by their texts."""


@dataclass(frozen=True)
class Evidence:
    """A turn, read. `near` has the telling words of question and reply, by their texts."""

    question: str
    reply: str
    passages: Sequence[str]
    asked: Sequence[Word]
    said: Sequence[Sentence]
    known: Sequence[Sentence]
    near: Mapping[str, Near]
    weights: Mapping[str, float]
    closeness: Closeness

    @property
    def told(self) -> list[Word]:
        """The telling words of the reply, each once."""
        return distinct(self.said)

    @property
    def body(self) -> Sequence[Sentence]:
        """The sentences of the passages that head none, or all where there is no other."""
        return [one for one in self.known if not one.heading] or self.known

    def fresh(self, sentence: Sentence) -> list[Word]:
        """What a sentence of the reply says that the question does not; else all it says."""
        keys = {word.key for word in self.asked}
        return [w for w in sentence.telling if w.key not in keys] or sentence.telling

    def nearest(self, word: Word, among: Iterable[str]) -> float:
        """How near the nearest of some words is to one of the question or the reply."""
        near = self.near[word.text]
        return max([near[text] for text in near.keys() & among], default=0.0)

    @cached_property
    def worldly(self) -> bool:
        """Whether the question is of the world: addressed to nobody, and not of the passages."""
        if not self.asked or not PERSONS.isdisjoint(words(self.question)):
            return False
        near = (max(self.near[word.text].values(), default=0.0) for word in self.asked)
        pairs = zip(self.asked, near, strict=True)
        return sum(self.weights[word.text] * value for word, value in pairs) <= TOUCHED


def gather(question: str, passages: Sequence[str], reply: str, closeness: Closeness) -> Evidence:
    """Read a turn and compare its words."""
    known = read_all(passages)
    said = read(reply)
    asked = distinct(read(question))
    vocabulary = distinct(known)
    wanted = {word.text: word for word in (*asked, *distinct(said))}
    near = {text: closeness.near(word, vocabulary) for text, word in wanted.items()}
    weights = _weights(asked, known, near)
    return Evidence(question, reply, passages, asked, said, known, near, weights, closeness)


def distinct(sentences: Sequence[Sentence]) -> list[Word]:
    """The telling words of some sentences, each once."""
    return list({word.text: word for one in sentences for word in one.telling}.values())


def _weights(
    asked: Sequence[Word], known: Sequence[Sentence], near: Mapping[str, Near]
) -> dict[str, float]:
    """An inverse document frequency over sentences; the weights sum to one."""
    found = {}
    for word in asked:
        texts = {text for text, value in near[word.text].items() if value >= SURE}
        having = sum(not texts.isdisjoint(sentence.texts) for sentence in known)
        found[word.text] = log(1 + (len(known) + 1) / (having + 1))
    total = sum(found.values())
    return {text: weight / total for text, weight in found.items()} if total else {}
