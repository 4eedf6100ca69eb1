"""Which replies are right, by rule: answerable from the given entries, and said from the right one.

A reply is right where the entry that answers the question was given, and what the reply says stands
in it: hardly a word that tells anything is from elsewhere, no number is, and it says more of the
entry than the question did. Everything else is wrong, a refusal too: it is no answer.
"""

from __future__ import annotations

from typing import Final

from core.confidence.refusal import only_refuses
from kb.features import STOP_STEMS, stems

FROM_ENTRY: Final = 0.8
"""Share of a reply's telling words that must stand in the entry or the question."""
NEW: Final = 2
"""Telling words of the entry that the question did not have."""


def is_right(question: str, reply: str, gold: str | None) -> bool:
    """Whether a reply is right; `gold` is the text of the right entry where that was given."""
    if gold is None or only_refuses(reply):
        return False
    known, asked = _telling(gold), _telling(question)
    said = _telling(reply)
    if not said or any(word.isdecimal() and word not in known | asked for word in said):
        return False
    grounded = len(said & (known | asked)) / len(said)
    return grounded >= FROM_ENTRY and len((said & known) - asked) >= NEW


def _telling(text: str) -> set[str]:
    return set(stems(text)) - STOP_STEMS
