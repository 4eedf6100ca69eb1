"""How well passages are found: hits, reciprocal ranks, and how long a question takes.

Decides what the rows of a corpus and its queries may look like: passages `{id, text, lang?}` with
queries `{passage, question}` (`question` a text, or one a language), or labelled texts `{text,
label, lang?}` on both sides, where a label is found by its three nearest texts. Refuses a row that
is neither. Opens nothing and reads no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, Protocol

from kb.embed import Embedding
from kb.json_rows import json_object, text_field
from kb.normalise import words
from kb.passages import Passages, make_passages, sentences
from kb.vectors import Vectors, pack_all

RANKED: Final = 10
"""Answers that are looked at; one further down counts as not found."""
NEAREST: Final = 3


@dataclass(frozen=True, slots=True)
class Item:
    """A text of the corpus with the name that finds it, or a question with the name it is after."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class RetrievalFigures:
    """`hit1`, `hit5`: the right one is first, among five. `mrr`: mean reciprocal rank, 0 after ten.
    `p50_ms`, `p95_ms`: milliseconds a query. `n`: queries."""

    hit1: float
    hit5: float
    mrr: float
    p50_ms: float
    p95_ms: float
    n: int


class Retriever(Protocol):
    """Names for a question, best first."""

    def names(self, question: str) -> Sequence[str]:
        """Give at most `RANKED` names."""
        ...


def read_corpus(lines: Iterable[str], source: str, language: str | None) -> tuple[list[Item], bool]:
    """Read a corpus, in one language where one is named; say whether it is labelled texts."""
    items: list[Item] = []
    labelled = False
    for place, row in _rows(lines, source, language):
        labelled = labelled or "label" in row
        items.append(
            Item(
                text_field(row, "text", place),
                text_field(row, "label" if "label" in row else "id", place),
            )
        )
    return items, labelled


def read_questions(lines: Iterable[str], source: str, language: str | None) -> list[Item]:
    """Read the questions that have an answer, in one language where one is named."""
    items: list[Item] = []
    for place, row in _rows(lines, source, language):
        if row.get("answerable", True) is False:
            continue
        asked = row.get("question", row.get("text"))
        if isinstance(asked, dict):
            if language is None:
                raise ValueError(
                    f"{place}: the question is in {', '.join(asked)}: choose one language"
                )
            asked = asked.get(language)
        if not isinstance(asked, str):
            raise ValueError(f"{place}: the field 'question' (or 'text') must be there, as text")
        items.append(Item(asked, text_field(row, "label" if "label" in row else "passage", place)))
    return items


def _rows(
    lines: Iterable[str], source: str, language: str | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        row = json_object(line, place)
        if language is None or row.get("lang", language) == language:
            yield place, row


class PassageRetriever:
    """Finds passages by their words' meanings (`kb.passages`)."""

    def __init__(self, corpus: Sequence[Item], embedding: Embedding) -> None:
        self._names = [item.name for item in corpus]
        tables = make_passages((_sentences(item.text) for item in corpus), embedding)
        self._passages = Passages(tables, embedding)

    def names(self, question: str) -> Sequence[str]:
        """Give the names of the best passages."""
        found = self._passages.search(question, RANKED)
        return list(dict.fromkeys(self._names[one.passage] for one in found))


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


class LabelRetriever:
    """Finds labels by the mean cosine of their three nearest texts."""

    def __init__(self, corpus: Sequence[Item], embedding: Embedding) -> None:
        self._embedding = embedding
        self._labels = [item.name for item in corpus]
        vectors = (embedding.vector(words(item.text)) for item in corpus)
        self._vectors = Vectors(pack_all(vectors, embedding.dimensions), embedding.dimensions)

    def names(self, question: str) -> Sequence[str]:
        """Give the labels, nearest first."""
        vector = self._embedding.vector(words(question))
        if vector is None:
            return []
        near: dict[str, list[float]] = {}
        for cosine, number in self._vectors.nearest(vector):
            near.setdefault(self._labels[number], []).append(cosine)
        means = {label: _mean_of_best(cosines) for label, cosines in near.items()}
        return nlargest(RANKED, means, key=lambda label: (means[label], label))


def _mean_of_best(cosines: Sequence[float]) -> float:
    """Mean of the three nearest; a label with fewer among the nearest is not held to three."""
    best = nlargest(NEAREST, cosines)
    return sum(best) / len(best)


def measure(
    retriever: Retriever, questions: Sequence[Item], clock: Callable[[], float]
) -> RetrievalFigures:
    """Ask every question; `clock` gives seconds. Raises `ValueError` when there is none."""
    if not questions:
        raise ValueError("there is no question to ask: check --query-lang")
    ranks: list[int | None] = []
    seconds: list[float] = []
    for question in questions:
        start = clock()
        names = list(retriever.names(question.text))
        seconds.append(clock() - start)
        ranks.append(names.index(question.name) if question.name in names else None)
    seconds.sort()
    count = len(ranks)
    return RetrievalFigures(
        hit1=sum(rank == 0 for rank in ranks) / count,
        hit5=sum(rank is not None and rank < 5 for rank in ranks) / count,
        mrr=sum(1 / (rank + 1) for rank in ranks if rank is not None) / count,
        p50_ms=1000 * seconds[count // 2],
        p95_ms=1000 * seconds[min(count - 1, int(0.95 * count))],
        n=count,
    )
