"""Markdown that others wrote, without the HTML that may stand in it.

Decides what is a tag: a name of HTML, outside of code. Tags go and their words stay, scripts and
styles go whole; any other `<` that could start a tag is escaped. Refuses nothing.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    "a|abbr|address|article|aside|audio|b|base|bdi|bdo|blockquote|body|br|button|caption|center|cite"
    "|code|col|colgroup|dd|del|details|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer"
    "|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|mark|math"
    "|meta|nav|noscript|object|ol|option|p|picture|pre|q|s|samp|script|section|select|small|source"
    "|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead"
    "|title|tr|tt|u|ul|var|video|wbr"
)
_TAG = re.compile(rf"</?(?:{_NAMES})(?=[\s/>])[^<>]*>", re.IGNORECASE)
_PARTS = re.compile(
    rf"""(?P<code>^[ ]{{0,3}}(?P<fence>`{{3,}}|~{{3,}}).*?(?:^[ ]{{0,3}}(?P=fence)|\Z)
              |(?P<ticks>`+)(?!`)[^\n]{{0,2000}}?(?<!`)(?P=ticks)(?!`))
        |<(?P<raw>script|style)\b.*?(?:</(?P=raw)\s*>|\Z)
        |<!--.*?(?:-->|\Z)
        |{_TAG.pattern}
        |(?P<autolink><(?:https?://|mailto:)[^\s<>]+>)
        |(?P<opened><(?=[a-zA-Z/!?]))""",
    re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def has_tags(text: str) -> bool:
    """Say whether a text is HTML, or has some in it."""
    return bool(_TAG.search(text))


def safe_markdown(text: str) -> str:
    """Give the Markdown without tags."""
    return _PARTS.sub(_part, text)


def _part(match: re.Match[str]) -> str:
    if match["code"] or match["autolink"]:
        return match.group(0)
    return "&lt;" if match["opened"] else ""
