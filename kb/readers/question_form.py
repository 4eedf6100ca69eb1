"""Whether a line of a page reads as a question, and how it is cleaned.

Decides by a question mark, or by a first word that asks in English, Spanish or Hebrew. Refuses
lines too long to be a question.
"""

from __future__ import annotations

import re
from typing import Final

MAX_QUESTION: Final = 300

_FIRST_WORDS: Final = """how what when where which who whom whose why
cómo como qué que cuándo cuando dónde donde cuál cuáles cuánto cuánta cuántos quién
איך מה מהו מהי מתי איפה היכן למה מדוע מי האם כמה כיצד איזה"""
_ASKING: Final = frozenset(_FIRST_WORDS.split())
_MARKED = re.compile(r"[?？؟\u037e][\s\"'”’»)\].*]*\Z")
_NUMBERED = re.compile(r"(?:[Qq]\d*\s*[:.)]|\d{1,3}\s*[.)])\s+(?=\S)")
_TRAILING_SIGN = re.compile(r"(?:\s+[+−–-]|\s*[\u25a0-\u25ff\u2303\u2304\u276f\ufe40])+\s*\Z")


def is_question(text: str) -> bool:
    """Say whether a heading or a label asks something."""
    if not text or len(text) > MAX_QUESTION:
        return False
    if has_question_mark(text):
        return True
    first, _, rest = text.partition(" ")
    return bool(rest) and first.lower() in _ASKING


def has_question_mark(text: str) -> bool:
    """Say whether a line of fitting length is marked as a question."""
    return len(text) <= MAX_QUESTION and bool(_MARKED.search(text) or text.startswith("¿"))


def clean_question(text: str) -> str:
    """Give a question without its number, `Q:` or the sign of an accordion."""
    text = _NUMBERED.sub("", text.strip(), count=1)
    return text if len(text) > 2 * MAX_QUESTION else _TRAILING_SIGN.sub("", text)
