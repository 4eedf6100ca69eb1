"""Which characters the bytes of a page are.

Decides by a byte order mark, then by what the server or the page declares, else UTF-8. Refuses a
page whose bytes are not what is declared, rather than import an answer with wrong letters; and
encodings that no page of questions is in.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_DECLARED_IN: Final = 2_048
"""Bytes of a page in which it may declare its encoding; the standard has it in the first 1,024."""

_META = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_XML = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.-]{1,40})")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KNOWN = re.compile(
    r"(?:utf-?8|utf-?16(?:-?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-?\d{1,2}(?:-[ei])?"
    r"|windows-?\d{3,4}|cp\d{3,4}|koi8-[ru]|gbk|gb2312|gb18030|big5|shift_jis|euc-(?:jp|kr))\Z"
)
# As the WHATWG Encoding Standard reads these labels: browsers do, so pages are written for it.
_READ_AS: Final = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1"), "cp1252"),
    **dict.fromkeys(("ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e"), "iso-8859-8"),
    **dict.fromkeys(("gbk", "gb2312"), "gb18030"),
    "iso-8859-9": "cp1254",
    "utf-16": "utf-16-le",
}


class CharsetError(ValueError):
    """Bytes that are not text in the encoding that is declared; the message says the remedy."""


def decode_page(data: bytes, declared: str = "") -> str:
    """Give the text of a page; `declared` is the charset of its `Content-Type`, if any.

    Raises `CharsetError`.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], name)
    beginning = data[:_DECLARED_IN]
    match = _META.search(beginning) or _XML.search(beginning)
    written = match.group(1).decode("ascii") if match else ""
    return _decoded(data, declared or written or "utf-8")


def _decoded(data: bytes, name: str) -> str:
    label = name.strip().lower()
    if not _KNOWN.match(label):
        raise CharsetError(f"its charset {name[:40]!r} is not known: save the page as UTF-8")
    try:
        return data.decode(_READ_AS.get(label, label))
    except (UnicodeDecodeError, LookupError) as error:
        raise CharsetError(
            f"it is said to be {name[:40]}, and is not: declare its charset, or save it as UTF-8"
        ) from error
