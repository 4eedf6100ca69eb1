"""A real HTTP server on this machine that answers as it is told and keeps what it received."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
NEVER = b""
"""No answer at all; the connection stays open."""


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a response."""
    lines = (f"HTTP/1.1 {status} Told", f"content-length: {len(body)}", *headers)
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass
class Request:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Gives its answers in turn, the last one again and again."""

    answers: Sequence[bytes] = (OK,)
    received: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode("latin-1").strip().split("\r\n")
                headers = dict(one.lower().split(": ", 1) for one in rest)
                raw = dict(one.split(": ", 1) for one in rest)
                headers |= {name.lower(): value for name, value in raw.items()}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.received.append(Request(line, headers, body))
                said = self.answers[min(len(self.received), len(self.answers)) - 1]
                if said == NEVER:
                    await reader.read()
                    return
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the caller hung up, which it may
        finally:
            writer.close()


@asynccontextmanager
async def receiver(
    *answers: bytes, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """A receiver that listens on a free port."""
    made = Receiver(answers or (OK,))
    server = await asyncio.start_server(made.serve, host, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
