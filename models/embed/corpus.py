"""The training texts in memory: what is said, in which languages, and how common each word is.

Decides that a meaning is a row of translations, and that words count by their share of their own
language. Opens the files that `models.embed.collect` wrote.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.normalise import words


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning said in one or more languages."""

    texts: dict[str, str]
    kind: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Meanings, every distinct (language, text) of theirs, and where each meaning's texts are."""

    meanings: Sequence[Meaning]
    texts: Sequence[tuple[str, str]]
    members: Sequence[Sequence[int]]


def read_meanings(path: Path) -> list[Meaning]:
    """Read the rows that `models.embed.collect` wrote."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    found = []
    for row in rows:
        texts = {name: row[name] for name in ("en", "es", "he") if words(row.get(name, ""))}
        if texts:
            found.append(Meaning(texts, row["kind"]))
    return found


def read_counts(path: Path) -> dict[str, dict[str, float]]:
    """Read word counts a language, of the words as they are once normalised."""
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            language, word, count = line.rstrip("\n").split("\t")
            for part in words(word):
                counts[language][part] += float(count)
    return {language: dict(own) for language, own in counts.items()}


def joint_shares(counts: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Give each word its share of its language, so that no language crowds out another."""
    joint: dict[str, float] = defaultdict(float)
    for own in counts.values():
        total = sum(own.values())
        for word, count in own.items():
            joint[word] += count / total
    return dict(joint)


def make_corpus(meanings: Sequence[Meaning]) -> Corpus:
    """Number the distinct texts."""
    places: dict[tuple[str, str], int] = {}
    members = [
        [places.setdefault(item, len(places)) for item in meaning.texts.items()]
        for meaning in meanings
    ]
    return Corpus(meanings, list(places), members)
