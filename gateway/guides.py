"""How a site gets the chat, by what the site is made with: steps, and what to paste at each.

Decides the order of the guides and what each says. The pages in docs/embed say more; a test holds
their lines to these. Refuses nothing: what it is given has been checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

FIELDS: Final = {
    "gateway": "Gateway",
    "site": "Site",
    "position": "Position",
    "accent": "Colour",
    "voice": "Voice",
}
"""The settings of the WordPress plugin, by what they stand for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What guides are put together from.

    `attributes` are the tag's beside its site; one without a value only has to be there. `greets`:
    the site has greetings, of which a pinned loader must be told.
    """

    gateway: str
    site: str
    attributes: Mapping[str, str]
    tag: str
    integrity: str
    origins: tuple[str, ...]
    greets: bool

    @property
    def options(self) -> dict[str, str]:
        """What the packages take: gateway, site, and the attributes."""
        return {"gateway": self.gateway, "site": self.site, **self.attributes}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `code` is what to paste, in `language`, where there is something to."""

    text: str
    code: str = ""
    language: str = ""

    def document(self) -> dict[str, str]:
        """The same as JSON has it."""
        return {"text": self.text, "code": self.code, "language": self.language}


@dataclass(frozen=True, slots=True)
class Guide:
    """One way; `page` is the documentation's, which says more."""

    name: str
    title: str
    page: str
    steps: tuple[Step, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        steps = [step.document() for step in self.steps]
        return {"name": self.name, "title": self.title, "page": self.page, "steps": steps}


def guides(parts: Parts) -> tuple[Guide, ...]:
    """All of them, in the order in which they are shown."""
    return (
        _any_page(parts),
        _npm(parts),
        _react(parts),
        _wordpress(parts),
        _shopify(parts),
        _static(parts),
        _single_page(parts),
    )


def _any_page(parts: Parts) -> Guide:
    paste = "Put this before `</body>`, on every page that shall have the chat."
    return Guide("html", "Any page", "README.md", (Step(paste, parts.tag, "html"),))


def _npm(parts: Parts) -> Guide:
    said = [f"{name}: {json.dumps(value or True)}" for name, value in parts.options.items()]
    options = f"{{ {', '.join(said)} }}"
    if parts.attributes:
        options = "{\n" + "".join(f"  {one},\n" for one in said) + "}"
    code = (
        'import { load } from "@fanlight/widget";\n\n'
        f"const chat = await load({options});\n"
        "chat.open();"
    )
    return Guide(
        "npm",
        "npm",
        "README.md",
        (
            Step(
                "Build the package in Fanlight's own repository, and install it from there.",
                "npm --prefix web run packages",
                "sh",
            ),
            Step(
                "Load the chat. The last line opens it; leave it out to let it wait.",
                code,
                "js",
            ),
        ),
    )


def _react(parts: Parts) -> Guide:
    said = "".join(
        f'\n        {name}="{escape(value)}"' if value else f"\n        {name}"
        for name, value in parts.options.items()
    )
    code = (
        'import { FanlightChat } from "@fanlight/react";\n\n'
        "export function App() {\n  return (\n    <>\n      <Routes />\n"
        f"      <FanlightChat{said}\n      />\n    </>\n  );\n}}"
    )
    return Guide(
        "react",
        "React",
        "react.md",
        (
            Step(
                "Build both packages in Fanlight's own repository, and install them from there.",
                "npm --prefix web run packages",
                "sh",
            ),
            Step("Render it once, outside of your routes.", code, "jsx"),
        ),
    )


def _wordpress(parts: Parts) -> Guide:
    rows = [
        f"{FIELDS[name]}: {value or 'ticked'}"
        for name, value in parts.options.items()
        if name in FIELDS
    ]
    pin = "To pin the loader, put this into the field Hash."
    if parts.greets:
        pin += " Then tick Greetings, too."
    settings = "In WordPress: Settings, Fanlight. The rest may stay empty."
    if "locale" in parts.attributes:
        settings += " The chat speaks the language of the page: the plugin has no field for it."
    return Guide(
        "wordpress",
        "WordPress",
        "wordpress.md",
        (
            Step(
                "Make the plugin's archive in Fanlight's own repository.",
                "cd web/packages/wordpress && zip -r fanlight.zip fanlight",
                "sh",
            ),
            Step(
                "In WordPress: Plugins, Add New, Upload Plugin. Take `fanlight.zip`, and "
                "activate it."
            ),
            Step(settings, "\n".join(rows), "text"),
            Step(pin, parts.integrity, "text"),
        ),
    )


def _shopify(parts: Parts) -> Guide:
    shop = "https://your-shop.myshopify.com"
    origins = tuple(dict.fromkeys((*parts.origins, shop)))
    return Guide(
        "shopify",
        "Shopify",
        "shopify.md",
        (
            Step(
                "Online Store, Themes, …, Edit code, `layout/theme.liquid`: put this before "
                "`</body>`.",
                parts.tag,
                "liquid",
            ),
            Step(
                "In `fanlight.toml`, name every address under which the shop is reached.",
                f"origins = {json.dumps(origins)}",
                "toml",
            ),
        ),
    )


def _static(parts: Parts) -> Guide:
    astro = parts.tag.replace("<script ", "<script is:inline ", 1)
    source = f"{parts.gateway}/loader.js"
    data = {"site": parts.site, **parts.attributes}
    named = {"src": source, **{f"data-{name}": value for name, value in data.items()}}
    vitepress = json.dumps([["script", {**named, "async": ""}]])
    docusaurus = json.dumps([{**named, "async": True}])
    mkdocs = f"{{% block scripts %}}{{{{ super() }}}}{parts.tag}{{% endblock %}}"
    return Guide(
        "static",
        "Static site",
        "static.md",
        (
            Step(
                "Plain HTML, Hugo, Jekyll, Eleventy: before `</body>`, in each page or in the "
                "layout of all.",
                parts.tag,
                "html",
            ),
            Step(
                "Astro: in your layout. Without `is:inline` Astro would take it over.",
                astro,
                "html",
            ),
            Step("VitePress: in `.vitepress/config`.", f"head: {vitepress}", "js"),
            Step("Docusaurus: in `docusaurus.config.js`.", f"scripts: {docusaurus}", "js"),
            Step("MkDocs: in `overrides/main.html`.", mkdocs, "html"),
        ),
    )


def _single_page(parts: Parts) -> Guide:
    return Guide(
        "spa",
        "Single-page app",
        "spa.md",
        (
            Step(
                "Put this into the page that is loaded first, once. Routes change nothing: the "
                "chat stays, with its conversation.",
                parts.tag,
                "html",
            ),
            Step("When the language changes:", 'fanlight.setLocale("es")', "js"),
            Step("When a part begins that shall have no chat:", "fanlight.destroy()", "js"),
        ),
    )
