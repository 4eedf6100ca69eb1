"""The body of an answer, read whole and no further than its limit.

Decides which compressions are understood (gzip, or none), and counts bytes after decompression, as
they come: a small answer that unpacks to a large one is refused on the way. Refuses a body that is
cut short.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final, Protocol

import httpx

from core.errors import FanlightError

_GZIP: Final = frozenset(("gzip", "x-gzip"))
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
"""zlib's number for: a gzip head, and the largest window."""


class BodyRefused(FanlightError):
    """A body that is too large, cut short or compressed in another way."""


class _Decoder(Protocol):
    def add(self, chunk: bytes) -> None: ...

    def finish(self) -> bytes: ...


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read a streamed answer of at most `limit` bytes. Raises `BodyRefused`."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity", *_GZIP}:
        raise BodyRefused(f"it is compressed as {coding[:40]!r}: have it sent as gzip, or plain")
    if _announced(response.headers) > limit:
        raise _too_large(limit)
    decoder: _Decoder = _Unzip(limit) if coding in _GZIP else _Plain(limit)
    async for chunk in response.aiter_raw():
        decoder.add(chunk)
    body = decoder.finish()
    if body.startswith(_GZIP_MAGIC):  # a compressed file, such as sitemap.xml.gz
        unzip = _Unzip(limit)
        unzip.add(body)
        return unzip.finish()
    return body


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(f"it is larger than {limit:,} bytes: import a smaller page")


class _Plain:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()

    def add(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > self._limit:
            raise _too_large(self._limit)

    def finish(self) -> bytes:
        return bytes(self._body)


class _Unzip:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        self._stream = zlib.decompressobj(_GZIP_WINDOW)

    def add(self, chunk: bytes) -> None:
        if self._stream.eof:
            return
        try:
            self._body += self._stream.decompress(chunk, self._limit + 1 - len(self._body))
        except zlib.error as exc:
            raise BodyRefused(f"its gzip is damaged ({exc}): try again later") from exc
        if len(self._body) > self._limit:
            raise _too_large(self._limit)

    def finish(self) -> bytes:
        if not self._stream.eof:
            raise BodyRefused("its gzip is cut short: try again later")
        return bytes(self._body)
