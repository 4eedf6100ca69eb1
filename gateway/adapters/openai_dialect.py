"""A model server that speaks OpenAI's chat dialect, over httpx, always streamed.

Whatever the server does wrong (refuses, resets, sends garbage or half a stream) becomes
`Unavailable` here. Deadlines are the pipeline's; this adapter only bounds the connection.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.settings import ModelSettings

CONNECT_S = 2.0
READ_S = 60.0
MAX_LINE = 1 << 20


class OpenAiTransport:
    """`POST <url>/chat/completions` with `stream: true`."""

    def __init__(
        self, settings: ModelSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.model = settings.model
        self._url = settings.url.rstrip("/") + "/chat/completions"
        headers = {"accept": "text/event-stream"}
        if settings.key:
            headers["authorization"] = f"Bearer {settings.key.reveal()}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=256, max_keepalive_connections=64),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; raises `Unavailable`."""
        body = {
            "model": self.model,
            "messages": list(prompt.messages),
            "max_tokens": prompt.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                if response.status_code != 200:
                    raise Unavailable(f"the model server answered {response.status_code}")
                async for piece in _pieces(response):
                    yield piece
        except httpx.HTTPError as exc:
            raise Unavailable(f"the model server failed: {type(exc).__name__}") from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _pieces(response: httpx.Response) -> AsyncIterator[Piece]:
    """Server-sent events until `[DONE]`; a stream that ends before it is cut off."""
    async for line in response.aiter_lines():
        if len(line) > MAX_LINE:
            raise Unavailable("the model server sent a line that is too long")
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        piece = _piece(data)
        if piece is not None:
            yield piece
    raise Unavailable("the model server ended its stream early")


def _piece(data: str) -> Piece | None:
    try:
        event = json.loads(data)
        usage = event.get("usage")
        choices = event.get("choices") or [{}]
        text = (choices[0].get("delta") or {}).get("content") or ""
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
        raise Unavailable("the model server sent something else than its dialect") from exc
    if not isinstance(text, str):
        raise Unavailable("the model server sent content that is no text")
    counted = _usage(usage)
    return Piece(text, counted) if text or counted else None


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)
