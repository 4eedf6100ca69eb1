"""What is odd in the texts of entries, whatever is asked: answers, links, missing translations.

Decides how long an answer may be, which links are not safe, and what a missing translation is.
Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kb.entry import Entry
from kb.finding import Finding, Kind, quoted
from kb.wording import Wording, groups

LONG_ANSWER: Final = 4_000
SHORT_ANSWER: Final = 10
"""Characters: a bare "Yes." tells a visitor little."""
_EXAMPLES: Final = 3
_CODE = re.compile(r"`[^`]*`")
_INSECURE = re.compile(
    r"\bhttp://(?!(?:[\w-]+\.)*localhost\b|127\.|\[::1])[^\s<>()\[\]\"']+", re.IGNORECASE
)


def idle_synonyms(wording: Wording) -> Iterator[Finding]:
    """Give the lists of synonyms that have a line which says nothing."""
    for entry in wording.lists:
        idle = groups(entry)[1]
        if idle:
            why = f"A line of its list names no two ways to say something: {quoted(idle[0])}."
            remedy = "Write a group a line, such as `RMA = return = send back`."
            yield Finding("idle_synonyms", entry.id, entry.locale, why, remedy, weight=len(idle))


def texts_to_mend(entry: Entry) -> Iterator[Finding]:
    """Give what is odd in one entry's own texts."""

    def found(kind: Kind, why: str, remedy: str, weight: float = 0.0) -> Finding:
        return Finding(kind, entry.id, entry.locale, why, remedy, weight=weight)

    length = len(entry.answer.strip())
    if not length:
        yield found("empty_answer", "Its answer is empty.", "Write an answer, or delete the entry.")
    elif length < SHORT_ANSWER:
        yield found(
            "short_answer",
            f"Its answer has {length} characters: {quoted(entry.answer)}.",
            "Say it in a whole sentence, so that it also stands alone.",
        )
    elif length > LONG_ANSWER:
        yield found(
            "long_answer",
            f"Its answer has {length:,} characters, over {LONG_ANSWER:,}.",
            "Answer in a few sentences and link to the rest, or split it into several entries.",
            length,
        )
    insecure = _insecure(entry)
    if insecure:
        yield found(
            "insecure_link",
            f"It links to {', '.join(insecure[:_EXAMPLES])} without https.",
            "Write https:// where the site has it; else leave the link out.",
            len(insecure),
        )
    if not entry.variants:
        yield found(
            "single_phrasing",
            "It has one way to ask and no other.",
            "Add two or three more, in the words that visitors use.",
        )


def _insecure(entry: Entry) -> list[str]:
    """Give the http addresses that an entry links to; code, and this machine's own, are none."""
    said = _INSECURE.findall(_CODE.sub(" ", entry.answer))
    found = dict.fromkeys([*(link.url for link in entry.links), *said])
    return [url.rstrip(".,;:!?") for url in found if _INSECURE.match(url)]


def locale_gaps(entries: Sequence[Entry], locales: Iterable[str]) -> Iterator[Finding]:
    """Give the entries that miss in a locale which others are written in."""
    written = {entry.locale for entry in entries}
    wanted = [locale for locale in locales if locale in written]
    having: dict[str, list[str]] = {}
    for entry in entries:
        having.setdefault(entry.id, []).append(entry.locale)
    for entry_id, own in having.items():
        # An answer in "es" also serves "es-MX".
        missing = [
            locale for locale in wanted if locale not in own and locale.split("-", 1)[0] not in own
        ]
        if missing:
            yield Finding(
                "locale_gap",
                entry_id,
                own[0],
                f"It is written in {', '.join(own)} and misses in {', '.join(missing)}: visitors "
                "who write so get an answer in another language.",
                f"Translate it under the same id into {', '.join(missing)}.",
                weight=len(missing),
            )
