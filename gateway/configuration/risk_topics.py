"""The `[[sites.risk_topics]]` of a site: what is high-stakes there beside what is everywhere.

Decides which words can show a topic, and refuses what would never be found or always be: a word of
signs alone, one that says nothing by itself, a text in no language of the site's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.locale_texts import read_texts
from gateway.configuration.reader import read_tables
from gateway.settings import RiskTopic
from kb.features import STOP_STEMS, stems

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAX_TOPICS: Final = 20
MAX_WORDS: Final = 100
"""A topic's words travel with every page of the chat."""
MAX_WORD: Final = 60
MAX_TEXT: Final = 300


def read_risk_topics(
    raw: object, site: str, locales: tuple[str, ...], flaws: list[Flaw]
) -> tuple[RiskTopic, ...]:
    """The topics of the site that messages call `site`, with everything that is wrong."""
    section = f"{site}.risk_topics"
    found = [
        RiskTopic(
            _name(values["name"], f"{where}.name", flaws),
            _words(values["words"], f"{where}.words", flaws),
            read_texts(values["text"] or {}, locales, MAX_TEXT, f"{where}.text", flaws),
        )
        for where, values in read_tables(raw, "sites.risk_topics", flaws, section)
    ]
    if len(found) > MAX_TOPICS:
        flaws.append(
            Flaw(section, f"There are {len(found)} topics.", f"Keep {MAX_TOPICS} at most.")
        )
    rules.unrepeated((topic.name for topic in found), section, "name", flaws)
    return tuple(found)


def _name(name: str, where: str, flaws: list[Flaw]) -> str:
    if name and not NAME.fullmatch(name):
        remedy = "Begin with a small letter; then small letters, digits, _ or -, 40 at most."
        flaws.append(Flaw(where, f"{name!r} is not a topic's name.", remedy))
    return name


def _words(words: Iterable[str], where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(word.strip() for word in words))
    for word in kept:
        detail = _flaw_of(word)
        if detail:
            remedy = "Write a word or a short phrase that a visitor would use, such as a product."
            flaws.append(Flaw(where, f"{word!r} {detail}.", remedy))
    if len(kept) > MAX_WORDS:
        remedy = f"Keep {MAX_WORDS} at most: one form of each word is enough."
        flaws.append(Flaw(where, f"There are {len(kept)} words.", remedy))
    return kept


def _flaw_of(word: str) -> str:
    if len(word) > MAX_WORD or not word.isprintable():
        return f"has more than {MAX_WORD} characters, or some that cannot be printed"
    if not stems(word):
        return "has no letter or digit"
    return "" if set(stems(word)) - STOP_STEMS else "stands in most questions"
