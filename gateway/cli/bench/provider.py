"""A model server for benchmarks and tests: OpenAI's chat dialect and Anthropic's, by the path that
is asked, and nothing behind them.

Decides how a request goes from a script: each takes the next step, and when none is left all are
answered at once. It can also fail in the ways that real servers do: hang, stall after the first
word, reset, send garbage, half a stream or an error in its middle, refuse, be busy, or not take
what it is asked. A step may be calls of tools, in parts as real servers send them. It tells how
likely its words are where it is asked for that and has a number. A plain ASGI app, so that it costs
little beside what is measured.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from starlette.types import Receive, Scope, Send

Failure = Literal[
    "instant", "hang", "stall", "reset", "garbage", "half", "error", "refuse", "busy", "decline"
]


@dataclass(frozen=True, slots=True)
class Calling:
    """Calls of tools, each by its name with arguments in JSON, after a `text` if there is one."""

    calls: tuple[tuple[str, str], ...]
    text: str = ""


Step = Failure | Calling

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
_REFUSED: Final = b'{"error":{"message":"%s is not supported with this model."}}'
_WORDS_A_PIECE: Final = 2
_CUT: Final = 7
"""Letters of a part of a call's arguments."""
_REMEMBERED: Final = 64


class Provider:
    """The app. `asked` keeps the newest request bodies, as they came.

    Parts of a request that are `unknown` here, such as `tools`, are refused by their names.
    """

    def __init__(
        self,
        script: Iterable[Step] = (),
        reply: str = REPLY,
        retry_after: str = "1",
        *,
        unknown: Sequence[str] = (),
        logprob: float | None = None,
    ) -> None:
        self.script: deque[Step] = deque(script)
        self.asked: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._dialects = {PATH: _openai_events(reply), ANTHROPIC_PATH: _anthropic_events(reply)}
        self._likely = _openai_events(reply, logprob) if logprob is not None else None
        self._unknown = tuple(unknown)
        self._retry_after = retry_after.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        self.asked.append(body)
        refused = next((name for name in self._unknown if f'"{name}":'.encode() in body), None)
        if refused:
            await _start(send, 400, b"application/json")
            await _end(send, _REFUSED % refused.encode())
            return
        step = self.script.popleft() if self.script else "instant"
        pieces = self._pieces(scope, step, body)
        if pieces is None:
            await _start(send, 404, b"application/json")
            await _end(send, b"{}")
        elif not isinstance(step, Calling) and step in _REFUSALS:
            status, body = _REFUSALS[step]
            waits = [(b"retry-after", self._retry_after)] if step == "busy" else []
            await _start(send, status, b"application/json", *waits)
            await _end(send, body)
        elif step == "hang":
            await asyncio.Event().wait()
        else:
            await _start(send, 200, b"text/event-stream")
            await _stream("instant" if isinstance(step, Calling) else step, pieces, send)

    def _pieces(self, scope: Scope, step: Step, body: bytes) -> Sequence[bytes] | None:
        """What is said to this request, in the dialect of its path; None for another path."""
        path = scope["path"]
        if scope["method"] != "POST" or path not in self._dialects:
            return None
        if isinstance(step, Calling):
            return _openai_calls(step) if path == PATH else _anthropic_calls(step)
        if self._likely is not None and path == PATH and b'"logprobs":true' in body:
            return self._likely
        return self._dialects[path]


async def _stream(step: Failure, pieces: Sequence[bytes], send: Send) -> None:
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


def _openai_events(reply: str, logprob: float | None = None) -> tuple[bytes, ...]:
    said = [_choice({"content": text}, text, logprob) for text in _texts(reply)]
    return (*(_chunk({"choices": [each]}) for each in said), *_openai_end("stop", reply))


def _openai_calls(step: Calling) -> tuple[bytes, ...]:
    """Calls as OpenAI streams them: a beginning with the name, then parts of the arguments."""
    deltas: list[Mapping[str, object]] = [{"content": step.text}] if step.text else []
    for index, (name, arguments) in enumerate(step.calls):
        function: Mapping[str, str] = {"name": name, "arguments": ""}
        begun = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        deltas.append({"tool_calls": [begun]})
        parts = [{"index": index, "function": {"arguments": part}} for part in _parts(arguments)]
        deltas += ({"tool_calls": [part]} for part in parts)
    said = [_chunk({"choices": [_choice(delta)]}) for delta in deltas]
    return (*said, *_openai_end("tool_calls", step.text))


def _openai_end(reason: str, reply: str) -> tuple[bytes, ...]:
    words = len(reply.split(" "))
    usage = {"prompt_tokens": 900, "completion_tokens": words, "total_tokens": 900 + words}
    return (
        _chunk({"choices": [{**_choice({}), "finish_reason": reason}]}),
        _chunk({"choices": [], "usage": usage}),
        b"data: [DONE]\n\n",
    )


def _parts(arguments: str) -> list[str]:
    return [arguments[at : at + _CUT] for at in range(0, len(arguments), _CUT)]


def _choice(
    delta: Mapping[str, object], text: str = "", logprob: float | None = None
) -> dict[str, object]:
    token: dict[str, object] = {
        "token": text,
        "logprob": logprob,
        "bytes": None,
        "top_logprobs": [],
    }
    told = {"logprobs": {"content": [token], "refusal": None}} if logprob is not None else {}
    return {"index": 0, "delta": delta, "finish_reason": None, **told}


def _chunk(extra: Mapping[str, object]) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**head, **extra}).encode() + b"\n\n"


def _anthropic_events(reply: str) -> tuple[bytes, ...]:
    return (
        *_anthropic_start(),
        *_anthropic_block(0, {"type": "text", "text": ""}, _text_deltas(reply)),
        *_anthropic_end("end_turn", reply),
    )


def _anthropic_calls(step: Calling) -> tuple[bytes, ...]:
    """Calls as Anthropic streams them: a block each, its arguments in parts of JSON."""
    blocks: list[bytes] = []
    if step.text:
        blocks += _anthropic_block(0, {"type": "text", "text": ""}, _text_deltas(step.text))
    for number, (name, arguments) in enumerate(step.calls):
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        deltas = [
            {"type": "input_json_delta", "partial_json": part} for part in ("", *_parts(arguments))
        ]
        blocks += _anthropic_block(number + bool(step.text), block, deltas)
    return (*_anthropic_start(), *blocks, *_anthropic_end("tool_use", step.text))


def _text_deltas(reply: str) -> list[dict[str, str]]:
    return [{"type": "text_delta", "text": text} for text in _texts(reply)]


def _anthropic_start() -> tuple[bytes, ...]:
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
    return (_event("message_start", {"message": message}), _event("ping", {}))


def _anthropic_block(
    index: int, block: Mapping[str, object], deltas: Iterable[Mapping[str, str]]
) -> tuple[bytes, ...]:
    return (
        _event("content_block_start", {"index": index, "content_block": block}),
        *(_event("content_block_delta", {"index": index, "delta": one}) for one in deltas),
        _event("content_block_stop", {"index": index}),
    )


def _anthropic_end(reason: str, reply: str) -> tuple[bytes, ...]:
    stop = {"stop_reason": reason, "stop_sequence": None}
    usage = {"output_tokens": len(reply.split(" "))}
    return (
        _event("message_delta", {"delta": stop, "usage": usage}),
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
