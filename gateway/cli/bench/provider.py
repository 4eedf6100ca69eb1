"""A model server for benchmarks and tests: OpenAI's chat dialect, and nothing behind it.

Decides how a request goes from a script: each takes the next step, and when none is left all are
answered at once. It can also fail in the ways that real servers do: hang, reset, send garbage, half
a stream, or refuse. A plain ASGI app, so that it costs little beside what is measured.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from starlette.types import Receive, Scope, Send

Step = Literal["instant", "hang", "reset", "garbage", "half", "refuse"]

REPLY: Final = (
    "For a garden lamp outdoors in winter that gauge of wire suits which suits a lamp outdoors: "
    "a garden lamp outdoors suits such a wire in winter."
)
PATH: Final = "/v1/chat/completions"
_WORDS_A_PIECE: Final = 2
_REMEMBERED: Final = 64


class Provider:
    """The app. `asked` keeps the newest request bodies, as they came."""

    def __init__(self, script: Iterable[Step] = (), reply: str = REPLY) -> None:
        self.script: deque[Step] = deque(script)
        self.asked: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._pieces = _events(reply)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            return
        self.asked.append(await _body(receive))
        step = self.script.popleft() if self.script else "instant"
        if (scope["method"], scope["path"]) != ("POST", PATH):
            await _start(send, 404, b"application/json")
            await _end(send, b"{}")
        elif step == "instant":
            await self._answer(send)
        else:
            await self._fail(step, send)

    async def _answer(self, send: Send) -> None:
        await _start(send, 200, b"text/event-stream")
        for piece in self._pieces:
            await _more(send, piece)
        await _end(send, b"")

    async def _fail(self, step: Step, send: Send) -> None:
        if step == "refuse":
            await _start(send, 503, b"application/json")
            await _end(send, b'{"error":{"message":"overloaded"}}')
            return
        if step == "hang":
            await asyncio.Event().wait()
        await _start(send, 200, b"text/event-stream")
        if step == "garbage":
            await _end(send, b"data: <html>502 Bad Gateway</html>\n\n")
            return
        await _more(send, self._pieces[0])
        if step == "reset":
            # The server closes the connection of an app that fails in the middle.
            raise ConnectionResetError("the script says so")
        await _end(send, self._pieces[1][:20])


def create_provider() -> Provider:
    """A provider without a script, for a server that wants a factory."""
    return Provider()


def _events(reply: str) -> tuple[bytes, ...]:
    words = reply.split(" ")
    starts = range(0, len(words), _WORDS_A_PIECE)
    texts = [" ".join(words[start : start + _WORDS_A_PIECE]) for start in starts]
    spaced = [text if number == 0 else f" {text}" for number, text in enumerate(texts)]
    last = {
        "choices": [],
        "usage": {"prompt_tokens": 900, "completion_tokens": len(words), "total_tokens": 0},
    }
    return (
        *(_event({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in spaced),
        _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        _event(last),
        b"data: [DONE]\n\n",
    )


def _event(extra: Mapping[str, object]) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**head, **extra}).encode() + b"\n\n"


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _start(send: Send, status: int, media_type: bytes) -> None:
    headers = [(b"content-type", media_type)]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body})
