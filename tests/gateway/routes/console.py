"""An operator's console as a client of the API, over a whole gateway in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Scope

from gateway.bell import OPERATORS
from tests.gateway.world import CONSOLE, OPERATOR_TOKEN, World

COOKIE = "__Host-fanlight_operator"


@dataclass
class Console:
    """A browser at the console's origin; it keeps the cookie itself, for the test is not TLS."""

    world: World
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: object | None = None, **headers: str
    ) -> httpx.Response:
        sent = {
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.world.client.request(method, CONSOLE + path, json=body, headers=sent)

    @property
    def app(self) -> ASGIApp:
        """The app under the client."""
        transport = self.world.client._transport
        assert isinstance(transport, httpx.ASGITransport)
        return transport.app

    async def stream(self, path: str, begun: asyncio.Event) -> str:
        """An event stream's whole text; `begun` is set when the response's head is there.

        httpx's own transport gives nothing before the end.
        """
        chunks: list[bytes] = []

        async def receive() -> Message:
            await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                assert (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]
                begun.set()
            chunks.append(message.get("body", b""))

        headers = {"host": CONSOLE.removeprefix("http://"), **self.headers}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await self.app(scope, receive, send)
        return b"".join(chunks).decode()

    async def log_in(self, token: str = OPERATOR_TOKEN) -> httpx.Response:
        """Log in; with the right token every later call has the cookie and the CSRF token."""
        response = await self.call("POST", "/v1/operator/session", {"token": token})
        # The client's own jar would send it too, and again after logging out.
        self.world.client.cookies.clear()
        if response.status_code == 204:
            cookie = response.headers["set-cookie"].partition(";")[0]
            self.headers["cookie"] = cookie
            session = await self.call("GET", "/v1/operator/session")
            self.headers["x-csrf-token"] = session.json()["csrf"]
        return response

    async def one(self, escalation_id: str) -> dict[str, Any]:
        """An escalation as the console reads it."""
        response = await self.call("GET", f"/v1/escalations/{escalation_id}")
        assert response.status_code == 200
        document = response.json()
        assert isinstance(document, dict)
        return document

    async def listed(self, query: str = "") -> list[str]:
        """The ids of a page of the list."""
        response = await self.call("GET", f"/v1/escalations{query}")
        assert response.status_code == 200
        return [item["id"] for item in response.json()["items"]]

    async def until(
        self, escalation_id: str, holds: Callable[[dict[str, Any]], bool], limit_s: float = 10
    ) -> None:
        """Wait until this holds for the escalation as the console reads it."""
        async with asyncio.timeout(limit_s):
            with self.world.services.bell.listen(OPERATORS) as ear:
                while not holds(await self.one(escalation_id)):
                    await ear.wait(limit_s)


def problem(response: httpx.Response) -> tuple[int, str, str | None]:
    """A refusal's status, the last segment of its type, and the field it names."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"]
    return response.status_code, document["type"].rpartition("/")[2], document.get("field")


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a finished stream, in order."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found
