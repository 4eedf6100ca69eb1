"""The chat page as an app that a visitor can install.

Decides what stands in its manifest (W3C Web Application Manifest): the site's name, language and
accent, and the icon that the built page names.
"""

from __future__ import annotations

import json
import re

from gateway.settings import SiteSettings

MEDIA_TYPE = "application/manifest+json"
_ICON = re.compile(r'<link rel="icon"[^>]*\bhref="([^"]+)"')
_RIGHT_TO_LEFT = frozenset({"he"})


def manifest_path(site: SiteSettings) -> str:
    """The address of a site's manifest, within the chat page's own path."""
    return f"/chat/{site.key}/app.webmanifest"


def manifest(site: SiteSettings, page: str) -> bytes:
    """The manifest, as JSON; `page` is the built document, which names the icon."""
    start = f"/chat/{site.key}"
    icon = _ICON.search(page)
    icons = [{"src": icon.group(1), "type": "image/svg+xml", "sizes": "any"}] if icon else []
    locale = site.default_locale
    document = {
        "id": start,
        "name": site.name,
        "short_name": site.name,
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "lang": locale,
        "dir": "rtl" if locale in _RIGHT_TO_LEFT else "ltr",
        "theme_color": site.accent,
        "background_color": "#ffffff",
        "icons": icons,
    }
    return json.dumps(document, ensure_ascii=False).encode()
