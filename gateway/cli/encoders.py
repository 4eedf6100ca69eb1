"""What `fanlight check` says of the servers that embed and rerank.

Decides when one is fit: it answers one question as the gateway would ask it. Calls nobody unless it
is asked to, and says nothing of what is not set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from core.errors import Unavailable
from gateway.cli.finding import Finding
from gateway.settings import Secret, Settings

if TYPE_CHECKING:
    from gateway.services import Encoders

ENCODER_KEYS: Final = ("embeddings.", "rerank.", "FANLIGHT_EMBEDDINGS_", "FANLIGHT_RERANK_")
_REMEDY: Final = "Correct the address, the kind, the model's name or the key, or start that server."

type Ask = Callable[["Encoders"], Awaitable[str]]


def encoders(settings: Settings, *, online: bool) -> list[Finding]:
    """One finding for each server that is set."""
    found = []
    if settings.embeddings is not None:
        where = ("embeddings", "embeddings.url", settings.embeddings.url)
        found.append(_looked_at(where, settings, _embed, online=online))
    if settings.rerank is not None:
        where = ("reranking", "rerank.url", settings.rerank.url)
        found.append(_looked_at(where, settings, _rerank, online=online))
    return found


def _looked_at(
    where: tuple[str, str, str], settings: Settings, ask: Ask, *, online: bool
) -> Finding:
    name, key, url = where
    if not online:
        return Finding(name, "skipped", key, f"{url} was not called; --online does")
    try:
        # Without Redis: what is kept there would answer for the server.
        detail = asyncio.run(_asked(replace(settings, redis_url=Secret("")), ask))
    except Unavailable as error:
        return Finding(name, "failed", key, f"{url}: {error}", _REMEDY)
    return Finding(name, "ok", key, f"{url} {detail}")


async def _asked(settings: Settings, ask: Ask) -> str:
    # All that serves comes with it, which other commands do without.
    from gateway.services import open_encoders  # noqa: PLC0415

    async with open_encoders(settings) as opened:
        return await ask(opened)


async def _embed(opened: Encoders) -> str:
    assert opened.embedder is not None  # noqa: S101 - it is asked where it is set
    (vector,) = await opened.embedder.embed(["Hello"], "query")
    return f"gives vectors of {len(vector)} dimensions"


async def _rerank(opened: Encoders) -> str:
    assert opened.reranker is not None  # noqa: S101 - it is asked where it is set
    await opened.reranker.rerank("Hello", ["Hello", "Goodbye"])
    return "ranks passages"
