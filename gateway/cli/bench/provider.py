"""A model server for benchmarks and tests: OpenAI's chat dialect and Anthropic's, by the path that
is asked, and nothing behind them.

Decides how a request goes from a script: each takes the next step, and when none is left all are
answered at once. It can also fail in the ways that real servers do: hang, stall after the first
word, reset, send garbage, half a stream or an error in its middle, refuse, be busy, or not take
what it is asked. A plain ASGI app, so that it costs little beside what is measured.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from starlette.types import Receive, Scope, Send

Step = Literal[
    "instant", "hang", "stall", "reset", "garbage", "half", "error", "refuse", "busy", "decline"
]

REPLY: Final = (
    "For a garden lamp outdoors in winter that gauge of wire suits which suits a lamp outdoors: "
    "a garden lamp outdoors suits such a wire in winter."
)
PATH: Final = "/v1/chat/completions"
ANTHROPIC_PATH: Final = "/v1/messages"
_REFUSALS: Final[Mapping[str, tuple[int, bytes]]] = {
    "refuse": (503, b'{"error":{"message":"overloaded"}}'),
    "busy": (429, b'{"error":{"message":"too many requests"}}'),
    "decline": (400, b'{"error":{"message":"the prompt is too long"}}'),
}
_WORDS_A_PIECE: Final = 2
_REMEMBERED: Final = 64


class Provider:
    """The app. `asked` keeps the newest request bodies, as they came."""

    def __init__(
        self, script: Iterable[Step] = (), reply: str = REPLY, retry_after: str = "1"
    ) -> None:
        self.script: deque[Step] = deque(script)
        self.asked: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._dialects = {PATH: _openai_events(reply), ANTHROPIC_PATH: _anthropic_events(reply)}
        self._retry_after = retry_after.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            return
        self.asked.append(await _body(receive))
        step = self.script.popleft() if self.script else "instant"
        pieces = self._dialects.get(scope["path"]) if scope["method"] == "POST" else None
        if pieces is None:
            await _start(send, 404, b"application/json")
            await _end(send, b"{}")
        elif step in _REFUSALS:
            status, body = _REFUSALS[step]
            waits = [(b"retry-after", self._retry_after)] if step == "busy" else []
            await _start(send, status, b"application/json", *waits)
            await _end(send, body)
        elif step == "hang":
            await asyncio.Event().wait()
        else:
            await _start(send, 200, b"text/event-stream")
            await _stream(step, pieces, send)


async def _stream(step: Step, pieces: Sequence[bytes], send: Send) -> None:
    if step == "instant":
        for piece in pieces:
            await _more(send, piece)
        await _end(send, b"")
        return
    if step == "garbage":
        await _end(send, b"data: <html>502 Bad Gateway</html>\n\n")
        return
    # Up to the first words, whatever the dialect says before them.
    said = next(at for at, piece in enumerate(pieces) if _says(piece)) + 1
    for piece in pieces[:said]:
        await _more(send, piece)
    if step == "stall":
        await asyncio.Event().wait()
    if step == "reset":
        # The server closes the connection of an app that fails in the middle.
        raise ConnectionResetError("the script says so")
    if step == "error":
        await _end(send, _ERROR)
        return
    await _end(send, pieces[said][:20])


def create_provider() -> Provider:
    """A provider without a script, for a server that wants a factory."""
    return Provider()


_ERROR: Final = (
    b"event: error\n"
    b'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
)


def _says(piece: bytes) -> bool:
    return b'"content": "' in piece or b'"text_delta"' in piece


def _texts(reply: str) -> list[str]:
    words = reply.split(" ")
    starts = range(0, len(words), _WORDS_A_PIECE)
    texts = [" ".join(words[start : start + _WORDS_A_PIECE]) for start in starts]
    return [text if number == 0 else f" {text}" for number, text in enumerate(texts)]


def _openai_events(reply: str) -> tuple[bytes, ...]:
    words = len(reply.split(" "))
    last = {
        "choices": [],
        "usage": {"prompt_tokens": 900, "completion_tokens": words, "total_tokens": 900 + words},
    }
    return (
        *(_chunk({"choices": [_choice({"content": text})]}) for text in _texts(reply)),
        _chunk({"choices": [{**_choice({}), "finish_reason": "stop"}]}),
        _chunk(last),
        b"data: [DONE]\n\n",
    )


def _choice(delta: Mapping[str, str]) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": None}


def _chunk(extra: Mapping[str, object]) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**head, **extra}).encode() + b"\n\n"


def _anthropic_events(reply: str) -> tuple[bytes, ...]:
    message: dict[str, object] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "bench",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 900, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return (
        _event("message_start", {"message": message}),
        _event("content_block_start", {"index": 0, "content_block": block}),
        _event("ping", {}),
        *(
            _event(
                "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": one}}
            )
            for one in _texts(reply)
        ),
        _event("content_block_stop", {"index": 0}),
        _event("message_delta", {"delta": stop, "usage": {"output_tokens": len(reply.split(" "))}}),
        _event("message_stop", {}),
    )


def _event(kind: str, extra: Mapping[str, object]) -> bytes:
    data = json.dumps({"type": kind, **extra})
    return f"event: {kind}\ndata: {data}\n\n".encode()


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _start(send: Send, status: int, media_type: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", media_type), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body})
