"""Which addresses an answer may link to.

Decides by scheme and shape alone; looks nothing up. Refuses what could run a script or mislead a
reader.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})

_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x1f\x7f<>\"'\\]")


def is_safe_url(url: str) -> bool:
    """Say whether `url` may be a link: an allowed scheme, an address, no odd characters."""
    if _UNSAFE_IN_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme.lower() not in LINK_SCHEMES:
        return False
    return bool(parts.path if parts.scheme.lower() == "mailto" else parts.netloc)
