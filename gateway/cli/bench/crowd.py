"""Visitors who do not give up until they are answered, whatever becomes of the gateway.

They sign real calls over HTTP, and repeat one under the same key until it is taken. What a visitor
was told counts as acknowledged, and nothing else does.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from core.encoding import timestamp
from core.escalation import escalation_id
from core.ports import Clock
from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.mortal import SITE, TOKEN, Mortal

FALLBACK: Final = "A person will answer here."
_AGAIN_S: Final = 0.05
_AGAIN: Final = frozenset({401, 409, 503})
"""Signed before the gateway began again, begun before it was killed, or not up yet."""
_BY_GATEWAY: Final = 0.5
_BY_BROWSER: Final = 0.7
_PAGE: Final = 100


@dataclass
class Told:
    """An escalation as its visitor knows it; `contact` where the browser's request was taken."""

    question: str
    contact: str | None = None


@dataclass
class Crowd:
    """Visitors at one gateway, and what they were told, by escalation."""

    gateway: Mortal
    client: httpx.AsyncClient
    chance: random.Random
    clock: Clock = time.time
    told: dict[str, Told] = field(default_factory=dict)
    leaving: bool = False
    _numbers: count[int] = field(default_factory=count)

    async def visit(self) -> None:
        """One visitor, from opening a session until everyone leaves; raises `BenchError`."""
        visitor = Visitor(self.client, self.gateway.url, SITE, clock=self.clock)
        await self._arrive(visitor)
        while not self.leaving:
            await self._ask(visitor, f"question {next(self._numbers)}: qwrtz plmkn xcvbg")

    async def _ask(self, visitor: Visitor, question: str) -> None:
        """Ask what nobody knows; the gateway escalates it, the browser does, or one after the
        other."""
        chat = visitor.chat_body(question)
        wanted = escalation_id(anonymous(SITE, visitor.keyid), str(chat["turn_id"]))
        asked = self.chance.random() < _BY_GATEWAY
        if asked:
            turn = await self._send(visitor, "/v1/chat", chat)
            if turn is None:
                return
            if not turn["escalate"]:
                raise BenchError(f"the gateway answered what nobody knows: {turn}")
            self.told[wanted] = Told(question)
        if not asked or self.chance.random() < _BY_BROWSER:
            contact = f"{secrets.token_hex(4)}@example.com"
            taken = await self._send(visitor, "/v1/escalations", _escalation(chat, contact))
            if taken is None:
                return
            if taken["escalation_id"] != wanted:
                raise BenchError(f"{wanted} was acknowledged as {taken['escalation_id']}")
            self.told[wanted] = Told(question, contact)

    async def _arrive(self, visitor: Visitor) -> None:
        while not self.leaving:
            try:
                await visitor.open_session()
            except (httpx.TransportError, httpx.HTTPStatusError):
                # Killed, or signed in the second before the gateway began.
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def _send(
        self, visitor: Visitor, path: str, body: dict[str, object]
    ) -> dict[str, Any] | None:
        """Send the same body under the same key until it is taken; None when everyone leaves."""
        key = secrets.token_urlsafe(16)
        while not self.leaving:
            try:
                await visitor.keep_session()
                response = await visitor.call("POST", path, body, key=key)
            except (httpx.TransportError, httpx.HTTPStatusError):
                await asyncio.sleep(_AGAIN_S)
                continue
            if response.is_success:
                document: dict[str, Any] = response.json()
                return document
            if response.status_code not in _AGAIN:
                raise BenchError(f"{path} was refused: {response.text[:300]}")
            await asyncio.sleep(_AGAIN_S)
        return None


def _escalation(chat: dict[str, Any], contact: str) -> dict[str, object]:
    question = chat["message"]["content"]
    return {
        "turn_id": chat["turn_id"],
        "conversation_id": chat["conversation_id"],
        "question": question,
        "fallback_text": FALLBACK,
        "reason": "low_confidence",
        "confidence": 0.1,
        "conversation_tail": [{"role": "user", "content": question}],
        "locale": "en",
        "contact": contact,
        "contact_consent": "You may write to me about this question.",
        "timestamp": timestamp(1_790_000_000),
    }


async def operators_list(gateway: Mortal, client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Every escalation that an operator sees, by id; raises `httpx.HTTPError`."""
    base, host = f"http://127.0.0.1:{gateway.port}", f"console.localhost:{gateway.port}"
    headers = {"host": host}
    opened = await client.post(
        f"{base}/v1/operator/session", json={"token": TOKEN}, headers=headers
    )
    # This is not TLS, so the cookie is kept by hand.
    headers["cookie"] = opened.raise_for_status().headers["set-cookie"].partition(";")[0]
    found: dict[str, dict[str, Any]] = {}
    query = f"?status=all&limit={_PAGE}"
    while True:
        page = await client.get(f"{base}/v1/escalations{query}", headers=headers)
        document = page.raise_for_status().json()
        found |= {item["id"]: item for item in document["items"]}
        if document["next"] is None:
            return found
        query = f"?status=all&limit={_PAGE}&before={document['next']}"
