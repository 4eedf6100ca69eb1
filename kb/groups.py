"""Questions of many visitors, put together where they ask the same.

Decides what is the same: the same words but for case and punctuation, or, with an embedding, a
cosine of `SAME` to the wording that the group began with, in one language. Refuses to compare
everything with everything: a wording is compared with so many groups, the largest first. The same
questions give the same groups. Only an owner's machine imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sumprod
from typing import Final

from kb.embed import Embedding, Vector
from kb.features import text_key

SAME: Final = 0.8
"""Of the pairs in `banking77` and `clinc150` with a cosine of .8 to .85, 85 % and 93 % have one
label (see `kb.likeness`): one too many in a group is soon seen by who reads it."""
MOST_COMPARED: Final = 300
"""Groups that a wording is compared with; others may stay apart that ask the same."""

type Asked = tuple[str, str]
"""A question and its language."""


def group_questions(
    questions: Sequence[Asked], embedding: Embedding | None = None
) -> list[list[int]]:
    """Give the groups as places in `questions`, the largest first, then by first appearance.

    Within a group the most frequent wording comes first. A question without a word is left out.
    """
    wordings = _wordings(questions)
    leaders: list[tuple[str, Vector]] = []
    groups: list[list[int]] = []
    of_leader: list[int] = []
    for key, places in wordings:
        vector = embedding.vector(key.split()) if embedding else None
        language = questions[places[0]][1]
        at = _nearest(leaders, language, vector)
        if at is not None:
            groups[of_leader[at]] += places
            continue
        groups.append(list(places))
        if vector is not None and len(leaders) < MOST_COMPARED:
            leaders.append((language, vector))
            of_leader.append(len(groups) - 1)
    return sorted(groups, key=lambda places: (-len(places), min(places)))


def _wordings(questions: Sequence[Asked]) -> list[tuple[str, list[int]]]:
    """Give the places of each wording, the most frequent first, then by first appearance."""
    found: dict[tuple[str, str], list[int]] = {}
    for at, (text, language) in enumerate(questions):
        key = text_key(text)
        if key:
            found.setdefault((key, language), []).append(at)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[1][0]))
    return [(key, places) for (key, _), places in ranked]


def _nearest(
    leaders: Sequence[tuple[str, Vector]], language: str, vector: Vector | None
) -> int | None:
    if vector is None:
        return None
    best, found = SAME, None
    for at, (own, leader) in enumerate(leaders):
        if own == language:
            cosine = sumprod(vector, leader)
            if cosine >= best and (found is None or cosine > best):
                best, found = cosine, at
    return found
