"""A language model's server on this machine that repeats what it is told, or fails as it is told.

The question decides: `repeat:` gets its own words back, `slowly:` the same in pieces that wait for
`more`, `hang:` nothing at all, and everything else is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
REFUSED = b"HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class ModelServer:
    """The server; each `more` lets one waiting piece of a `slowly:` reply go."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """What each prompt began with."""
    _going: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The base that FANLIGHT_LLM_URL wants."""
        return f"http://127.0.0.1:{self.port}/v1"

    def more(self, pieces: int = 1) -> None:
        """Let so many pieces go."""
        for _ in range(pieces):
            self._going.release()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that can be ended."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """End whatever still waits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            told, question = await _ends(reader)
            self.told.append(told)
            self.asked.append(question)
            await self._answer(question, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gateway hung up, which it may
        finally:
            writer.close()

    async def _answer(
        self, question: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        manner, _, text = question.partition(":")
        if manner == "hang":
            await reader.read()
        elif manner == "repeat":
            writer.write(HEAD + _delta(text.strip()) + b"data: [DONE]\n\n")
        elif manner == "slowly":
            writer.write(HEAD)
            for word in text.strip().split(" "):
                await self._going.acquire()
                writer.write(_delta(f"{word} "))
                await writer.drain()
            writer.write(b"data: [DONE]\n\n")
        else:
            writer.write(REFUSED)
        await writer.drain()


async def _ends(reader: asyncio.StreamReader) -> tuple[str, str]:
    """The first message of a prompt, and its last."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length: ")[2].partition("\r")[0])
    body = json.loads(await reader.readexactly(length))
    first, last = (body["messages"][at]["content"] for at in (0, -1))
    assert isinstance(first, str)
    assert isinstance(last, str)
    return first, last


def _delta(text: str) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """The server, while it listens."""
    made = ModelServer()
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.end()
