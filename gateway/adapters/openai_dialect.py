"""A model server that speaks OpenAI's chat dialect, over httpx, always streamed.

So do OpenAI, vLLM, Ollama, llama.cpp, Workers AI and Fanlight's own server. What a model thinks
before it answers comes as `reasoning_content` or `reasoning`, by the server's taste. Likelihoods
are asked for, and read where they come. Whatever the server does wrong becomes `Unavailable`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt, ToolCall, ToolForm
from gateway.adapters.model_http import CONNECT_S, MAX_LINE, ModelHttp, Part, finish
from gateway.adapters.tool_calls import Calls, arguments_of, spelled_out
from gateway.settings import ModelSettings

__all__ = ["MAX_LINE", "OpenAiTransport"]

OPENAI: Final = "api.openai.com"
"""It bounds a reply with its thoughts by another name; what others speak is its older dialect."""

LEAST_LOGPROB: Final = -20.0
"""A token that is less likely than that is as unlikely as any."""

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
        asked: dict[Part, bool] = {"tools": settings.tools, "logprobs": settings.logprobs}
        self._parts = frozenset(part for part, wanted in asked.items() if wanted)

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply's pieces; what came together is one piece. Raises `Unavailable`."""
        parts = self._parts if prompt.tools or prompt.exchanges else self._parts - {"tools"}
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
        body: dict[str, object] = {
            "model": self.model,
            "messages": _said(prompt) if calls else spelled_out(prompt),
            self._limit: prompt.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if calls and prompt.tools:
            body["tools"] = [_tool(form) for form in prompt.tools]
            if not prompt.may_call:
                body["tool_choice"] = "none"
        if "logprobs" in parts:
            body["logprobs"] = True
        return body


def _said(prompt: Prompt) -> list[object]:
    """The messages, with what the model called before in this dialect's own form."""
    messages: list[object] = list(prompt.messages)
    for exchange in prompt.exchanges:
        calls = [_call(call) for call in exchange.calls]
        messages.append(
            {"role": "assistant", "content": exchange.text or None, "tool_calls": calls}
        )
        messages += (
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(exchange.calls, exchange.results, strict=True)
        )
    return messages


def _call(call: ToolCall) -> dict[str, object]:
    arguments = json.dumps(arguments_of(call), ensure_ascii=False)
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tool(form: ToolForm) -> dict[str, object]:
    told = {"name": form.name, "description": form.description, "parameters": form.parameters}
    return {"type": "function", "function": told}


@dataclass
class _Reading:
    """A stream as far as it has come."""

    ended: bool = False
    calls: Calls = field(default_factory=Calls)
    _texts: list[str] = field(default_factory=list)
    _thoughts: list[str] = field(default_factory=list)
    _logprobs: list[float] = field(default_factory=list)
    _counted: Usage | None = None
    _goes_on: bool = False

    def feed(self, datas: list[bytes]) -> Piece | None:
        """What these events add to the reply; calls only once it has ended."""
        for data in datas:
            if data == b"[DONE]":
                self.ended = True
                break
            self._event(data)
        calls = self.calls.whole() if self.ended else ()
        text, thought = "".join(self._texts), "".join(self._thoughts)
        piece = Piece(text, self._counted, thought, tuple(self._logprobs), calls)
        tells = self._goes_on or piece != Piece()
        self._texts, self._thoughts, self._logprobs = [], [], []
        self._counted, self._goes_on = None, False
        return piece if tells else None

    def _event(self, data: bytes) -> None:
        try:
            event = json.loads(data)
            failed = event.get("error")
            choice = (event.get("choices") or [{}])[0]
            delta = choice.get("delta") or {}
            text = delta.get("content") or delta.get("refusal") or ""
            thought = next((delta[name] for name in _REASONING if delta.get(name)), "")
            for part in delta.get("tool_calls") or ():
                self._part(part)
            usage = event.get("usage")
        except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as exc:
            raise Unavailable("the model server sent something else than its dialect") from exc
        if failed:
            raise Unavailable("the model server broke its stream off with an error")
        if not isinstance(text, str) or not isinstance(thought, str):
            raise Unavailable("the model server sent content that is no text")
        self._texts.append(text)
        self._thoughts.append(thought)
        if text:
            self._logprobs += _logprobs(choice.get("logprobs"))
        self._counted = _usage(usage) or self._counted

    def _part(self, part: Mapping[str, Any]) -> None:
        function = part.get("function") or {}
        self.calls.add(
            part.get("index"),
            call_id=part.get("id") or "",
            name=function.get("name") or "",
            arguments=function.get("arguments") or "",
        )
        self._goes_on = True


def _logprobs(told: Any) -> list[float]:
    """The tokens' log-probabilities; none where they are told in another form: no reply needs them.

    Servers write -9999 for minus infinity, which JSON does not have.
    """
    try:
        found = [float(each["logprob"]) for each in told["content"]]
    except (LookupError, TypeError, ValueError):
        return []
    return [max(LEAST_LOGPROB, each) for each in found if each <= 0.0]


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)
