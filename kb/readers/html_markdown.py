"""From a part of a web page to Markdown: an allow-list, and nothing else survives.

Decides that paragraphs, lists, quotes, code, bold, italics and links stay, that headings become
bold lines, and that a table becomes a list with one item a row. Links are made absolute against the
page's address; one that is not http, https or mailto loses its address and keeps its words.
Refuses every tag: what looks like one in the text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from kb.readers.html_tree import Element, Node, parse_page, text_of
from kb.readers.links import is_safe_url

_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")
_ESCAPED = re.compile(r"[\\`*\[\]]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"&(?=#?\w{1,32};)")
_LINE_START = re.compile(
    r"""^([ ]?)(?:(\#{1,6}(?=\s|\Z)|[-+](?=[\s-]|\Z)|>|~~~)|(\d{1,9})([.)])(?=\s|\Z))""",
    re.MULTILINE | re.VERBOSE,
)
_TICKS = re.compile(r"`+")
_BREAK: Final = "  \n"
_MARKS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "cite": "*"}
_CODE: Final = frozenset(("code", "kbd", "samp", "tt"))
_LISTS: Final = frozenset(("ul", "ol", "menu"))
_BOLD_LINES: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary", "legend"))
_SILENT: Final = frozenset(("button", "hr", "wbr"))


def markdown_of(nodes: Iterable[Node], base: str = "") -> str:
    """Give nodes of a parsed page as Markdown; `base` is the address that links are relative to."""
    return "\n\n".join(_blocks(nodes, base)).strip()


def html_to_markdown(source: str, base: str = "") -> str:
    """Give a piece of HTML as Markdown; a text without a tag keeps its lines.

    Raises `PageTooLarge`.
    """
    page = parse_page(source)
    if len(page.elements) > 1:
        return markdown_of(page.root.children, base)
    lines = "".join(child for child in page.root.children if isinstance(child, str)).splitlines()
    return "\n\n".join(_paragraph(text) for line in lines if (text := _escape(line).strip()))


def _blocks(nodes: Iterable[Node], base: str) -> list[str]:
    found: list[str] = []
    run: list[Node] = []

    def end_run() -> None:
        text = _paragraph(_inline(run, base).strip())
        if text:
            found.append(text)
        run.clear()

    for node in nodes:
        if isinstance(node, Element) and node.is_block:
            end_run()
            found.extend(_block(node, base))
        else:
            run.append(node)
    end_run()
    return found


def _block(element: Element, base: str) -> list[str]:
    """Give the blocks of one element that starts a line."""
    if not element.has_text:
        return []
    match element.name:
        case "pre":
            return _fenced("".join(_raw(element)))
        case "table":
            return _table(element, base)
        case "blockquote":
            quoted = "\n\n".join(_blocks(element.children, base))
            return ["\n".join(f"> {line}".rstrip() for line in quoted.splitlines())]
        case name if name in _LISTS:
            return _list(element, base)
        case name if name in _BOLD_LINES:
            text = _paragraph(_inline(element.children, base, bold=True).strip())
            return [f"**{text.replace(_BREAK, ' ')}**"] if text else []
    return _blocks(element.children, base)


def _list(element: Element, base: str) -> list[str]:
    items: list[str] = []
    for child in element.children:
        blocks = _blocks([child], base)
        if isinstance(child, Element) and child.name in _LISTS and items:
            items[-1] += "\n" + _indented("\n".join(blocks), 2)
        elif blocks:
            mark = f"{len(items) + 1}. " if element.name == "ol" else "- "
            items.append(mark + _indented(_item(blocks), len(mark)).lstrip())
    return ["\n".join(items)] if items else []


def _item(blocks: Sequence[str]) -> str:
    """Join the blocks of a list item; a list in it stands close to the text before it."""
    text = blocks[0]
    for block in blocks[1:]:
        text += ("\n" if block.startswith(("- ", "1. ")) else "\n\n") + block
    return text


def _indented(text: str, width: int) -> str:
    return "\n".join(f"{' ' * width}{line}" if line else "" for line in text.split("\n"))


def _table(table: Element, base: str) -> list[str]:
    """Give one list item a row; where the first row is a header, its words name the cells."""
    rows = [cells for row in _rows(table) if (cells := _cells(row))]
    names: list[str] = []
    if len(rows) > 1 and all(cell.name == "th" for cell in rows[0]):
        names = [_paragraph(_inline([cell], base).strip()) for cell in rows.pop(0)]
    items: list[str] = []
    for cells in rows:
        texts = [" ".join(_blocks(cell.children, base)).replace("\n", " ") for cell in cells]
        if len(names) == len(texts):
            texts = [f"{n}: {t}" if n else t for n, t in zip(names, texts, strict=True) if t]
        items.append("- " + "; ".join(text for text in texts if text))
    return ["\n".join(item for item in items if item != "- ")] if items else []


