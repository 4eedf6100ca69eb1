"""Which replies are right, by rule: answerable from the given entries, and said from the right one.

A reply is right where the entry that answers the question was given, and what the reply says
stands in it: hardly a word that tells anything is from elsewhere, no number is, many pairs of words
are the entry's, and nothing is said over and over. Where it is known which facts answer the
question, the reply has them all, and says yes or no as the entry does; a number that follows from
the entry's is one of them. Where that is not known, it says more of the entry than the question
did. Everything else is wrong, a refusal too: it is no answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from core.confidence.refusal import only_refuses
from core.confidence.repetition import repeated
from kb.features import STOP_STEMS, stems
from kb.normalise import words

FROM_ENTRY: Final = 0.8
"""Share of a reply's telling words that must stand in the entry or the question."""
NEW: Final = 2
"""Telling words of the entry that the question did not have."""
STRANGE: Final = 0.34
"""Share of telling words from elsewhere that a reply with the facts may have: a connecting word."""
YES: Final = ("yes", "si", "כן")
NO: Final = ("no", "לא", "אין")
OWN_PAIRS: Final = 0.4
"""Share of a reply's pairs of words that must stand so in the entry or the question."""
SHORT: Final = 6
"""Pairs of words below which a reply is free in how it puts them."""
AGAIN: Final = 0.25
"""Share of runs of three words that a reply may repeat."""
_DENIED: Final = re.compile(
    r"\b(?:no|not|never|nobody|without|except|closed|cannot|nunca|sin|tampoco|cerrad[oa]|לא|אין|סגור)\b"
    r"|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What answers a question: each of `all_of` is other words for one fact.

    `affirmed` is True or False where the answer is yes or no, else None.
    """

    all_of: tuple[tuple[str, ...], ...]
    affirmed: bool | None = None


def read_facts(text: str) -> Facts | None:
    """Facts as `models/local/knowledge` writes them; None where nothing answers the question."""
    parts = [
        tuple(one.strip().lower() for one in part.split("|"))
        for part in text.split("&")
        if part.strip()
    ]
    if not parts:
        return None
    polar = {("yes",): True, ("sí",): True, ("no",): False}
    affirmed = next((polar[part] for part in parts if part in polar), None)
    return Facts(tuple(part for part in parts if part not in polar), affirmed)


def is_right(question: str, reply: str, gold: str | None, facts: Facts | None = None) -> bool:
    """Whether a reply is right; `gold` is the text of the right entry where that was given."""
    if gold is None or only_refuses(reply) or repeated(words(reply)) > AGAIN:
        return False
    known, asked, said = _telling(gold), _telling(question), _telling(reply)
    each = [word for fact in (facts.all_of if facts else ()) for one in fact for word in words(one)]
    if any(word.isdecimal() and word not in known | asked | {*each} for word in said):
        return False
    if facts is not None:
        strange = len(said - known - asked) / max(1, len(said))
        own = _own_pairs(reply, f"{gold}\n{question}")
        return strange <= STRANGE and own >= OWN_PAIRS and _has(reply, facts)
    grounded = len(said & (known | asked)) / max(1, len(said))
    return grounded >= FROM_ENTRY and len((said & known) - asked) >= NEW


def _own_pairs(reply: str, text: str) -> float:
    """The share of a reply's pairs of words that a text has; a short one may put them anew."""
    known, said = set(pairwise(words(text))), list(pairwise(words(reply)))
    return sum(pair in known for pair in said) / len(said) if len(said) >= SHORT else 1.0


def _has(reply: str, facts: Facts) -> bool:
    said = f" {' '.join(words(reply))} "
    missing = any(
        not any(f" {' '.join(words(one))} " in said for one in fact) for fact in facts.all_of
    )
    return not missing and _agrees(reply, facts.affirmed)


def _agrees(reply: str, affirmed: bool | None) -> bool:
    """Whether yes or no is said as it should be: by its first word, else by whether it denies."""
    if affirmed is None:
        return True
    first = next(iter(words(reply)), "")
    if first in YES:
        return affirmed
    if first in NO:
        return not affirmed
    return bool(_DENIED.search(reply)) is not affirmed


def _telling(text: str) -> set[str]:
    return set(stems(text)) - STOP_STEMS
