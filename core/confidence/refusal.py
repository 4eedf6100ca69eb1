"""Whether a reply is a refusal and nothing more.

Decides by its sentences: one that says it does not know, and others that only point elsewhere or
ask back, are no answer. A reply that says what it knows and then what it does not is judged by its
signals.
"""

from __future__ import annotations

from typing import Final

from core.confidence.lexicon import REFUSALS
from kb.normalise import words
from kb.passages import sentences

COURTESY: Final = 14
"""Words beside the refusal that are courtesy or a way on, and no answer."""


def only_refuses(reply: str) -> bool:
    """Whether nothing but a refusal is said."""
    spans = [reply[start:end] for start, end in sentences(reply)]
    refusing = [bool(REFUSALS.search(span.lower())) for span in spans]
    if not any(refusing):
        return False
    rest = sum(len(words(span)) for span, no in zip(spans, refusing, strict=True) if not no)
    return rest <= COURTESY
