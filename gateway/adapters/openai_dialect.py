"""A model server that speaks OpenAI's chat dialect, over httpx, always streamed.

So do OpenAI, vLLM, Ollama, llama.cpp, Workers AI and Fanlight's own server. What a model thinks
before it answers comes as `reasoning_content` or `reasoning`, by the server's taste. Whatever the
server does wrong becomes `Unavailable`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.adapters.model_http import CONNECT_S, MAX_LINE, ModelHttp, finish
from gateway.settings import ModelSettings

__all__ = ["MAX_LINE", "OpenAiTransport"]

OPENAI: Final = "api.openai.com"
"""It bounds a reply with its thoughts by another name; what others speak is its older dialect."""

_REASONING: Final = ("reasoning_content", "reasoning")


class OpenAiTransport:
    """`POST <url>/chat/completions` with `stream: true`."""

    def __init__(
        self,
        settings: ModelSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        connect_s: float = CONNECT_S,
    ) -> None:
        self.model = settings.model
        url = httpx.URL(settings.url.rstrip("/") + "/chat/completions")
        self._limit = "max_completion_tokens" if url.host == OPENAI else "max_tokens"
        key = {"authorization": f"Bearer {settings.key.reveal()}"} if settings.key else {}
        self._http = ModelHttp(str(url), key, transport, connect_s)

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; what came together is one piece. Raises `Unavailable`."""
        body = {
            "model": self.model,
            "messages": list(prompt.messages),
            self._limit: prompt.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        events = self._http.events(body)
        try:
            async for datas in events:
                piece, last = _read(datas)
                if piece is not None:
                    yield piece
                if last:
                    await finish(events)
                    return
        finally:
            await events.aclose()  # type: ignore[attr-defined]
        raise Unavailable("the model server ended its stream early")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _read(datas: list[bytes]) -> tuple[Piece | None, bool]:
    """What these events add to the reply, and whether they end it."""
    texts: list[str] = []
    thoughts: list[str] = []
    counted: Usage | None = None
    last = False
    for data in datas:
        if data == b"[DONE]":
            last = True
            break
        text, thought, usage = _event(data)
        texts.append(text)
        thoughts.append(thought)
        counted = usage or counted
    text, thought = "".join(texts), "".join(thoughts)
    return (Piece(text, counted, thought) if text or thought or counted else None), last


def _event(data: bytes) -> tuple[str, str, Usage | None]:
    try:
        event = json.loads(data)
        failed = event.get("error")
        choices = event.get("choices") or [{}]
        delta = choices[0].get("delta") or {}
        text = delta.get("content") or delta.get("refusal") or ""
        thought = next((delta[name] for name in _REASONING if delta.get(name)), "")
        usage = event.get("usage")
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
        raise Unavailable("the model server sent something else than its dialect") from exc
    if failed:
        raise Unavailable("the model server broke its stream off with an error")
    if not isinstance(text, str) or not isinstance(thought, str):
        raise Unavailable("the model server sent content that is no text")
    return text, thought, _usage(usage)


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)
