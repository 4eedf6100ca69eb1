"""The index file: what `build_index` writes and `load_index` reads.

Decides the layout: one gzip stream with no time in it, a first line that names format and version,
one JSON line that lists the sections, then the sections. What is in the stream may be handed in by
itself: a browser unzips it sooner than Python there. Refuses another version, a damaged or cut
file, and more than 256 MiB.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""No name, no time, no operating system."""
MAX_BYTES: Final = 256 * 1024 * 1024

BLOCKS: Final = ("words", "pairs")
"""Prefixes of the sections that hold a block of postings."""
VOCABULARY: Final = (
    "gram_starts", "gram_words", "gram_counts", "near_starts", "near_words", "near_weights",
)  # fmt: skip
"""Sections that hold the vocabulary's fields of the same names, in their order."""

type Section = array[int] | array[float] | str


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds, its format's name and version, and what to do about another one."""

    noun: str
    name: str
    version: int
    remedy: str


INDEX: Final = Kind("index", "fanlight-kb", 3, "build it again with `fanlight kb build`")


class IndexFormatError(ValueError):
    """The bytes are not an index that this version reads; the message names what was found."""


def encode(sections: Mapping[str, Section], kind: Kind = INDEX) -> bytes:
    """Write the sections; the same sections give the same bytes, always."""
    names: list[tuple[str, str, int]] = []
    bodies: list[bytes] = []
    for name, section in sections.items():
        if isinstance(section, str):
            code, body = "s", section.encode("utf-8", "surrogatepass")
        else:
            code, body = section.typecode, _little_endian(section).tobytes()
        names.append((name, code, len(body)))
        bodies.append(body)
    head = f"{kind.name} {kind.version}\n{json.dumps(names)}\n".encode()
    return _compress(head + b"".join(bodies))


def decode(data: bytes, kind: Kind = INDEX) -> tuple[dict[str, Section], str]:
    """Read the sections, and a short hash of what they hold."""
    plain = _decompress(data, kind)
    first, _, rest = plain.partition(b"\n")
    _check_version(first, kind)
    head, _, body = rest.partition(b"\n")
    try:
        return _sections(head, body), hashlib.sha256(plain).hexdigest()[:8]
    except (ValueError, TypeError, KeyError) as error:
        raise IndexFormatError(f"damaged {kind.noun}: {error}; {kind.remedy}") from error


def _compress(plain: bytes) -> bytes:
    """Write one gzip member by hand: `gzip` differs by platform, and costs a browser time."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(plain) + deflate.flush()
    return _GZIP_HEAD + body + struct.pack("<II", zlib.crc32(plain), len(plain) & 0xFFFFFFFF)


def _decompress(data: bytes, kind: Kind) -> bytes:
    if data.startswith(kind.name.encode()):
        if len(data) > MAX_BYTES:
            raise IndexFormatError(f"the {kind.noun} is too large: {kind.remedy}")
        return data
    try:
        unzip = zlib.decompressobj(wbits=31)
        plain = unzip.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise IndexFormatError(f"not an {kind.noun}: {error}; {kind.remedy}") from error
    if not unzip.eof:
        raise IndexFormatError(f"the {kind.noun} is cut short, or too large: {kind.remedy}")
    return plain


def _check_version(first: bytes, kind: Kind) -> None:
    found = first[:40].decode("ascii", "replace")
    expected = f"{kind.name} {kind.version}"
    if found != expected:
        raise IndexFormatError(f"found {found!r}, expected {expected!r}: {kind.remedy}")


def _sections(head: bytes, body: bytes) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    at = 0
    for name, code, size in json.loads(head):
        part = body[at : at + size]
        if len(part) != size:
            raise ValueError(f"section {name} is cut short")
        at += size
        if code == "s":
            sections[name] = part.decode("utf-8", "surrogatepass")
        else:
            values: array[int] | array[float] = array(code)
            values.frombytes(part)
            sections[name] = _little_endian(values)
    return sections


def _little_endian(values: array[int] | array[float]) -> array[int] | array[float]:
    if sys.byteorder == "little":
        return values
    swapped = values[:]
    swapped.byteswap()
    return swapped
