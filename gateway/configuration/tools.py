"""Which tools a site's models may use, and whose pages may use its API key: what `[[sites]]` says.

Refuses a tool that nobody has registered, and origins without a key that they could use.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import Values, hint
from gateway.pipeline.builtin import TOOLS as OWN
from gateway.settings import SiteSettings

TOOLS: Final = "fanlight.tools"
"""The group of entry points by which an installed package brings tools of its own."""


def with_tools(
    site: SiteSettings, values: Values, where: str, installed: Collection[str], flaws: list[Flaw]
) -> SiteSettings:
    """The site with its tools and its API's origins, and with everything that is wrong with them.

    `installed` are the tools of others, by name.
    """
    known = (*(tool.name for tool in OWN), *installed)
    for name in values["tools"]:
        if name not in known:
            remedy = hint(name, known, f"Known here: {', '.join(known)}.")
            flaws.append(Flaw(f"{where}.tools", f"There is no tool {name!r}.", remedy))
    origins: tuple[str, ...] = ()
    if values["api_origins"]:
        origins = rules.origins(values["api_origins"], f"{where}.api_origins", flaws)
        if not site.api_key:
            variable = f"FANLIGHT_SITE_{values['key'].upper()}_API_KEY"
            remedy = f"Set {variable}, or take the origins out."
            flaws.append(Flaw(f"{where}.api_origins", "The site has no API key.", remedy))
    return replace(site, tools=tuple(dict.fromkeys(values["tools"])), api_origins=origins)
