"""A visitor in Python: opens a session and signs its calls, as the panel does in the browser.

For load runs, health probes and tests. It keeps its key in memory alone.
"""

from __future__ import annotations

import base64
import json
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.digest import content_digest
from core.encoding import new_id
from core.jose import thumbprint
from core.ports import Clock
from core.pow import solve
from core.signatures import LABEL, Message, covered_by_profile, signature_base
from gateway.adapters.crypto import LocalSigner

LIFETIME_S = 60


@dataclass
class Visitor:
    """One browser's worth of identity at one gateway."""

    client: httpx.AsyncClient
    gateway: str
    site_key: str
    clock: Clock = time.time
    signer: LocalSigner = field(default_factory=LocalSigner.generate)
    token: str | None = None
    receipt: str | None = None
    renews_at: float = math.inf

    @property
    def keyid(self) -> str:
        """The key's thumbprint."""
        return thumbprint(dict(self.signer.jwk))

    def new_id(self, prefix: str) -> str:
        """A new `t_…` or `c_…` id."""
        return new_id(prefix, int(self.clock() * 1000), secrets.token_bytes(10))

    async def sign(
        self, method: str, target: str, body: bytes, fields: Mapping[str, str]
    ) -> dict[str, str]:
        """The header fields of a signed call: those given, the digest, and the signature."""
        path, _, query = target.partition("?")
        signed = {**fields, "content-digest": content_digest(body)}
        created = int(self.clock())
        covered = covered_by_profile(
            signed,
            created=created,
            expires=created + LIFETIME_S,
            nonce=secrets.token_urlsafe(16),
            keyid=self.keyid,
        )
        authority = urlsplit(self.gateway).netloc
        base = signature_base(covered, Message(method, authority, path, query, signed))
        signature = base64.b64encode(await self.signer.sign(base)).decode()
        signed["signature-input"] = f"{LABEL}={covered}"
        signed["signature"] = f"{LABEL}=:{signature}:"
        return signed

    async def open_session(self, *, locale: str = "en", memory: bool = True) -> dict[str, Any]:
        """Solve a challenge and open a session; raises `httpx.HTTPStatusError` when refused."""
        asked = {"site_key": self.site_key, "thumbprint": self.keyid}
        challenge = (await self._post("/v1/challenges", asked, {})).json()
        body = {
            "site_key": self.site_key,
            "jwk": dict(self.signer.jwk),
            "challenge": challenge["challenge"],
            "solution": solve(challenge["challenge"], challenge["difficulty"]),
            "locale": locale,
            "consent": {"memory": memory, "training": False},
        }
        raw = json.dumps(body).encode()
        fields = await self.sign("POST", "/v1/sessions", raw, {"content-type": "application/json"})
        response = await self.client.post(
            self.gateway + "/v1/sessions", content=raw, headers=fields
        )
        response.raise_for_status()
        session: dict[str, Any] = response.json()
        self._take(session)
        return session

    async def keep_session(self) -> None:
        """Renew the session once half of its token's life is over, as the panel does.

        Raises `httpx.HTTPStatusError` when refused.
        """
        if self.token is not None and self.clock() >= self.renews_at:
            response = await self.call("POST", "/v1/sessions/renew", {})
            self._take(response.raise_for_status().json())

    def _take(self, session: Mapping[str, Any]) -> None:
        self.token = session["access_token"]
        self.renews_at = self.clock() + session["expires_in"] / 2

    async def _post(
        self, path: str, body: Mapping[str, object], fields: Mapping[str, str]
    ) -> httpx.Response:
        response = await self.client.post(self.gateway + path, json=body, headers=dict(fields))
        return response.raise_for_status()

    async def request(
        self, method: str, target: str, body: object = None, *, key: str | None = None
    ) -> httpx.Request:
        """A signed request, ready to send; `key` is its idempotency key."""
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        fields = {"authorization": f"Bearer {self.token}"}
        if body is not None:
            fields["content-type"] = "application/json"
        if key is not None:
            fields["idempotency-key"] = key
        if self.receipt is not None:
            fields["x-integrity"] = self.receipt
        signed = await self.sign(method, target, raw, fields)
        return self.client.build_request(method, self.gateway + target, content=raw, headers=signed)

    async def call(
        self, method: str, target: str, body: object = None, *, key: str | None = None
    ) -> httpx.Response:
        """Send a signed call; keeps the receipt that came back."""
        response = await self.client.send(await self.request(method, target, body, key=key))
        self.receipt = response.headers.get("x-integrity") or self.receipt
        return response

    def chat_body(
        self, question: str, *, stream: bool = False, locale: str = "en", **changes: object
    ) -> dict[str, object]:
        """A `POST /v1/chat` body for one question."""
        return {
            "turn_id": self.new_id("t"),
            "conversation_id": self.new_id("c"),
            "message": {"content": question, "mode": "text"},
            "locale": locale,
            "options": {"stream": stream},
            **changes,
        }

    async def ask(self, question: str, **changes: object) -> httpx.Response:
        """Ask one question in a conversation of its own."""
        body = self.chat_body(question, **changes)  # type: ignore[arg-type]
        return await self.call("POST", "/v1/chat", body, key=secrets.token_urlsafe(16))
