"""Text of others as data: between marks that it cannot close.

Decides the marks. Angle brackets inside become look-alikes, so that no text ends its own mark,
opens another or speaks in a model's own control tokens, most of which are written in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb import Entry

_CONTROL = re.compile(r"<(?=[|/\w])")
_BRACKETS = str.maketrans("<>", "‹›")


def unmarked(text: str) -> str:
    """A text without the characters that marks are made of."""
    return text.translate(_BRACKETS)


def spoken(text: str) -> str:
    """A message without what could be a control token (`<|im_end|>`, `</s>`, `<end_of_turn>`)."""
    return _CONTROL.sub("‹", text)


def passage(number: int, text: str) -> str:
    """A numbered passage."""
    return f"<passage {number}>\n{unmarked(text)}\n</passage {number}>"


def answered(number: int, text: str) -> str:
    """A numbered answer to a question like this one."""
    return f"<answered {number}>\n{unmarked(text)}\n</answered {number}>"


def part(number: int, question: str, passages: Sequence[int]) -> str:
    """A numbered part of the question, with the numbers of the passages found for it."""
    found = f"passage {', '.join(map(str, passages))}" if passages else "no passage"
    return f"<part {number}>{unmarked(question)}</part {number}> ({found})"


def entry_text(entry: Entry) -> str:
    """What of an entry is shown to a model."""
    return f"{entry.question}\n{entry.answer}"
