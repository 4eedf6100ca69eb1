"""A model server that speaks Anthropic's Messages dialect, over httpx, always streamed.

Instructions stand apart from the messages there, the first message is the user's, and a stream is
whole once `message_stop` has come. Whatever the server does wrong becomes `Unavailable`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt, ToolForm
from gateway.adapters.model_http import CONNECT_S, ModelHttp, Part, finish
from gateway.adapters.tool_calls import Calls, arguments_of, spelled_out
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
        self._tools = settings.tools
        url = settings.url.rstrip("/") + "/messages"
        self._http = ModelHttp(url, headers, transport, connect_s)

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; what came together is one piece. Raises `Unavailable`."""
        calls = self._tools and bool(prompt.tools or prompt.exchanges)
        parts: frozenset[Part] = frozenset({"tools"}) if calls else frozenset()
        events = self._http.events(lambda taken: self._body(prompt, taken), parts)
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

    def _body(self, prompt: Prompt, parts: frozenset[Part]) -> Mapping[str, object]:
        calls = "tools" in parts
        system, messages = apart(prompt.messages if calls else spelled_out(prompt))
        body: dict[str, object] = {
            "model": self.model,
            "max_tokens": prompt.max_tokens,
            "messages": [*messages, *(_exchanged(prompt) if calls else ())],
            "stream": True,
        }
        if system:
            body["system"] = system
        if calls and prompt.tools:
            body["tools"] = [_tool(form) for form in prompt.tools]
            if not prompt.may_call:
                body["tool_choice"] = {"type": "none"}
        return body


def _tool(form: ToolForm) -> dict[str, object]:
    return {
        "name": form.name,
        "description": form.description,
        "input_schema": form.parameters,
    }


def _exchanged(prompt: Prompt) -> Iterator[dict[str, object]]:
    """What the model called before, and what came of it, as blocks of two messages each."""
    for exchange in prompt.exchanges:
        said: list[dict[str, object]] = []
        if exchange.text.strip():
            said.append({"type": "text", "text": exchange.text})
        said += (
            {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_of(call)}
            for call in exchange.calls
        )
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": result}
            for call, result in zip(exchange.calls, exchange.results, strict=True)
        ]
        yield {"role": "assistant", "content": said}
        yield {"role": "user", "content": results}


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
    calls: Calls = field(default_factory=Calls)

    def feed(self, datas: list[bytes]) -> Piece | None:
        """What these events add to the reply; calls only once it has ended."""
        texts: list[str] = []
        thoughts: list[str] = []
        counted: Usage | None = None
        before = self.calls.characters
        for data in datas:
            text, thought, usage = self._event(data)
            texts.append(text)
            thoughts.append(thought)
            counted = usage or counted
        calls = self.calls.whole() if self.ended else ()
        piece = Piece("".join(texts), counted, "".join(thoughts), calls=calls)
        goes_on = self.calls.characters > before
        return piece if goes_on or piece != Piece() else None

    def _event(self, data: bytes) -> tuple[str, str, Usage | None]:
        try:
            event = json.loads(data)
            kind = event["type"]
            delta = event.get("delta") or {}
            usage = (event.get("message") or event).get("usage") or {}
            text, thought = _spoken(delta) if kind == "content_block_delta" else ("", "")
            self._call(kind, event, delta)
            counted = self._counted(usage) if kind.startswith("message_") else None
        except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
            raise Unavailable("the model server sent something else than its dialect") from exc
        if kind == "error":
            raise Unavailable("the model server broke its stream off with an error")
        self.ended = self.ended or kind == "message_stop"
        return text, thought, counted

    def _call(self, kind: str, event: Mapping[str, Any], delta: Mapping[str, Any]) -> None:
        """A call begins as a block, and its arguments follow as JSON in parts."""
        if kind == "content_block_start":
            block = event["content_block"]
            if block["type"] == "tool_use":
                self.calls.add(event["index"], call_id=block["id"], name=block["name"])
        elif delta.get("type") == "input_json_delta":
            self.calls.add(event["index"], arguments=delta.get("partial_json") or "")

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
