"""The `[[sites.greetings]]` of a site: what is said beside the launcher, where and when.

Decides which pages and which languages a greeting is for, and refuses what could never be shown: a
text in no language of the site's, a page of another site, an empty or an over-long text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.locale_texts import read_texts
from gateway.configuration.reader import Values, read_tables
from gateway.settings import GreetingSettings

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
ONCE: Final = ("visit", "day", "week", "ever")
MAX_TEXT: Final = 160
MAX_GREETINGS: Final = 20
MAX_PAGE: Final = 200
_PAGE: Final = re.compile(r"[^\s?#]+")


def read_greetings(
    raw: object, site: str, origins: tuple[str, ...], locales: tuple[str, ...], flaws: list[Flaw]
) -> tuple[GreetingSettings, ...]:
    """The greetings of the site that messages call `site`, with everything that is wrong."""
    section = f"{site}.greetings"
    found = [
        _greeting(values, where, origins, locales, flaws)
        for where, values in read_tables(raw, "sites.greetings", flaws, section)
    ]
    if len(found) > MAX_GREETINGS:
        detail = f"There are {len(found)} greetings."
        flaws.append(Flaw(section, detail, f"Keep the best {MAX_GREETINGS} at most."))
    rules.unrepeated((greeting.name for greeting in found), section, "name", flaws)
    return tuple(found)


def _greeting(
    values: Values,
    where: str,
    origins: tuple[str, ...],
    locales: tuple[str, ...],
    flaws: list[Flaw],
) -> GreetingSettings:
    return GreetingSettings(
        name=_name(values["name"], f"{where}.name", flaws),
        text=read_texts(values["text"], locales, MAX_TEXT, f"{where}.text", flaws),
        pages=_pages(values["pages"], origins, f"{where}.pages", flaws),
        after_s=values["after_s"],
        scroll=values["scroll"],
        once=rules.one_of(values["once"], ONCE, "cap", f"{where}.once", flaws),
    )


def _name(name: str, where: str, flaws: list[Flaw]) -> str:
    if name and not NAME.fullmatch(name):
        remedy = "Begin with a small letter; then small letters, digits, _ or -, 40 at most."
        flaws.append(Flaw(where, f"{name!r} is not a greeting's name.", remedy))
    return name


def _pages(
    pages: Iterable[str], origins: tuple[str, ...], where: str, flaws: list[Flaw]
) -> tuple[str, ...]:
    for page in pages:
        detail = _page_flaw(page.removeprefix("!"), origins)
        if detail:
            remedy = (
                'Write a path such as "/pricing" or "/docs/*", also after one of the site\'s '
                'origins; "!/checkout/*" leaves pages out.'
            )
            flaws.append(Flaw(where, f"{page!r} {detail}.", remedy))
    return tuple(pages)


def _page_flaw(page: str, origins: tuple[str, ...]) -> str:
    if not page.startswith("/") and not any(page.startswith(f"{one}/") for one in origins):
        return "is no path on a page of this site"
    if len(page) > MAX_PAGE or not page.isprintable():
        return f"has more than {MAX_PAGE} characters, or some that cannot be printed"
    return "" if _PAGE.fullmatch(page) else "has a space, a ? or a #, which are not looked at"
