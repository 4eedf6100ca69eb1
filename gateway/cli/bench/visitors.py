"""Visitors for the load: their sessions, and their calls signed beforehand.

A signed request is good for one minute and one use, so each round signs its own just before it is
timed. Every visitor has a key, a session and a conversation, as one browser has.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from gateway.adapters.visitor import Visitor
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.servers import QUESTION, SITE

PLACES = ("gate", "pond", "shed", "porch", "hedge", "path", "well", "wall")


@dataclass(frozen=True, slots=True)
class Caller:
    """A visitor with a session, and its conversation."""

    visitor: Visitor
    conversation: str
    question: str


async def callers(port: int, count: int) -> list[Caller]:
    """That many visitors, each with a session at the gateway on this port.

    Raises `BenchError`.
    """
    made = []
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        for number in range(count):
            visitor = Visitor(client, f"http://localhost:{port}", SITE)
            try:
                await visitor.open_session()
            except httpx.HTTPError as error:
                raise BenchError(f"the gateway opened no session: {error}") from error
            place = f"near the {PLACES[number % len(PLACES)]} {number}"
            made.append(Caller(visitor, visitor.new_id("c"), f"{QUESTION}, {place}?"))
    return made


def body_of(caller: Caller) -> bytes:
    """A question of this visitor's, with a new turn."""
    document = caller.visitor.chat_body(caller.question, conversation_id=caller.conversation)
    return json.dumps(document).encode()


def plain(path: str, port: int, body: bytes) -> bytes:
    """An unsigned request."""
    return _request(path, port, body, {"content-type": "application/json"})


async def signed(path: str, port: int, caller: Caller) -> bytes:
    """A question of this visitor's as a signed request, with the receipt it last got, if any."""
    body = body_of(caller)
    fields = {
        "authorization": f"Bearer {caller.visitor.token}",
        "content-type": "application/json",
        "idempotency-key": secrets.token_urlsafe(16),
    }
    if caller.visitor.receipt is not None:
        fields["x-integrity"] = caller.visitor.receipt
    return _request(path, port, body, await caller.visitor.sign("POST", path, body, fields))


async def all_signed(path: str, port: int, callers: Sequence[Caller], count: int) -> list[bytes]:
    """That many signed requests, the visitors taking turns."""
    return [await signed(path, port, callers[number % len(callers)]) for number in range(count)]


def _request(path: str, port: int, body: bytes, fields: dict[str, str]) -> bytes:
    head = [f"POST {path} HTTP/1.1", f"host: localhost:{port}", f"content-length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
