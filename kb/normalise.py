"""How a text is brought to the form in which it is compared.

Decides what counts as the same word: compatibility forms, case, accents, niqqud, invisible
characters, light English and Spanish endings, Hebrew prefixes. Refuses nothing: every string has a
normal form.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_CHARS: Final = 2_000
"""Characters of a text that are compared; what follows changes no answer, and bounds the work."""
MAX_WORDS: Final = 96

_URL = re.compile(r"\bhttps?://\S*|\bwww\.\S+")
_HEBREW_QUOTE = re.compile(r"(?<=[\u05d0-\u05ea])[\"'\u05f3\u05f4](?=[\u05d0-\u05ea]|\b)")
_NEGATION = re.compile(r"n['\u2019`]t\b")
_CONTRACTION = re.compile(r"['\u2019`](?:s|re|ve|ll|d|m)\b")
_WORD = re.compile(r"[^\W_]+")
_FINALS = str.maketrans("ךםןףץ", "כמנפצ")
_HEBREW_PREFIX: Final = frozenset("והבכלמש")
_HEBREW_ENDINGS: Final = ("יות", "ות", "ימ", "ית", "ה", "ת")
_VOWELS: Final = frozenset("aeiou")
_FIXED_POINT_ROUNDS: Final = 8


def normalise(text: str) -> str:
    """Give the comparable form of a text: NFKC, lower case, no accents or niqqud, single spaces.

    Idempotent, and defined for every string, lone surrogates and control characters included.
    """
    if text.isascii():
        return " ".join(_printable(text).lower().split())
    for _ in range(_FIXED_POINT_ROUNDS):
        folded = _fold(text)
        if folded == text:
            break
        text = folded
    return text


def words(text: str) -> list[str]:
    """Give the words of a text in order, normalised but not stemmed; at most `MAX_WORDS`."""
    return list(_words(text))


# Each sense looks at the words of one question, one after the other.
@lru_cache(maxsize=8)
def _words(text: str) -> tuple[str, ...]:
    clean = _URL.sub(" url ", normalise(text[:MAX_CHARS]))
    clean = _HEBREW_QUOTE.sub("", clean)
    clean = _CONTRACTION.sub("", _NEGATION.sub(" not", clean))
    return tuple(_WORD.findall(clean)[:MAX_WORDS])


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Give the stem of a normalised word, by script: a short question hides its language."""
    if "\u05d0" <= word[:1] <= "\u05ea":
        return _stem_hebrew(word.translate(_FINALS))
    if len(word) < 4 or not word.isalpha():
        return word
    return _stem_latin(word)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _fold(text: str) -> str:
    """One pass of folding; a second one changes hardly any text (some compatibility forms)."""
    kept: list[str] = []
    for char in unicodedata.normalize("NFKD", text).casefold():
        category = unicodedata.category(char)
        if category in {"Mn", "Me", "Cf"}:
            continue
        kept.append(" " if category in {"Cc", "Cs", "Zl", "Zp"} else char)
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())


def _stem_latin(word: str) -> str:
    """Strip plural, tense and gender endings of English and Spanish that do not clash."""
    for ending, rest in (("aciones", "a"), ("acion", "a"), ("ations", "a"), ("ation", "a")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _trim(word[: -len(ending)] + rest)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ando", "iendo", "ing", "ed", "ly", "mente"):
        stump = word[: -len(ending)]
        if word.endswith(ending) and len(stump) >= 3 and not _VOWELS.isdisjoint(stump):
            return _trim(_undouble(stump))
    return _trim(word)


def _undouble(stump: str) -> str:
    return (
        stump[:-1] if len(stump) > 3 and stump[-1] == stump[-2] and stump[-1] not in "ls" else stump
    )


def _trim(word: str) -> str:
    """Drop one last vowel: close / closing, pedido / pedida, factura / facturas."""
    return word[:-1] if len(word) > 4 and word[-1] in "aeo" else word


def _stem_hebrew(word: str) -> str:
    """Strip a plural or construct ending, then prefix letters while four stay (three under he)."""
    for ending in _HEBREW_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    while (len(word) > 4 and word[0] in _HEBREW_PREFIX) or (len(word) == 4 and word[0] == "ה"):
        word = word[1:]
    return word
