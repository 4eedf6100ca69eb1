"""A gateway that can be killed, and visitors who do not give up until they are answered.

The gateway is `fanlight run` with a file, a port and a database of its own; the visitors sign real
calls over HTTP. What a visitor was told counts as acknowledged, and nothing else does.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from core.encoding import timestamp
from core.escalation import escalation_id
from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from tests.gateway.serving import free_port

FANLIGHT = Path(sys.executable).with_name("fanlight")
SITE = "site_mortal"
TOKEN = "an-operators-token-of-a-test-9f3c"
SECRET = "whsec_bW9ydGFsLW1vcnRhbC1tb3J0YWwtbW9ydGFs"
START_S = 60
AGAIN_S = 0.05
FALLBACK = "A person will answer here."
CONFIG = """
[gateway]
port = {port}
public_url = "http://localhost:{port}"
console_url = "http://console.localhost:{port}"
private_endpoints = ["127.0.0.1:{webhook}"]

[[sites]]
key = "{site}"
name = "Mortal"
origins = ["http://localhost:8001"]
kb = ["kb.md"]
targets = ["desk"]

[[targets]]
name = "desk"
url = "http://127.0.0.1:{webhook}/hook"

[limits]
pow_difficulty = 1
session_per_minute = 100000
address_per_minute = 1000000
sessions_per_address_per_minute = 1000
"""
ENTRIES = """\
locale: en

## How long do I have to return an item? {#returns}

You have **30 days**.
"""


@dataclass
class Mortal:
    """The gateway: started, killed, started again over the same files."""

    folder: Path
    webhook_port: int
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        (self.folder / "kb.md").write_text(ENTRIES, encoding="utf-8")
        text = CONFIG.format(port=self.port, webhook=self.webhook_port, site=SITE)
        (self.folder / "fanlight.toml").write_text(text, encoding="utf-8")

    @property
    def url(self) -> str:
        """The visitors' origin."""
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it says that it runs."""
        with (self.folder / "stderr").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                FANLIGHT,
                *("run", "--json", "--config", str(self.folder / "fanlight.toml")),
                cwd=self.folder,
                env={
                    **os.environ,
                    "FANLIGHT_OPERATOR_TOKEN": TOKEN,
                    "FANLIGHT_TARGET_DESK_SECRET": SECRET,
                },
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self._process.stdout.readline()
        said = (self.folder / "stderr").read_text(encoding="utf-8")
        assert line, f"`fanlight run` did not start: {said}"

    async def kill(self) -> int:
        """SIGKILL; the exit status."""
        assert self._process is not None
        self._process.kill()
        return await self._process.wait()

    async def stop(self) -> None:
        """End whatever still runs."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()


@dataclass
class Acknowledged:
    """An escalation as its visitor knows it; `contact` where the browser's request was taken."""

    question: str
    contact: str | None = None


@dataclass
class Crowd:
    """Visitors at one gateway, and what they were told."""

    gateway: Mortal
    client: httpx.AsyncClient
    chance: random.Random
    told: dict[str, Acknowledged] = field(default_factory=dict)
    leaving: bool = False
    _numbers: count[int] = field(default_factory=count)

    async def visit(self) -> None:
        """One visitor, from opening a session until everyone leaves."""
        visitor = Visitor(self.client, self.gateway.url, SITE)
        await self._arrive(visitor)
        while not self.leaving:
            question = f"question {next(self._numbers)}: qwrtz plmkn xcvbg"
            chat = visitor.chat_body(question)
            wanted = escalation_id(anonymous(SITE, visitor.keyid), str(chat["turn_id"]))
            if self.chance.random() < 0.5:
                turn = await self._send(visitor, "/v1/chat", chat)
                if turn is None:
                    return
                assert turn["escalate"], turn
                self.told[wanted] = Acknowledged(question)
            if self.chance.random() < 0.7 or wanted not in self.told:
                contact = f"{secrets.token_hex(4)}@example.com"
                taken = await self._send(visitor, "/v1/escalations", _body(chat, contact))
                if taken is None:
                    return
                assert taken["escalation_id"] == wanted
                self.told[wanted] = Acknowledged(question, contact)

    async def _arrive(self, visitor: Visitor) -> None:
        while not self.leaving:
            try:
                await visitor.open_session()
            except (httpx.TransportError, httpx.HTTPStatusError):
                # Killed, or signed in the second before the gateway began.
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _send(
        self, visitor: Visitor, path: str, body: dict[str, object]
    ) -> dict[str, Any] | None:
        """Send the same body under the same key until it is taken; None when everyone leaves."""
        key = secrets.token_urlsafe(16)
        while not self.leaving:
            try:
                response = await visitor.call("POST", path, body, key=key)
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_S)
                continue
            if response.is_success:
                document: dict[str, Any] = response.json()
                return document
            # Signed before the gateway began again, or begun before it was killed.
            assert response.status_code in {401, 409, 503}, response.text
            await asyncio.sleep(AGAIN_S)
        return None


def _body(chat: dict[str, Any], contact: str) -> dict[str, object]:
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
        "timestamp": timestamp(1_790_000_000),
    }


async def operators_list(gateway: Mortal, client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Every escalation that an operator sees, by id."""
    base, host = f"http://127.0.0.1:{gateway.port}", f"console.localhost:{gateway.port}"
    headers = {"host": host}
    opened = await client.post(
        f"{base}/v1/operator/session", json={"token": TOKEN}, headers=headers
    )
    # This is not TLS, so the cookie is kept by hand.
    headers["cookie"] = opened.raise_for_status().headers["set-cookie"].partition(";")[0]
    found: dict[str, dict[str, Any]] = {}
    query = "?status=all&limit=100"
    while True:
        page = await client.get(f"{base}/v1/escalations{query}", headers=headers)
        document = page.raise_for_status().json()
        found |= {item["id"]: item for item in document["items"]}
        if document["next"] is None:
            return found
        query = f"?status=all&limit=100&before={document['next']}"


async def until(look: Callable[[], bool], within_s: float) -> None:
    """Wait until `look` is true, or the time is over."""
    for _ in range(int(within_s / AGAIN_S)):
        if look():
            return
        await asyncio.sleep(AGAIN_S)


def delivered(raw: bytes) -> str:
    """The escalation that a webhook's body is about."""
    document = json.loads(raw)
    name = document["data"]["escalation_id"]
    assert isinstance(name, str)
    return name
