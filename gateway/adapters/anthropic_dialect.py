"""A model server that speaks Anthropic's Messages dialect, over httpx, always streamed.

Instructions stand apart from the messages there, the first message is the user's, and a stream is
whole once `message_stop` has come. Whatever the server does wrong becomes `Unavailable`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.adapters.model_http import CONNECT_S, ModelHttp, finish
from gateway.settings import ModelSettings

VERSION: Final = "2023-06-01"
_BEFORE: Final = {"role": "user", "content": "…"}
"""Stands before an answer that nothing was asked for: a conversation that was cut begins so."""


class AnthropicTransport:
    """`POST <url>/messages` with `stream: true`."""

    def __init__(
        self,
        settings: ModelSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        connect_s: float = CONNECT_S,
    ) -> None:
        self.model = settings.model
        headers = {"anthropic-version": VERSION}
        if settings.key:
            headers["x-api-key"] = settings.key.reveal()
        url = settings.url.rstrip("/") + "/messages"
        self._http = ModelHttp(url, headers, transport, connect_s)

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; what came together is one piece. Raises `Unavailable`."""
        system, messages = apart(prompt.messages)
        body: dict[str, object] = {
            "model": self.model,
            "max_tokens": prompt.max_tokens,
            "messages": messages,
            "stream": True,
        }
        if system:
            body["system"] = system
        events = self._http.events(body)
        reading = _Reading()
        try:
            async for datas in events:
                piece = reading.feed(datas)
                if piece is not None:
                    yield piece
                if reading.ended:
                    await finish(events)
                    return
        finally:
            await events.aclose()  # type: ignore[attr-defined]
        raise Unavailable("the model server ended its stream early")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def apart(messages: Sequence[Mapping[str, str]]) -> tuple[str, list[Mapping[str, str]]]:
    """The instructions, and the messages that begin with the user's."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    if others and others[0]["role"] != "user":
        others.insert(0, _BEFORE)
    return "\n\n".join(system), others


@dataclass
class _Reading:
    """A stream as far as it has come."""

    ended: bool = False
    asked: int | None = None

    def feed(self, datas: list[bytes]) -> Piece | None:
        """What these events add to the reply."""
        texts: list[str] = []
        thoughts: list[str] = []
        counted: Usage | None = None
        for data in datas:
            text, thought, usage = self._event(data)
            texts.append(text)
            thoughts.append(thought)
            counted = usage or counted
        text, thought = "".join(texts), "".join(thoughts)
        return Piece(text, counted, thought) if text or thought or counted else None

    def _event(self, data: bytes) -> tuple[str, str, Usage | None]:
        try:
            event = json.loads(data)
            kind = event["type"]
            delta = event.get("delta") or {}
            usage = (event.get("message") or event).get("usage") or {}
            text, thought = _spoken(delta) if kind == "content_block_delta" else ("", "")
            counted = self._counted(usage) if kind.startswith("message_") else None
        except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
            raise Unavailable("the model server sent something else than its dialect") from exc
        if kind == "error":
            raise Unavailable("the model server broke its stream off with an error")
        self.ended = self.ended or kind == "message_stop"
        return text, thought, counted

    def _counted(self, usage: Mapping[str, Any]) -> Usage | None:
        """What was asked is counted when the message begins, what was answered as it goes."""
        asked, answered = usage.get("input_tokens"), usage.get("output_tokens")
        if isinstance(asked, int):
            self.asked = asked
        if self.asked is None or not isinstance(answered, int):
            return None
        return Usage(self.asked, answered)


def _spoken(delta: Mapping[str, Any]) -> tuple[str, str]:
    text, thought = delta.get("text") or "", delta.get("thinking") or ""
    if not isinstance(text, str) or not isinstance(thought, str):
        raise TypeError("a delta that is no text")
    return text, thought
