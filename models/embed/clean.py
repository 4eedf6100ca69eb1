"""Cleaning: what an interface string must lose to be a text, and which texts are refused.

Decides what is markup, a placeholder or an accelerator, and whether a text is written in its
language's script. Refuses, by giving an empty string, a text of less than two letters or more than
400 characters, one that is more than a third placeholder, and one in the wrong script. Opens
nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

MAX_LENGTH: Final = 400
MAX_PLACEHOLDER_SHARE: Final = 1 / 3

# Shares of a text's letters that are in its language's script. Hebrew names things in Latin letters
# all the time ("התקן Z-Wave"); English and Spanish hardly quote another script.
_MIN_SHARE: Final = {"en": 0.8, "es": 0.8, "he": 0.4}
_SCRIPT: Final = {"en": "LATIN", "es": "LATIN", "he": "HEBREW"}
# A language whose words these are is not the one the file claims.
_SPANISH_ONLY: Final = re.compile(r"[ñ¿¡]", re.IGNORECASE)

_BRANCH: Final = re.compile(r"\{\s*(\w+)\s*,\s*(?:plural|select|selectordinal)\s*,")
_TAG: Final = re.compile(r"</?[a-zA-Z0-9][^<>]*>|<>|</>|<!--.*?-->", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()]*\))*\)")
_URL: Final = re.compile(r"(?:https?|ftp|mailto):\S+|\bwww\.\S+")
_PLACEHOLDER: Final = re.compile(
    r"""
      \[%[^\]]*%\]                                       # Home Assistant: [%key:common::x%]
    | \$t\([^)]*\)                                       # i18next: $t(other.key)
    | \{%.*?%\}                                          # Jinja: {% if x %}
    | \{\{\{?.*?\}\}\}?                                  # {{ name }}
    | [$%#@]?\{[^{}]*\}                                  # {name}, ${name}, %{name}, #{name}
    | %(?:\(\w+\)|\d+\$)?[-+#0]?\d*(?:\.\d+)?[sdifgrux@](?![a-zA-Z])  # %s, %(name)s, %1$d, %.2f
    | %\d+(?![\d\s]*%)(?!\w)                             # Qt: %1
    | %\w+%                                              # %name%
    | (?<![\w:/]):[a-z_]{2,}(?![\w:])                    # Laravel: :name
    | __\w+__
    """,
    re.VERBOSE | re.DOTALL,
)
_ACCELERATOR: Final = re.compile(r"\(&\w\)|&(?=\w)")
_CONTROLS: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]")
_NIQQUD: Final = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
_EMPTY_BRACKETS: Final = re.compile(r"\(\s*\)|\[\s*\]|\"\s*\"|'\s*'|“\s*”|«\s*»|`\s*`")
_SPACE_BEFORE: Final = re.compile(r"\s+([,.;:!?)])")
_ESCAPED: Final = re.compile(r"\\[nrt]")


def clean(text: str, language: str) -> str:
    """Give `text` as a person would read it, or "" where nothing worth reading is left.

    Tags, addresses, placeholders, accelerators, invisible controls and niqqud go; of an ICU plural
    or select the `other` branch stays.
    """
    text = _without_branches(html.unescape(_ESCAPED.sub(" ", text)))
    text = _TAG.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    holes = 0

    def cut(match: re.Match[str]) -> str:
        nonlocal holes
        holes += len(match[0])
        return " "

    length = len(text.strip())
    text = _PLACEHOLDER.sub(cut, _URL.sub(cut, text))
    if length == 0 or holes / length > MAX_PLACEHOLDER_SHARE:
        return ""
    text = _ACCELERATOR.sub("", text)
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", text))
    if language == "he":
        text = _NIQQUD.sub("", unicodedata.normalize("NFKC", text))
    text = text.replace("**", "").replace("`", "")
    text = _EMPTY_BRACKETS.sub(" ", text)
    text = _SPACE_BEFORE.sub(r"\1", " ".join(text.split())).strip(" -–—:,;|/*_#")
    return text if _is_written_in(text, language) and len(text) <= MAX_LENGTH else ""


def _is_written_in(text: str, language: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) < 2 or (language == "en" and _SPANISH_ONLY.search(text)):
        return False
    script = _SCRIPT[language]
    own = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
    return own / len(letters) >= _MIN_SHARE[language]


def _without_branches(text: str) -> str:
    """Replace each ICU plural or select by its `other` branch; leave an unbalanced one as it is."""
    while match := _BRANCH.search(text):
        end = _closing(text, match.start())
        if end < 0:
            return text
        other = re.search(r"\bother\s*\{", text[match.end() : end])
        chosen = ""
        if other:
            start = match.end() + other.end() - 1
            chosen = text[start + 1 : _closing(text, start)].replace("#", "")
        text = text[: match.start()] + chosen + text[end + 1 :]
    return text


def _closing(text: str, start: int) -> int:
    """Find the brace that closes the one at `start`, or -1."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1
