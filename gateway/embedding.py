"""An embedder that remembers, in the gateway's cache.

Decides what counts as the same text (Unicode's NFC, white space once) and how long its vector is
kept: seven days after it was last wanted. What is kept is `embedding:v1:<model>:<SHA-256>`, of the
normalised text with its purpose before it, as 32-bit floats in base64. A cache that fails, or is
full, costs time alone: everything in it can be made again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import struct
import unicodedata
from collections.abc import Sequence
from typing import Final

from core.digest import sha256_hex
from core.errors import Unavailable
from core.ports import Cache, Embedder, Purpose, Vector

KEPT_S: Final = 7 * 86_400.0
_NUMBER: Final = 4
_AT_ONCE: Final = 32
_log = logging.getLogger(__name__)


class CachedEmbedder:
    """An `Embedder` before another, whose vectors it keeps."""

    def __init__(self, embedder: Embedder, cache: Cache) -> None:
        self._embedder = embedder
        self._cache = cache

    @property
    def model(self) -> str:
        """The name of the model."""
        return self._embedder.model

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        """A vector for each text; raises `Unavailable` where one is neither kept nor made."""
        wanted = [normalised(text) for text in texts]
        found = await self._kept(list(dict.fromkeys(wanted)), purpose)
        missing = [text for text in dict.fromkeys(wanted) if text not in found]
        if missing:
            made = await self._embedder.embed(missing, purpose)
            found |= dict(zip(missing, made, strict=True))
            if len({len(vector) for vector in found.values()}) > 1:
                # The model has others by now under its old name: what was kept counts no more.
                stale = [text for text in found if text not in missing]
                remade = await self._embedder.embed(stale, purpose)
                found |= dict(zip(stale, remade, strict=True))
        await self._keep(found, purpose)
        return [found[text] for text in wanted]

    async def _kept(self, texts: Sequence[str], purpose: Purpose) -> dict[str, Vector]:
        keys = [key_of(self.model, text, purpose) for text in texts]
        values: list[str | None] = []
        try:
            for start in range(0, len(keys), _AT_ONCE):
                values += await asyncio.gather(
                    *map(self._cache.get, keys[start : start + _AT_ONCE])
                )
        except Unavailable as error:
            _log.info("kept embeddings cannot be read: %s", error)
            return {}
        read = zip(texts, map(_unpacked, values), strict=True)
        return {text: vector for text, vector in read if vector}

    async def _keep(self, vectors: dict[str, Vector], purpose: Purpose) -> None:
        """Keep what was made, and what was wanted again for as long anew."""
        rows = [
            (key_of(self.model, text, purpose), packed(vector)) for text, vector in vectors.items()
        ]
        try:
            for start in range(0, len(rows), _AT_ONCE):
                own = rows[start : start + _AT_ONCE]
                await asyncio.gather(*(self._cache.put(*row, KEPT_S) for row in own))
        except Unavailable as error:
            _log.info("embeddings cannot be kept: %s", error)


def normalised(text: str) -> str:
    """The text as it is embedded, and told apart from others."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def key_of(model: str, text: str, purpose: Purpose) -> str:
    """Where the cache keeps the vector of a normalised text."""
    return f"embedding:v1:{model}:{sha256_hex(f'{purpose}: {text}')}"


def packed(vector: Vector) -> str:
    """32-bit floats, lowest byte first, in base64: the cache's values are text."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _unpacked(value: str | None) -> Vector:
    """The vector of a value; nothing where there is none."""
    try:
        data = base64.b64decode(value or "", validate=True)
        return struct.unpack(f"<{len(data) // _NUMBER}f", data)
    except (binascii.Error, ValueError, struct.error):
        return ()
