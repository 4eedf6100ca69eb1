"""HTML cut into tags and text, in time that grows with its length alone.

Decides where a tag, a comment and a script end, as browsers do. Refuses nothing: any text is some
tokens. The standard library's `html.parser` is not used, since a page from the web may be malformed
on purpose: 80 kB of `<a x='"` take it 18 s, four times that for twice as much, and its reading
of malformed pages differs between releases of Python.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Possessive throughout: what has been read is never read again.
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][^\s/>]*+)
        ((?:[^>"'=]++ | =\s*+"[^"]*+" | =\s*+'[^']*+' | ["'=])*+)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([^\s/>=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]++)))?""", re.VERBOSE
)
_LONG_NUMBER = re.compile(r"&#(?:[xX][0-9a-fA-F]{8,}+|[0-9]{8,}+);?")
_RAW_TEXT: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "iframe", "noframes", "noembed", "xmp")
}


@dataclass(frozen=True, slots=True)
class Start:
    """An opening tag, its name and the names of its attributes in lower case."""

    name: str
    attributes: dict[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class End:
    """A closing tag."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text between tags, its character references resolved; that of a script is as written."""

    text: str


type Token = Start | End | Text


def tokens(source: str) -> Iterator[Token]:
    """Give the tags and texts of a page in order; comments and declarations are left out."""
    at, line = 0, 1
    while at < len(source):
        opened = source.find("<", at)
        if opened < 0:
            yield Text(resolve(source[at:]))
            return
        if opened > at:
            yield Text(resolve(source[at:opened]))
        line += source.count("\n", at, opened)
        at, found = _markup(source, opened, line)
        yield from found
        line += source.count("\n", opened, at)


def resolve(text: str) -> str:
    """Resolve character references; numbers beyond Unicode become U+FFFD, however long."""
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


def _markup(source: str, at: int, line: int) -> tuple[int, tuple[Token, ...]]:
    """Read what stands at a `<`: where it ends, and its tokens."""
    following = source[at + 1 : at + 3]
    if source.startswith("<!--", at):
        return _past(source, "-->", at + 4), ()
    if following[:1] in {"!", "?"} or (following[:1] == "/" and not following[1:].isalpha()):
        return _past(source, ">", at), ()
    name_at = following[1:] if following[:1] == "/" else following[:1]
    if not (name_at.isascii() and name_at.isalpha()):
        return at + 1, (Text("<"),)
    tag = _TAG.match(source, at)
    if tag is None:
        return len(source), ()  # a tag that never ends: browsers drop the rest too
    name = tag.group(2).lower()
    if tag.group(1):
        return tag.end(), (End(name),)
    start = Start(name, _attributes(tag.group(3)), line)
    if name not in _RAW_TEXT:
        return tag.end(), (start,)
    closing = _RAW_TEXT[name].search(source, tag.end())
    end = closing.start() if closing else len(source)
    return end, (start, Text(source[tag.end() : end]))


def _past(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return len(source) if found < 0 else found + len(mark)


def _attributes(text: str) -> dict[str, str]:
    """Read attributes; of two with one name the first one counts."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        name, *values = match.groups()
        found.setdefault(name.lower(), resolve(next((v for v in values if v is not None), "")))
    return found
