"""Questions that go on from the one before: "and how long does that take?".

Decides what shows that a question leans on another (it points, it opens with a joining word, or it
says next to nothing by itself), which earlier question it leans on, and how sure an answer can be
that rests on such a reading. Refuses to repeat an answer for want of another: the entry that was
told already counts only as far as a sentence of its answer speaks for the new question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kb.features import STOP_STEMS
from kb.language import ALL_STOP_WORDS
from kb.normalise import stem, words
from kb.search import Hit, Index, bounded

READING: Final = 0.9
"""Probability that a question which looks like one that goes on is one; assumed, not measured."""
NEARER: Final = 8.0
"""How much likelier an entry is for being near to what is talked about, at the most; assumed."""
RIVALS: Final = 8
TOLD: Final = 0.5
"""Confidence from which an earlier question's entry counts as what is talked about."""
HISTORY: Final = 6
_BACK: Final = 3
"""Earlier questions that are looked at for what is talked about."""
_SHORT: Final = 3
_POINTING_WORDS = """it its that this these those they them their
eso esto ello esa ese esos esas estos estas ellos ellas alli ahi
זה זאת זו אותו אותה אותם אותן הוא היא הם הן שם כזה כזאת לזה בזה מזה עליו עליה עליהם"""
_JOINING_WORDS = "and but or also then so y e pero o tambien entonces אבל או גם אז"
_POINTING: Final = frozenset(_POINTING_WORDS.split())
_JOINING: Final = frozenset(_JOINING_WORDS.split())
_ABOUT: Final = (("what", "about"), ("how", "about"), ("que", "tal"), ("que", "pasa"), ("מה", "עם"))
_AND: Final = "ו"


def points(question: str) -> bool:
    """Say whether a question points at what was said, or joins on to it; any string will do."""
    said = words(question)
    if not said:
        return False
    first = said[0]
    joins = first in _JOINING or (first[:1] == _AND and first[1:] in ALL_STOP_WORDS)
    return joins or tuple(said[:2]) in _ABOUT or not _POINTING.isdisjoint(said)


def leans(question: str) -> bool:
    """Say whether a question may need the one before it to be understood; any string will do."""
    said = words(question)
    telling = sum(stem(word) not in STOP_STEMS for word in said)
    return points(question) or (0 < len(said) <= _SHORT and telling <= 1)


def follow_up(
    index: Index,
    question: str,
    alone: Sequence[Hit],
    history: Sequence[str],
    *,
    locale: str | None = None,
    today: str | None = None,
) -> tuple[Hit, ...]:
    """Give the hits for a question read as going on from an earlier one, best first.

    Nothing where it leans on none, or where none of the last was answered. `alone` are the hits of
    the question by itself; `history` has the visitor's earlier questions, oldest first.
    """
    before = told_before(index, question, history, locale=locale, today=today)
    if before is None:
        return ()
    about, told = before
    # The new question first: of a long text only the beginning is compared.
    joined = index.search(f"{question} {about}", locale=locale, limit=RIVALS, today=today)
    again = index.again(told, question, today=today)
    return _reread(told, again, alone, joined)


def told_before(
    index: Index,
    question: str,
    history: Sequence[str],
    *,
    locale: str | None = None,
    today: str | None = None,
) -> tuple[str, Hit] | None:
    """Give the earlier question that this one leans on, with its hit; None where it leans on none,
    or none of the last was answered."""
    if not leans(question):
        return None
    for about in reversed(history[-_BACK:]):
        told = next(iter(index.search(about, locale=locale, limit=1, today=today)), None)
        if told is not None and told.confidence >= TOLD:
            return about, told
    return None


def _reread(
    told: Hit, again: Hit | None, alone: Sequence[Hit], joined: Sequence[Hit]
) -> tuple[Hit, ...]:
    """Share the probability anew: first as far as what was told speaks for the new question, then
    by what the question says itself, nearness to what is talked about counting."""
    near = {hit.entry.id: hit.score for hit in joined if hit.entry.id != told.entry.id}
    apart = max(1e-9, 1 - sum(hit.score for hit in joined if hit.entry.id == told.entry.id))
    weights = {
        hit.entry.id: hit.score * (1 + NEARER * near.get(hit.entry.id, 0.0) / apart)
        for hit in alone
    }
    none = max(0.0, 1 - sum(hit.score for hit in alone))
    total = max(1e-9, none + sum(weights.values()))
    spoken = again.score if again else 0.0
    shares = {name: (1 - spoken) * weight / total for name, weight in weights.items()}
    shown = {hit.entry.id: hit for hit in alone}
    if again:
        if spoken > shares.get(told.entry.id, 0.0):
            shown[told.entry.id] = again
        shares[told.entry.id] = shares.get(told.entry.id, 0.0) + spoken
    read = [_at(shown[name], READING * share) for name, share in shares.items()]
    return tuple(sorted(read, key=lambda hit: -hit.score))


def _at(hit: Hit, share: float) -> Hit:
    return replace(hit, score=share, confidence=bounded(share), reasons=("follow_up", *hit.reasons))
