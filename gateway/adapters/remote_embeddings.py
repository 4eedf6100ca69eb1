"""Embeddings from a server: in OpenAI's dialect, or text-embeddings-inference's `/embed`.

Decides how much is asked at once (`AT_ONCE` texts), how long each answer may take, and what counts
as one: a vector for each text, of numbers, all of the same dimensions, which the settings or the
first answer say. Vectors are brought to length 1. What is longer than `MOST_TEXT` is cut off.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx

from core.breaker import Breaker
from core.ports import Clock, Purpose, Vector
from gateway.adapters.model_calls import BadAnswer, Bounds, ModelCalls
from gateway.settings import EmbeddingSettings

AT_ONCE: Final = 32
DEADLINE_S: Final = 10.0
MOST_TEXT: Final = 8_000
"""Characters: more than any of these models reads."""

MOST_BYTES: Final = 8 << 20
"""Of one answer: 32 vectors of 8,192 numbers."""


class _Dialect(Protocol):
    """How one kind of server is asked, and what it answers."""

    path: str

    def body(self, model: str, texts: Sequence[str], purpose: Purpose) -> Mapping[str, object]:
        """The question."""

    def rows(self, said: Any) -> list[Any]:
        """The vectors; raises what reading another form raises."""


class _OpenAi:
    path = "/embeddings"

    def body(self, model: str, texts: Sequence[str], purpose: Purpose) -> Mapping[str, object]:
        return {"model": model, "input": list(texts), "encoding_format": "float"}

    def rows(self, said: Any) -> list[Any]:
        rows = sorted(said["data"], key=lambda row: int(row["index"]))
        return [row["embedding"] for row in rows]


class _Fanlight(_OpenAi):
    """OpenAI's dialect, with what a text is for: the server knows its models' prefixes."""

    def body(self, model: str, texts: Sequence[str], purpose: Purpose) -> Mapping[str, object]:
        return {**super().body(model, texts, purpose), "input_type": purpose}


class _Tei:
    path = "/embed"

    def body(self, model: str, texts: Sequence[str], purpose: Purpose) -> Mapping[str, object]:
        return {"inputs": list(texts), "truncate": True}

    def rows(self, said: Any) -> list[Any]:
        return list(said)


_DIALECTS: Final[Mapping[str, _Dialect]] = {
    "fanlight": _Fanlight(),
    "openai": _OpenAi(),
    "tei": _Tei(),
}


class RemoteEmbedder:
    """An `Embedder` over HTTP."""

    def __init__(
        self,
        settings: EmbeddingSettings,
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.model = settings.model
        self._dialect = _DIALECTS[settings.kind]
        self._prefixes = {"query": settings.query_prefix, "passage": settings.passage_prefix}
        self._dimensions = settings.dimensions
        bounds = Bounds(deadline_s, MOST_BYTES)
        self._calls = ModelCalls(settings.url, settings.key, transport, Breaker(clock), bounds)

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        """A vector for each text; raises `Unavailable`."""
        prefix = self._prefixes[purpose]
        cut = [prefix + text[:MOST_TEXT] for text in texts]
        vectors: list[Vector] = []
        for start in range(0, len(cut), AT_ONCE):
            vectors += await self._batch(cut[start : start + AT_ONCE], purpose)
        return vectors

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _batch(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        def read(said: Any) -> list[Vector]:
            vectors = [_unit(row) for row in self._dialect.rows(said)]
            if len(vectors) != len(texts):
                raise BadAnswer(f"{len(vectors)} vectors for {len(texts)} texts")
            wanted = self._dimensions or len(vectors[0])
            for vector in vectors:
                if len(vector) != wanted:
                    raise BadAnswer(
                        f"a vector of {len(vector)} dimensions, not {wanted} "
                        "(embeddings.dimensions)"
                    )
            return vectors

        body = self._dialect.body(self.model, texts, purpose)
        vectors = await self._calls.ask(self._dialect.path, body, read)
        self._dimensions = len(vectors[0])
        return vectors


def _unit(row: Any) -> Vector:
    """A vector of length 1; raises `BadAnswer` where it has no direction."""
    numbers = [float(each) for each in row]
    length = math.hypot(*numbers)
    if not 0 < length < math.inf:
        raise BadAnswer("a vector without a direction")
    return array("f", (each / length for each in numbers))
