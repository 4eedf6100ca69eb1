"""The same request in another form: a question, a wish, or the bare thing that is asked for.

Decides which openings ask alike in English, Spanish and Hebrew, and what must follow one: a verb as
it stands after "how do I", an infinitive, a thing with its article. Refuses to take a text apart
whose opening it does not know, and to inflect: what follows is kept as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kb.features import text_key
from kb.language import ALL_STOP_WORDS
from kb.normalise import words

MOST_WORDS: Final = 9
"""Words after the opening: a longer sentence says more than one thing."""
_EDGES: Final = " \t\n?!.,;:¿¡\u2026"


_MAY_END = "it me them you us this that el ella ellos ese esa eso esto"
_NOT_VERBS = """the a an my your our i you we it this that to not some any please know with"""
_NOT_INFINITIVES = """lugar hogar mujer ayer solar similar par mar bar dolar celular azucar
לכמה לאיזה לפני לאחר למשל למרות לגבי לפחות לאורך"""
_PRONOUNS: Final = frozenset(_MAY_END.split())
_NO_VERBS: Final = frozenset(_NOT_VERBS.split())
_NO_INFINITIVES: Final = frozenset(_NOT_INFINITIVES.split())


@dataclass(frozen=True, slots=True)
class Forms:
    """Openings that ask alike, how they are written anew, and which word may follow them."""

    openings: tuple[str, ...]
    written: tuple[str, ...]
    follows: Callable[[str], bool]


def _any_word(_word: str) -> bool:
    return True


def _one_of(listed: str) -> Callable[[str], bool]:
    return frozenset(listed.split()).__contains__


_SPANISH_INFINITIVE: Final = re.compile(r"\w+[aei]r(?:me|te|se|nos|l[aeo]s?|mel[ao]|sel[ao])?")
_HEBREW_INFINITIVE: Final = re.compile("ל[א-ת]{3,}")


def _infinitive(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda word: word not in _NO_INFINITIVES and bool(pattern.fullmatch(word))


FORMS: Final[dict[str, tuple[Forms, ...]]] = {
    "en": (
        Forms(
            (
                "how do i", "how can i", "how could i", "how would i", "how should i", "how to",
                "i want to", "i need to", "i would like to", "i like to", "i wish to",
                "can i", "could i", "may i", "am i able to", "is it possible to",
                "where do i", "where can i", "help me", "can you help me", "please help me",
            ),
            ("how do i {}", "how can i {}", "i want to {}", "can i {}", "{}"),
            lambda word: word not in _NO_VERBS,
        ),
        Forms(
            ("what is", "what", "tell me", "show me", "give me", "do you know", "tell me about"),
            ("tell me {}", "i have a question about {}", "{}"),
            _one_of("the my your our a an"),
        ),
    ),
    "es": (
        Forms(
            (
                "como puedo", "como se puede", "como podria", "como", "puedo", "podria", "se puede",
                "quiero", "quisiera", "necesito", "me gustaria", "donde puedo", "es posible",
                "ayudame a", "deseo",
            ),
            (
                "cómo puedo {}", "quiero {}", "necesito {}", "puedo {}", "{}",
            ),
            _infinitive(_SPANISH_INFINITIVE),
        ),
        Forms(
            ("cual es", "cuales son", "que es", "dime", "muestrame", "informacion sobre"),
            ("dime {}", "tengo una pregunta sobre {}", "información sobre {}"),
            _one_of("el la los las mi mis tu tus su sus un una"),
        ),
    ),
    "he": (
        Forms(
            (
                "איך אפשר", "איך אני יכול", "איך אני יכולה", "איך ניתן", "כיצד ניתן", "כיצד", "איך",
                "האם אפשר", "אפשר", "האם ניתן", "ניתן", "אני רוצה", "רוצה", "אני צריך",
                "אני צריכה", "צריך", "אני יכול", "איפה אפשר", "היכן ניתן",
            ),
            ("איך אפשר {}", "אני רוצה {}", "אפשר {}", "{}"),
            _infinitive(_HEBREW_INFINITIVE),
        ),
        Forms(
            ("מהו", "מהי", "מהם", "מהן", "מידע על", "ספרו לי על"),
            ("מידע על {}", "יש לי שאלה על {}"),
            _any_word,
        ),
    ),
}  # fmt: skip
"""By language; openings in normalised form, without accents."""


def other_forms(text: str, language: str) -> Iterator[str]:
    """Give the text in the other forms of its language; nothing where no opening is known."""
    parts = text.strip(_EDGES).split()
    folded = [" ".join(words(part)) for part in parts]
    for forms in FORMS.get(language, ()):
        at = _opening(folded, forms)
        # What ends in "for" or "about" is a question of another build.
        if at and folded[-1] not in ALL_STOP_WORDS - _PRONOUNS:
            rest = " ".join(parts[at:])
            own = text_key(text)
            for written in forms.written:
                said = written.format(rest)
                if text_key(said) != own:
                    yield said
            return


def _opening(folded: list[str], forms: Forms) -> int:
    """Give how many parts the longest known opening takes; 0 when none may stand here."""
    for opening in sorted(forms.openings, key=len, reverse=True):
        size = opening.count(" ") + 1
        rest = folded[size:]
        if " ".join(folded[:size]) == opening and 0 < len(rest) <= MOST_WORDS:
            return size if forms.follows(rest[0]) else 0
    return 0
