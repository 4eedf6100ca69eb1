"""What a site's owner pastes for a look that they chose: tag, policy, settings, and the guides.

The one place where any of it is made: `fanlight embed`, the console's builder and the pages in
docs/embed say what this gives. Decides what is an attribute and what a setting, and leaves out what
is so anyway. Refuses a language that the site does not speak, and a page that has no origin.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from core.errors import Problem
from gateway import problems
from gateway.configuration.addresses import BadAddress, parse_origin
from gateway.guides import Guide, Parts, guides
from gateway.loader import Loader, policy_lines, script_tag
from gateway.settings import SiteSettings

POSITIONS: Final = ("left", "right")
COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class Choices:
    """How the chat shall be; what is empty is as page and site say.

    `page` is the address of a page that shall have it.
    """

    locale: str = ""
    position: str = ""
    accent: str = ""
    theme: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Snippets:
    """All that is pasted somewhere. `settings` are lines of fanlight.toml, empty where none change.

    `page_allowed` says whether the page's origin may embed the site; None where no page was named.
    """

    gateway: str
    site: SiteSettings
    loader: Loader = field(repr=False)
    snippet: str
    pinned: str
    csp: dict[str, str]
    settings: str
    page_allowed: bool | None
    guides: tuple[Guide, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "site": self.site.key,
            "gateway": self.gateway,
            "origins": list(self.site.origins),
            "snippet": self.snippet,
            "pinned": self.pinned,
            "src": f"{self.gateway}/{self.loader.name}",
            "integrity": self.loader.integrity,
            "csp": self.csp,
            "settings": self.settings,
            "page_allowed": self.page_allowed,
            "guides": [guide.document() for guide in self.guides],
        }


def snippets(gateway: str, site: SiteSettings, choices: Choices, loader: Loader) -> Snippets:
    """What embeds the site as chosen; raises `Problem` naming the choice that cannot be."""
    _check(site, choices)
    page = _origin(choices.page)
    said = _attributes(site, choices)
    parts = Parts(
        gateway=gateway,
        site=site.key,
        attributes=said,
        tag=script_tag(gateway, site.key, attributes=said),
        integrity=loader.integrity,
        origins=tuple(dict.fromkeys((*site.origins, *([page] if page else ())))),
        greets=bool(site.greetings),
    )
    return Snippets(
        gateway=gateway,
        site=site,
        loader=loader,
        snippet=parts.tag,
        # A loader that is pinned is not told by its gateway who greets.
        pinned=script_tag(
            gateway, site.key, loader, {**said, **({"greetings": ""} if site.greetings else {})}
        ),
        csp=policy_lines(gateway),
        settings=_settings(site, choices, parts.origins),
        page_allowed=page in site.origins if page else None,
        guides=guides(parts),
    )


def _check(site: SiteSettings, choices: Choices) -> None:
    if choices.locale and choices.locale not in site.locales:
        spoken = ", ".join(site.locales)
        raise problems.invalid("locale", "The site does not speak this.", f"Choose of {spoken}.")
    if choices.position and choices.position not in POSITIONS:
        raise problems.invalid("position", "This is no side.", "Choose left or right.")
    if choices.accent and not COLOUR.fullmatch(choices.accent):
        raise problems.invalid("accent", "This is not a colour.", "Write it like #1f5fbf.")


def _origin(page: str) -> str:
    """The origin of the page's address, as people paste it; empty where none was named."""
    address = page.strip()
    if not address:
        return ""
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        return parse_origin(f"{parts.scheme}://{parts.netloc}").origin
    except BadAddress as error:
        raise problems.invalid("page", error.detail, error.remedy) from error
    except ValueError as error:
        raise _no_address() from error


def _no_address() -> Problem:
    return problems.invalid("page", "This is not an address.", "Write it like https://example.com.")


def full_colour(colour: str) -> str:
    """`#rrggbb`, in small letters."""
    short = len(colour) == len("#rgb")
    return ("#" + "".join(digit * 2 for digit in colour[1:]) if short else colour).lower()


def _attributes(site: SiteSettings, choices: Choices) -> dict[str, str]:
    accent = full_colour(choices.accent) if choices.accent else ""
    said = {
        "locale": choices.locale,
        "position": choices.position,
        "accent": "" if accent == site.accent else accent,
    }
    said = {name: value for name, value in said.items() if value}
    return {**said, "voice": ""} if site.voice else said


def _settings(site: SiteSettings, choices: Choices, origins: tuple[str, ...]) -> str:
    lines = []
    if origins != site.origins:
        lines.append(f"origins = {json.dumps(origins)}")
    if choices.theme and choices.theme != site.theme:
        lines.append(f"theme = {json.dumps(choices.theme)}")
    return "\n".join(["[[sites]]", f"key = {json.dumps(site.key)}", *lines]) if lines else ""
