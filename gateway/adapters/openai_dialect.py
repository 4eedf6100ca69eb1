"""A model server that speaks OpenAI's chat dialect, over httpx, always streamed.

Whatever the server does wrong (refuses, resets, sends garbage or half a stream) becomes
`Unavailable` here. Deadlines are the pipeline's; this adapter only bounds the connection.

It talks to httpx's transport, not to its client: there is no redirect to follow, no cookie and no
compression, and a client's work for those costs as much again as the request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.settings import ModelSettings

CONNECT_S = 2.0
READ_S = 60.0
END_S = 0.1
"""How long the end of a stream whose last event has come is waited for."""

MAX_LINE = 1 << 20
_TIMEOUT = httpx.Timeout(READ_S, connect=CONNECT_S).as_dict()
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64)


class OpenAiTransport:
    """`POST <url>/chat/completions` with `stream: true`."""

    def __init__(
        self, settings: ModelSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.model = settings.model
        self._url = httpx.URL(settings.url.rstrip("/") + "/chat/completions")
        self._headers = {
            "accept": "text/event-stream",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "fanlight",
        }
        if settings.key:
            self._headers["authorization"] = f"Bearer {settings.key.reveal()}"
        self._transport = transport or httpx.AsyncHTTPTransport(limits=_LIMITS, trust_env=False)

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; what came together is one piece. Raises `Unavailable`."""
        try:
            response = await self._transport.handle_async_request(self._request(prompt))
            try:
                if response.status_code != 200:
                    raise Unavailable(f"the model server answered {response.status_code}")
                async for piece in _pieces(response):
                    yield piece
            finally:
                await response.aclose()
        except httpx.HTTPError as exc:
            raise Unavailable(f"the model server failed: {type(exc).__name__}") from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _request(self, prompt: Prompt) -> httpx.Request:
        body = {
            "model": self.model,
            "messages": list(prompt.messages),
            "max_tokens": prompt.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        extensions = {"timeout": _TIMEOUT}
        return httpx.Request(
            "POST", self._url, headers=self._headers, content=content, extensions=extensions
        )


async def _pieces(response: httpx.Response) -> AsyncIterator[Piece]:
    """Server-sent events until `[DONE]`; a stream that ends before it is cut off."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise Unavailable("the model server's answer cannot be streamed")
    chunks = aiter(response.stream)
    rest = b""
    async for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if max(map(len, lines), default=0) > MAX_LINE or len(rest) > MAX_LINE:
            raise Unavailable("the model server sent a line that is too long")
        piece, last = _read(lines)
        if piece is not None:
            yield piece
        if last:
            await _finish(chunks)
            return
    raise Unavailable("the model server ended its stream early")


async def _finish(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left, so that the connection can be used again; the reply is whole without."""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(END_S):
            async for _ in chunks:
                pass


def _read(lines: list[bytes]) -> tuple[Piece | None, bool]:
    """What these lines add to the reply, and whether they end it."""
    texts: list[str] = []
    counted: Usage | None = None
    last = False
    for line in lines:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            last = True
            break
        text, usage = _event(data)
        texts.append(text)
        counted = usage or counted
    text = "".join(texts)
    return (Piece(text, counted) if text or counted else None), last


def _event(data: bytes) -> tuple[str, Usage | None]:
    try:
        event = json.loads(data)
        usage = event.get("usage")
        choices = event.get("choices") or [{}]
        text = (choices[0].get("delta") or {}).get("content") or ""
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
        raise Unavailable("the model server sent something else than its dialect") from exc
    if not isinstance(text, str):
        raise Unavailable("the model server sent content that is no text")
    return text, _usage(usage)


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)
