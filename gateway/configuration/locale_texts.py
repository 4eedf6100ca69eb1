"""Texts that a site's visitors read, by language, each one line.

Decides what may stand there: a language of the site, and a line that is not empty, not too long and
without line breaks.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import hint


def read_texts(
    texts: Mapping[str, str],
    locales: tuple[str, ...],
    longest: int,
    where: str,
    flaws: list[Flaw],
) -> dict[str, str]:
    """The texts, trimmed; `longest` is in characters. Adds what is wrong to `flaws`."""
    for locale, text in texts.items():
        key = f"{where}.{locale}"
        if locale not in locales:
            remedy = hint(locale, locales, f"Its languages: {', '.join(locales)}.")
            flaws.append(Flaw(key, "The site does not speak this language.", remedy))
        if not text.strip():
            flaws.append(Flaw(key, "This is empty.", "Write the text, or take the line out."))
        elif len(text) > longest or not text.isprintable():
            detail = "The text is too long, or has line breaks."
            flaws.append(Flaw(key, detail, f"Use one line of at most {longest} characters."))
    return {locale: text.strip() for locale, text in texts.items()}
