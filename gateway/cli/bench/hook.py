"""A webhook that checks what it is sent, and fails now and then, as real ones do.

It answers one first attempt in ten with 503 and hangs up on another without an answer, after it
has read it: at-least-once delivery is only seen where answers are lost. A second attempt of the
same message is always taken, so that no message waits for the schedule's longer pauses.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters.standard_webhooks import signature, signing_key

TAKEN: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
BUSY: Final = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
_BUSY: Final = 0.1
_SILENT: Final = 0.2


@dataclass
class Hook:
    """What came: by escalation, the times that each message id was read; and what was forged."""

    secret: str
    chance: random.Random
    read: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    taken: set[str] = field(default_factory=set)
    forged: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = _fields(head)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                said = self._judge(fields, body)
                if not said:
                    return
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the caller hung up, or was killed
        finally:
            writer.close()

    def _judge(self, fields: Mapping[str, str], body: bytes) -> bytes:
        """Give the answer; empty where there is none."""
        message = fields.get("webhook-id", "")
        seconds = int(fields.get("webhook-timestamp", "0"))
        wanted = signature(signing_key(self.secret), message, seconds, body)
        if not hmac.compare_digest(wanted, fields.get("webhook-signature", "")):
            self.forged += 1
            return BUSY
        document = json.loads(body)
        if document["type"] != "escalation.created":
            return TAKEN  # a contact that the gateway heard once the hook had the question
        escalation = document["data"]["escalation_id"]
        times = self.read[escalation]
        times[message] = times.get(message, 0) + 1
        draw = self.chance.random() if times[message] == 1 else 1.0
        if draw < _BUSY:
            return BUSY
        self.taken.add(escalation)
        return b"" if draw < _SILENT else TAKEN


@asynccontextmanager
async def hook(secret: str, chance: random.Random) -> AsyncIterator[Hook]:
    """A webhook that listens on a free port of loopback."""
    made = Hook(secret, chance)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").strip().split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
