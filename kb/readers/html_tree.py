"""A web page as a tree of what a visitor may read.

Decides which elements a missing end tag closes, and what is left out: scripts, styles, forms,
navigation, the page's own header and footer, images, and what is hidden, save the panels that a
button of the page opens. Refuses a page with more elements than `MAX_ELEMENTS`. Deeper nesting
than `MAX_DEPTH` is flattened: the text stays, the tags go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from kb.readers.html_tokens import End, Start, Text, tokens

MAX_DEPTH: Final = 128
MAX_ELEMENTS: Final = 200_000

_BLOCKS: Final = """address article aside blockquote body center dd details dialog div dl dt
fieldset figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p
pre section summary table tbody td tfoot th thead tr ul"""
_OUT: Final = """audio canvas datalist dialog embed footer form head iframe img input map math nav
noembed noframes noscript object option picture script select style svg template textarea title
video"""
_VOIDS: Final = "area base br col embed hr img input link meta param source track wbr"

BLOCKS: Final = frozenset(_BLOCKS.split())
"""Elements that start a line of their own."""
_LEFT_OUT: Final = frozenset(_OUT.split())
_VOID: Final = frozenset(_VOIDS.split())
_LEFT_OUT_ROLES: Final = frozenset(("banner", "contentinfo", "navigation", "search", "menu"))
_SECTIONS: Final = frozenset(("article", "aside", "details", "li", "main", "section"))
_WHOLE_PAGE: Final = frozenset(("h1", "main"))
"""A form around one of these is a frame around the page, as some servers make it."""

# What a start tag closes, and the elements at which looking for it ends.
_CLOSES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
}
_PARAGRAPH: Final = (frozenset({"p"}), BLOCKS - {"p"} | {"button"})
_UNSEEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8})*)\Z")


class PageTooLarge(ValueError):
    """A page with more elements than any page of questions has."""


@dataclass(slots=True, eq=False)
class Element:
    """An element; `first` and `last` span it and what it holds in `Page.elements`."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element | str] = field(default_factory=list)
    parent: Element | None = None
    place: int = 0
    """Where it stands among its parent's children."""
    first: int = 0
    last: int = 0
    is_block: bool = False
    """Whether it, or something in it, starts a line of its own."""
    has_text: bool = False

    def get(self, name: str) -> str:
        """Give an attribute, or an empty text."""
        return self.attributes.get(name, "").strip()


type Node = Element | str


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what may be read, in document order, and what it says about itself."""

    root: Element
    elements: tuple[Element, ...]
    language: str
    base: str
    linked_data: tuple[tuple[int, str], ...]
    """The scripts of type `application/ld+json`, each with its line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with its answer in Markdown, as found on a page; `anchor` is an element's id."""

    question: str
    answer: str
    line: int
    anchor: str = ""
    variants: tuple[str, ...] = ()


def parse_page(source: str) -> Page:
    """Read a page. Raises `PageTooLarge`."""
    builder = _Builder()
    for token in tokens(source):
        match token:
            case Start():
                builder.open(token)
            case End():
                builder.close(token.name)
            case Text():
                builder.add_text(token.text)
    _prune(builder.root, frozenset(builder.controlled), in_section=False)
    elements: list[Element] = []
    _number(builder.root, elements)
    return Page(
        builder.root, tuple(elements), builder.language, builder.base, tuple(builder.linked_data)
    )


def text_of(node: Node) -> str:
    """Give the text of a node on one line."""
    return " ".join("".join(_texts(node)).split())


def language_tag(text: str) -> str:
    """Give `en-US` for `EN_us` and its like, and nothing for what is no language tag."""
    match = _LANGUAGE.match(text.strip())
    if not match:
        return ""
    parts = match.group(2).replace("_", "-").split("-")
    return "-".join((match.group(1).lower(), *(_subtag(part) for part in parts[1:])))


def _subtag(part: str) -> str:
    """Write a region in capitals, as is the custom (RFC 5646, section 2.1.1)."""
    return part.upper() if len(part) == 2 else part


