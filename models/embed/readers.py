"""Readers: one file of translations in, its texts by key out.

Decides what in each format is a text and what names it. Where the format names a text by its
English (`po`, `mo`), the key is that English. A key has several texts where they say the same in
other words. Refuses a format it does not know; a file that is not what its format says raises
`ValueError`, which the caller turns into an error that names source and file.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import struct
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Final

from models.embed.javascript import BETWEEN, find_strings

type Texts = dict[str, list[str]]

_PO_LINE: Final = re.compile(r'(msgid|msgid_plural|msgstr|msgstr\[\d\]|msgctxt)?\s*(".*")\s*$')
_MO_LITTLE: Final = 0x950412DE
# Remarks to translators stand beside the texts under such names.
_COMMENT: Final = re.compile(r"^_.*\.comment$|___DESCRIPTION$|^@")
_SKIN_TONE: Final = re.compile("[\U0001f3fb-\U0001f3ff]")
_CLDR_PASSED: Final = re.compile(
    r"[fF]ormats|appendItems|\x1f(?:short|narrow|abbreviated|symbols?[\w-]*|compoundUnit\w*)\x1f"
    r"|-(?:narrow|short)\b|[pP]refixPattern|\x1fsymbol[\w-]*$"
)


def read_texts(format: str, data: bytes) -> Texts:  # noqa: A002 (the field's name in the sources)
    """Read the texts of one file by their keys; `format` is one of `FORMATS`."""
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(sorted(FORMATS))}, not {format!r}")
    texts: Texts = {}
    for key, text in FORMATS[format](data):
        if text and text not in texts.setdefault(key, []):
            texts[key].append(text)
    return texts


def _read_json(data: bytes) -> Iterator[tuple[str, str]]:
    """A JSON tree: a text's key is its path. Lists count from 0."""
    yield from _walk(json.loads(data.decode("utf-8-sig")), "")


def _read_rooted_json(data: bytes) -> Iterator[tuple[str, str]]:
    """A JSON tree whose lone keys at the top, the language's code among them, name nothing."""
    yield from _walk(_without_root(json.loads(data.decode("utf-8-sig"))), "")


def _without_root(value: object) -> object:
    while isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value


def _read_cldr(data: bytes) -> Iterator[tuple[str, str]]:
    """A file of CLDR's main data, without date patterns and abbreviations."""
    root = _without_root(json.loads(data))
    if isinstance(root, dict):
        root.pop("identity", None)
    for path, text in _walk(root, ""):
        if not _CLDR_PASSED.search(path):
            yield path, text


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, child in value.items():
            if not _COMMENT.search(name):
                yield from _walk(child, f"{path}{BETWEEN}{name}")
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _walk(child, f"{path}{BETWEEN}{place}")


def _read_annotations(data: bytes) -> Iterator[tuple[str, str]]:
    """CLDR's names of emoji (`tts`), and their keywords as one text (`default`).

    Of an emoji in five skin tones the one without stands for all.
    """
    root = json.loads(data)
    for body in root.values():
        for sign, entry in body["annotations"].items():
            if _SKIN_TONE.search(sign):
                continue
            for text in entry.get("tts", []):
                yield f"{sign} name", text
            keywords = entry.get("default", [])
            if keywords:
                yield f"{sign} keywords", " ".join(keywords)


def _read_javascript(data: bytes) -> Iterator[tuple[str, str]]:
    """Strings in the object literals of a module, by their path."""
    yield from find_strings(data.decode("utf-8-sig"))


def _read_rooted_javascript(data: bytes) -> Iterator[tuple[str, str]]:
    """As `javascript`, without the keys that all strings share: the language is among them."""
    found = [(place.split(BETWEEN), text) for place, text in _read_javascript(data)]
    levels = zip(*(place[:-1] for place, _ in found), strict=False)
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    for place, text in found:
        yield BETWEEN.join(place[shared:]), text


def _read_english_javascript(data: bytes) -> Iterator[tuple[str, str]]:
    """As `javascript`, where a string's own key is the English."""
    for place, text in _read_javascript(data):
        yield place.rpartition(BETWEEN)[2], text


def _read_po(data: bytes) -> Iterator[tuple[str, str]]:
    """A gettext catalogue in text: its English is the key; of a plural the first and the last form.

    Entries marked fuzzy are passed over: nobody has checked them.
    """
    for block in re.split(r"\n\s*\n", data.decode("utf-8-sig").replace("\r\n", "\n")):
        if re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE):
            continue
        fields: dict[str, str] = {}
        name = ""
        for line in block.split("\n"):
            match = _PO_LINE.match(line)
            if not match:
                continue
            name = match[1] or name
            fields[name] = fields.get(name, "") + _quoted(match[2])
        forms = [text for field, text in fields.items() if field.startswith("msgstr")]
        yield from _pairs_of_forms(fields.get("msgid", ""), fields.get("msgid_plural", ""), forms)


