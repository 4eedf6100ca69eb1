"""What the greeter of a site is told: its greetings, and how they look.

Decides nothing; when a greeting is shown is decided in the browser, where the page and what was
shown before are known.
"""

from __future__ import annotations

from gateway.settings import SiteSettings


def config(site: SiteSettings) -> dict[str, object]:
    """The configuration that stands in the greeter's document."""
    return {
        "site_key": site.key,
        "host_origins": list(site.origins),
        "accent": site.accent,
        "theme": site.theme,
        "locales": list(site.locales),
        "default_locale": site.default_locale,
        "greetings": [
            {
                "name": greeting.name,
                "text": dict(greeting.text),
                "pages": list(greeting.pages),
                "after_s": greeting.after_s,
                "scroll": greeting.scroll,
                "once": greeting.once,
            }
            for greeting in site.greetings
        ],
    }


def texts(site: SiteSettings) -> dict[str, dict[str, str]]:
    """What each greeting says, for the panel that goes on from it."""
    return {greeting.name: dict(greeting.text) for greeting in site.greetings}