class _Builder:
    """Puts tokens together; its stack is never deeper than `MAX_DEPTH`."""

    def __init__(self) -> None:
        self.root = Element("#root", {}, 1)
        self.language = ""
        self.base = ""
        self.linked_data: list[tuple[int, str]] = []
        self.controlled: set[str] = set()
        self._stack = [self.root]
        self._too_deep = 0
        self._count = 0

    def open(self, start: Start) -> None:
        self._note(start)
        closed, until = _CLOSES.get(start.name, (frozenset[str](), frozenset[str]()))
        if closed:
            self._close_open(closed, until)
        if start.name in BLOCKS:
            self._close_open(*_PARAGRAPH)
        if len(self._stack) >= MAX_DEPTH and start.name not in _VOID:
            self._too_deep += 1
            return
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise PageTooLarge(
                f"line {start.line}: more than {MAX_ELEMENTS:,} elements: import a smaller page"
            )
        element = Element(start.name, start.attributes, start.line)
        self._stack[-1].children.append(element)
        if start.name not in _VOID:
            self._stack.append(element)

    def close(self, name: str) -> None:
        if self._too_deep:
            self._too_deep -= 1
            return
        for depth in range(len(self._stack) - 1, 0, -1):
            if self._stack[depth].name == name:
                del self._stack[depth:]
                return

    def add_text(self, text: str) -> None:
        top = self._stack[-1]
        if top.name == "script":
            if top.get("type").lower() == "application/ld+json":
                self.linked_data.append((top.line, text))
            return
        top.children.append(text)

    def _note(self, start: Start) -> None:
        """Keep what the page says of itself, wherever it stands."""
        attributes = start.attributes
        if start.name == "html" and not self.language:
            self.language = language_tag(attributes.get("lang") or attributes.get("xml:lang", ""))
        if start.name == "base" and not self.base:
            self.base = attributes.get("href", "").strip()
        self.controlled.update(attributes.get("aria-controls", "").split())

    def _close_open(self, closed: frozenset[str], until: frozenset[str]) -> None:
        for depth in range(len(self._stack) - 1, 0, -1):
            name = self._stack[depth].name
            if name in closed:
                del self._stack[depth:]
                return
            if name in until:
                return


def _prune(element: Element, controlled: frozenset[str], *, in_section: bool) -> None:
    inside = in_section or element.name in _SECTIONS
    kept: list[Node] = []
    for child in element.children:
        if isinstance(child, str):
            kept.append(child)
        elif not _is_left_out(child, controlled, in_section=inside):
            _prune(child, controlled, in_section=inside)
            kept.append(child)
    element.children = kept


def _is_left_out(element: Element, controlled: frozenset[str], *, in_section: bool) -> bool:
    if element.name == "form":
        return not _holds(element, _WHOLE_PAGE)
    if element.name in _LEFT_OUT or element.get("role").lower() in _LEFT_OUT_ROLES:
        return True
    if element.name == "header" and not in_section:
        return True
    hidden = (
        "hidden" in element.attributes
        or element.get("aria-hidden").lower() == "true"
        or bool(_UNSEEN.search(element.get("style")))
    )
    return hidden and element.get("id") not in controlled


def _holds(element: Element, names: frozenset[str]) -> bool:
    return any(
        child.name in names or _holds(child, names)
        for child in element.children
        if isinstance(child, Element)
    )


def _number(element: Element, elements: list[Element]) -> None:
    """Number an element and what it holds, and say what each one holds."""
    element.first = len(elements)
    elements.append(element)
    element.is_block = element.name in BLOCKS
    for place, child in enumerate(element.children):
        if isinstance(child, str):
            element.has_text |= bool(child.strip())
            continue
        child.parent, child.place = element, place
        _number(child, elements)
        element.is_block |= child.is_block
        element.has_text |= child.has_text
    element.last = len(elements) - 1


def _texts(node: Node) -> list[str]:
    if isinstance(node, str):
        return [node]
    parts = [part for child in node.children for part in _texts(child)]
    return [" ", *parts, " "] if node.name in BLOCKS or node.name == "br" else parts