def _quoted(literal: str) -> str:
    try:
        return str(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        return literal[1:-1]


def _pairs_of_forms(single: str, plural: str, forms: list[str]) -> Iterator[tuple[str, str]]:
    if not single or not forms:
        return
    yield single, forms[0]
    if plural and len(forms) > 1:
        yield plural, forms[-1]


def _read_mo(data: bytes) -> Iterator[tuple[str, str]]:
    """A gettext catalogue, compiled (gettext manual, "The Format of GNU MO Files")."""
    order = "<" if struct.unpack_from("<I", data)[0] == _MO_LITTLE else ">"
    magic, _, count, ids, strings = struct.unpack_from(order + "5I", data)
    if magic != _MO_LITTLE:
        raise ValueError("not a gettext catalogue")
    for number in range(count):
        single, _, plural = _mo_string(data, order, ids, number).partition("\0")
        forms = _mo_string(data, order, strings, number).split("\0")
        yield from _pairs_of_forms(single.rpartition("\x04")[2], plural, forms)


def _mo_string(data: bytes, order: str, table: int, number: int) -> str:
    length, offset = struct.unpack_from(order + "2I", data, table + 8 * number)
    return data[offset : offset + length].decode("utf-8")


def _read_properties(data: bytes) -> Iterator[tuple[str, str]]:
    r"""Java properties: `key = text`, lines joined by a backslash, `\uXXXX` undone."""
    joined = re.sub(r"\\\r?\n\s*", "", data.decode("utf-8-sig"))
    for line in joined.splitlines():
        match = re.match(r"\s*([^#!\s=:][^=:]*?)\s*[=:]\s*(.*)$", line)
        if match:
            text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), match[2])
            # MessageFormat writes an apostrophe twice.
            yield match[1], re.sub(r"\\(.|$)", r"\1", text).replace("''", "'")


def _read_fluent(data: bytes) -> Iterator[tuple[str, str]]:
    """Fluent: `key = text`, `.attribute = text` below it, and lines that go on; no selections."""
    key = attribute = ""
    texts: dict[str, str] = {}
    for line in data.decode("utf-8-sig").splitlines():
        match = re.match(r"(\s+\.)?([\w-]+)\s*=\s*(.*)$", line)
        if match:
            key = key if match[1] else match[2]
            attribute = f"{key}.{match[2]}" if match[1] else key
            texts[attribute] = match[3]
        elif line.startswith(" ") and attribute:
            texts[attribute] += f" {line.strip()}"
        else:
            attribute = ""
    yield from ((name, text) for name, text in texts.items() if "->" not in text)


def _read_html(data: bytes) -> Iterator[tuple[str, str]]:
    """Headings, paragraphs and items of a page, by their number within their `article`."""
    for number, article in enumerate(data.decode("utf-8-sig").split("<article")):
        parts = re.findall(r"<(h\d|p|li)\b[^>]*>(.*?)</\1>", article, re.DOTALL)
        for place, (name, text) in enumerate(parts):
            yield f"{number} {name} {place} of {len(parts)}", text


def _read_lines(data: bytes) -> Iterator[tuple[str, str]]:
    """Sentences that all say the same, one a line; `(a|b)` takes the first, `[x]` is left out."""
    for line in data.decode("utf-8-sig").splitlines():
        if line.strip() and not line.startswith("#"):
            yield "", _first_choice(line.strip())


def _first_choice(template: str) -> str:
    before = ""
    while before != template:
        before = template
        template = re.sub(r"\(([^()|]*)\|?[^()]*\)", r"\1", template)
        template = re.sub(r"\[[^\[\]]*\]", "", template)
    return template


def _read_flat_yaml(data: bytes) -> Iterator[tuple[str, str]]:
    """Lines of conversations (`- - question`, `  - answer`): each is its own text, none a pair."""
    for line in data.decode("utf-8-sig").splitlines():
        match = re.match(r"\s*-\s+(?:-\s+)?(.+)$", line)
        if match:
            text = match[1].strip().strip("'\"")
            yield text, text


def _read_word_counts(data: bytes) -> Iterator[tuple[str, str]]:
    """`word count` a line, or JSON of words to counts: the key is the word, the text its count."""
    text = data.decode("utf-8-sig")
    if text.lstrip().startswith("{"):
        for word, count in json.loads(text).items():
            yield word, str(count)
        return
    for row in csv.reader(io.StringIO(text), delimiter=" " if " " in text[:100] else ","):
        if len(row) == 2:
            yield row[0], row[1]


FORMATS: Final[dict[str, Callable[[bytes], Iterator[tuple[str, str]]]]] = {
    "json": _read_json,
    "json-rooted": _read_rooted_json,
    "cldr": _read_cldr,
    "annotations": _read_annotations,
    "javascript": _read_javascript,
    "javascript-english": _read_english_javascript,
    "javascript-rooted": _read_rooted_javascript,
    "po": _read_po,
    "mo": _read_mo,
    "properties": _read_properties,
    "fluent": _read_fluent,
    "html": _read_html,
    "lines": _read_lines,
    "conversations": _read_flat_yaml,
    "counts": _read_word_counts,
}
