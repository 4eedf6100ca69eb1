"""What in an answer is about the one who asked, and so for nobody else.

Decides by form alone, in English, Spanish and Hebrew: a greeting with its name is taken off;
contacts, cards and secrets are redacted; an answer is for nobody else where it repeats a number, a
code or a name that its visitor wrote, or has a long number or a code that the site does not publish
itself, whoever brought it up. It prefers to lose an answer over passing a particular on. A name
that was given in no such form is not seen, nor a place, an illness or a number in words: operators
can look at what is kept, and remove it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final
from unicodedata import normalize

from core.redact import redact

LEAST_WORDS: Final = 3
"""A shorter answer means nothing without its question."""
_DIGITS: Final = 3
"""So many digits are an order, an amount or a date; fewer are 30 days or 2 pieces."""
_GREETING: Final = re.compile(
    r"(?:\A\s*|(?<=\n\n)[ \t]*)"
    r"(?i:hi|hello|hey|dear|good (?:morning|day|afternoon|evening)|hola|buen[oa]s(?: \w+)?"
    r"|estimad[oa]|querid[oa]|שלום|היי|בוקר טוב|ערב טוב)(?![\w-])"
    r"((?:,\s*[^\W\d_a-zà-ÿ][^\W\d_]{1,30}(?: [^\W\d_a-zà-ÿ][^\W\d_]{1,30})?(?=[,.!:;\n]))"
    r"|[^\n,.!:;?]{0,40})[,.!:;\n]+\s*"
)
_TOLD: Final = re.compile(
    r"(?i:\bmy name is|\bi am called|\bme llamo|\bmi nombre es|קוראים לי|(?<!\w)שמי)"
    r"\s+([^\W\d_]{2,30}(?:[ -][^\W\d_a-zà-ÿ][^\W\d_]{1,30})?)"
    r"|(?i:\bi am|\bi'm|\bi’m|\bthis is|\bsoy|\bit's)\s+([^\W\d_a-zà-ÿ][^\W\d_]{1,30}"
    r"(?: [^\W\d_a-zà-ÿ][^\W\d_]{1,30})?)"
)
_SIGNED: Final = re.compile(
    r"\n\s*([^\W\d_a-zà-ÿ][^\W\d_]{1,30}(?: [^\W\d_a-zà-ÿ][^\W\d_]{1,30})?)\s*\Z"
)
_PREFIXED: Final = re.compile(r"[ובהלשכמ][א-ת]{2,}")
_TOKEN: Final = re.compile(r"[\w@.+-]*\w")
_NUMBER: Final = re.compile(r"\d+(?:[ .,/'’\-\u2010-\u2015]\d+)*")
"""Digits in groups, as of amounts, dates and phones."""
_DIGIT: Final = re.compile(r"\d")
_MIXED: Final = re.compile(r"[\w.-]*\w")


def shareable(
    answer: str, said: Iterable[str], published: Collection[str] = frozenset()
) -> str | None:
    """The answer as it may reach others; None where it may not, or where nothing is left of it.

    `said` is all that its visitor wrote, and `published` the figures of what the site tells anyone.
    """
    named = {word for found in _GREETING.finditer(answer) for word in _words(found[1])}
    text = redact(_GREETING.sub("", answer)).strip()
    held = set(_held(text))
    if len(text.split()) < LEAST_WORDS or held & named:
        return None
    if any(figure not in published for figure in figures(text)):
        return None
    for line in said:
        if held & set(_particulars(line)):
            return None
    return text


def figures(text: str) -> Iterator[str]:
    """Numbers of three digits or more, as digits alone, and codes: letters and digits mixed.

    Groups of digits that one space or mark parts are one number: "03 12 45" is, "20, 30" is not.
    """
    plain = normalize("NFKC", text).casefold()
    for found in _NUMBER.finditer(plain):
        digits = "".join(_DIGIT.findall(found.group()))
        if len(digits) >= _DIGITS:
            yield digits
    for found in _MIXED.finditer(plain):
        word = found.group()
        if _DIGIT.search(word) and any(char.isalpha() for char in word):
            yield word


def _particulars(line: str) -> Iterator[str]:
    """Numbers, codes and names in what a visitor wrote."""
    for found in (*_TOLD.finditer(line), *_SIGNED.finditer(line)):
        yield from _words(next(name for name in found.groups() if name))
    for word in _words(line):
        digits = sum(char.isdigit() for char in word)
        if digits >= _DIGITS or (digits and len(word) > digits and "@" not in word):
            yield word


def _held(text: str) -> Iterator[str]:
    """The words of an answer, Hebrew ones without the letters that stand before a name too."""
    for word in _words(text):
        yield word
        found = _PREFIXED.match(word)
        if found:
            yield from (word[1:], word[2:])


def _words(text: str) -> Iterator[str]:
    return (found.group().casefold() for found in _TOKEN.finditer(text))
