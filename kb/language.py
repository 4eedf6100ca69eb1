"""Which of the supported languages a text is in, by script and by function words.

Decides between English, Spanish and Hebrew, and says None when the evidence is thin or balanced: a
wrong guess shows the visitor an answer in the wrong language, no guess falls back to the page's
own.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_EN = """a about all am an and any are as at be been but by can could did do does for from get had
has have he her how i if in into is it its just me my no not of off on or our out please should so
some than that the their them then there these they this to up us was we were what when where which
who why will with would you your"""
_ES = """a al algo ante como con cual cuales cuando cuanto de del desde donde el ella ellos en entre
era es esa ese eso esta este esto estan estoy fue ha hay he la las le les lo los mas me mi mis muy
ni no nos o para pero por porque puede puedo que quien se ser si sin sobre son soy su sus te tengo
tiene tu tus un una unas uno unos usted y ya yo"""
_HE = """אבל או אז איך איפה אחרי אין אל אם אנחנו אני את אתה אתם באיזה בגלל בין גם האם הוא היא הם הן
הזה הזאת זה זאת זו יש כדי כי כל כמה כמו לא לי לך לכם לנו למה לפני לו לה מאוד מה מהו מהי מי מתי מדוע
על עם עד צריך רק של שלי שלך שלכם שלנו שלו אפשר"""

STOP_WORDS: Final[dict[str, frozenset[str]]] = {
    "en": frozenset(_EN.split()),
    "es": frozenset(_ES.split()),
    "he": frozenset(_HE.split()),
}
"""Function words a language, in normalised form (lower case, no accents)."""

ALL_STOP_WORDS: Final[frozenset[str]] = frozenset().union(*STOP_WORDS.values())

_LETTER = re.compile(r"[^\W\d_]")
_HEBREW = re.compile(r"[\u05d0-\u05ea]")
_SPANISH_MARK = re.compile(r"[ñ¿¡áéíóúü]|ci[oó]n\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_ACCENTS = str.maketrans("áéíóúüñ", "aeiouun")
_READ: Final = 2_000


@lru_cache(maxsize=8)
def detect_language(text: str) -> str | None:
    """Give "en", "es" or "he" for a text, or None when it cannot be told; any string will do."""
    text = _visible(text[:_READ])
    hebrew = len(_HEBREW.findall(text))
    if hebrew and 2 * hebrew >= len(_LETTER.findall(text)):
        return "he"
    words = [word.translate(_ACCENTS) for word in _WORD.findall(text.lower())]
    english = sum(word in STOP_WORDS["en"] and word not in STOP_WORDS["es"] for word in words)
    spanish = sum(word in STOP_WORDS["es"] and word not in STOP_WORDS["en"] for word in words)
    spanish += 2 * bool(_SPANISH_MARK.search(text))
    if english > spanish:
        return "en"
    if spanish > english:
        return "es"
    return "he" if hebrew > 2 and not english else None


def _visible(text: str) -> str:
    """Give the text composed (an accent is part of its letter) and without invisible characters."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(char for char in composed if unicodedata.category(char) != "Cf")