def _rows(element: Element) -> list[Element]:
    if element.name == "tr":
        return [element]
    return [row for child in _elements(element) for row in _rows(child)]


def _cells(row: Element) -> list[Element]:
    return [cell for cell in _elements(row) if cell.name in {"td", "th"}]


def _elements(element: Element) -> list[Element]:
    return [child for child in element.children if isinstance(child, Element)]


def _inline(nodes: Iterable[Node], base: str, *, bold: bool = False, linked: bool = False) -> str:
    pieces: list[str] = []
    for node in nodes:
        piece = (
            _escape(node) if isinstance(node, str) else _span(node, base, bold=bold, linked=linked)
        )
        if piece:
            _append(pieces, piece)
    return "".join(pieces)


def _append(pieces: list[str], piece: str) -> None:
    """Add a piece so that its marks and spaces do not run into those before it."""
    last = pieces[-1] if pieces else ""
    if last.endswith("**") and piece.startswith("**"):
        pieces[-1], piece = last[:-2], piece[2:]
    elif last.endswith(("`", "*")) and piece.startswith(last[-1]):
        pieces.append(" ")
    elif last.endswith((" ", "\n")):
        piece = piece.lstrip(" ")
    if piece:
        pieces.append(piece)


def _span(element: Element, base: str, *, bold: bool, linked: bool) -> str:
    if element.name == "br":
        return _BREAK
    if element.name in _SILENT:
        return ""
    if element.name in _CODE:
        return _code(text_of(element))
    mark = _MARKS.get(element.name, "")
    if mark == "**" and bold:
        mark = ""
    address = _address(element.get("href"), base) if element.name == "a" and not linked else ""
    inner = _inline(
        element.children, base, bold=bold or mark == "**", linked=linked or bool(address)
    )
    if address:
        return _around(inner, "[", f"]({address})")
    return _around(inner, mark, mark) if mark else inner


def _around(text: str, before: str, after: str) -> str:
    """Put marks around the words, and leave the spaces outside."""
    words = text.strip().replace(_BREAK, " ")
    if not words:
        return " " if text else ""
    left = " " if text[0].isspace() else ""
    right = " " if text[-1].isspace() else ""
    return f"{left}{before}{words}{after}{right}"


def _address(href: str, base: str) -> str:
    """Give the absolute address of a link; nothing when it may not be one."""
    try:
        address = urljoin(base, href.strip().replace(" ", "%20"))
        parts = urlsplit(address)
        named = parts.username is not None or parts.password is not None
    except ValueError:
        return ""
    if not href.strip() or named or not is_safe_url(address):
        return ""
    return address.replace("(", "%28").replace(")", "%29")


def _code(text: str) -> str:
    if not text:
        return ""
    ticks = _longer_than_in(text, "`")
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _fenced(text: str) -> list[str]:
    lines = text.expandtabs(4).splitlines()
    while lines and not lines[0].strip():
        del lines[0]
    fence = _longer_than_in(text, "``")
    body = "\n".join(line.rstrip() for line in lines).rstrip()
    return [f"{fence}\n{body}\n{fence}"] if body else []


def _longer_than_in(text: str, least: str) -> str:
    longest = max((len(found) for found in _TICKS.findall(text)), default=0)
    return "`" * max(longest + 1, len(least) if least == "`" else 3)


def _raw(node: Node) -> list[str]:
    if isinstance(node, str):
        return [node]
    parts = [part for child in node.children for part in _raw(child)]
    return [*parts, "\n"] if node.name == "br" or node.is_block else parts


def _escape(text: str) -> str:
    text = _ESCAPED.sub(r"\\\g<0>", _SPACE.sub(" ", text))
    return _REFERENCE.sub("&amp;", text).replace("<", "&lt;")


def _paragraph(text: str) -> str:
    """Escape what would make a heading, a list or a quote of a paragraph's lines."""
    return _LINE_START.sub(_escaped_start, text)


def _escaped_start(match: re.Match[str]) -> str:
    space, mark, number, point = match.groups()
    return f"{space}\\{mark}" if mark else f"{space}{number}\\{point}"
