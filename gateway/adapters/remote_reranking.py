"""Reranking by a server: text-embeddings-inference's `/rerank`, or Cohere's, which others speak.

Decides how much is asked at once, and how long all of it may take: a person waits. What counts as
an answer is a score, a number, for each passage.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from core.breaker import Breaker
from core.errors import Unavailable
from core.ports import Clock
from gateway.adapters.model_calls import BadAnswer, Bounds, ModelCalls
from gateway.settings import RerankSettings

AT_ONCE: Final = 32
DEADLINE_S: Final = 3.0
MOST_TEXT: Final = 4_000
MOST_BYTES: Final = 1 << 20


class RemoteReranker:
    """A `Reranker` over HTTP."""

    def __init__(
        self,
        settings: RerankSettings,
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._settings = settings
        self._deadline_s = deadline_s
        bounds = Bounds(deadline_s, MOST_BYTES)
        self._calls = ModelCalls(settings.url, settings.key, transport, Breaker(clock), bounds)

    async def rerank(self, query: str, passages: Sequence[str]) -> list[float]:
        """A score for each passage, higher is better; raises `Unavailable`."""
        cut = [passage[:MOST_TEXT] for passage in passages]
        batches = [cut[start : start + AT_ONCE] for start in range(0, len(cut), AT_ONCE)]
        try:
            async with asyncio.timeout(self._deadline_s):
                return [
                    score
                    for each in batches
                    for score in await self._batch(query[:MOST_TEXT], each)
                ]
        except TimeoutError as exc:
            detail = f"reranking took longer than {self._deadline_s:g} s"
            raise Unavailable(detail) from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _batch(self, query: str, passages: Sequence[str]) -> list[float]:
        def read(said: Any) -> list[float]:
            tei = self._settings.kind == "tei"
            rows, name = (said, "score") if tei else (said["results"], "relevance_score")
            scores = {int(row["index"]): float(row[name]) for row in rows}
            if scores.keys() != set(range(len(passages))):
                raise BadAnswer(f"{len(scores)} scores for {len(passages)} passages")
            if not all(map(math.isfinite, scores.values())):
                raise BadAnswer("a score that is no number")
            return [scores[at] for at in range(len(passages))]

        return await self._calls.ask("/rerank", self._body(query, passages), read)

    def _body(self, query: str, passages: Sequence[str]) -> Mapping[str, Any]:
        if self._settings.kind == "tei":
            return {"query": query, "texts": list(passages), "truncate": True}
        return {"model": self._settings.model, "query": query, "documents": list(passages)}
