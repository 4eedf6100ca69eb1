"""A Slack workspace on this machine: its Web API as documented, and events that it signs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jsonschema_rs
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateway.serving import served

TEAM = "T0123ABCDEF"
CHANNEL = "C0123ABCDEF"
PERSON = "U0123ABCDEF"
BOT_USER = "U0BOT00000"
BOT_TOKEN = "xoxb-1234567890-abcdefghij"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"

TOO_SOON_S = 0.5
"""Slack takes one message a second in a channel, and forgives short bursts."""

MESSAGE = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "slack_post_message.json").read_text())
)


@dataclass
class Workspace:
    """What was posted, and what the next posts are answered with instead of being taken."""

    posted: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Response] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    is_strict: bool = False
    limited: int = 0
    url: str = ""
    _last: float = 0.0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def auth_test(self, request: Request) -> Response:
        self.methods.append("auth.test")
        if request.headers.get("authorization") != f"Bearer {BOT_TOKEN}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        return JSONResponse(
            {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": "B0BOT00000"}
        )

    async def post_message(self, request: Request) -> Response:
        self.methods.append("chat.postMessage")
        if request.headers.get("authorization") != f"Bearer {BOT_TOKEN}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"ok": False, "error": "invalid_post_type"})
        if self.refusals:
            return self.refusals.pop(0)
        message = json.loads(await request.body())
        MESSAGE.validate(message)
        if message["channel"] != CHANNEL:
            return JSONResponse({"ok": False, "error": "channel_not_found"})
        if self.is_strict and time.monotonic() - self._last < TOO_SOON_S:
            self.limited += 1
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "1"})
        self._last = time.monotonic()
        ts = f"{int(time.time())}.{next(self._numbers):06d}"
        self.posted.append({**message, "ts": ts})
        shown = {"type": "message", "bot_id": "B0BOT00000", "team": TEAM, "ts": ts}
        return JSONResponse({"ok": True, "channel": CHANNEL, "ts": ts, "message": shown})

    async def replies(self, request: Request) -> Response:
        """`conversations.replies`, which reads a form alone."""
        self.methods.append("conversations.replies")
        if request.headers.get("authorization") != f"Bearer {BOT_TOKEN}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if self.refusals:
            return self.refusals.pop(0)
        form = parse_qs((await request.body()).decode())
        asked = {name: values[0] for name, values in form.items()}
        assert asked["include_all_metadata"] == "true"
        found = [one for one in self.posted if one["ts"] == asked["ts"]]
        if asked["channel"] != CHANNEL or not found:
            return JSONResponse({"ok": False, "error": "thread_not_found"})
        shown = {"type": "message", "bot_id": "B0BOT00000", "user": BOT_USER, **found[0]}
        return JSONResponse({"ok": True, "messages": [shown], "has_more": False})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/conversations.replies", self.replies, methods=["POST"]),
                Route("/api/auth.test", self.auth_test, methods=["POST"]),
                Route("/api/chat.postMessage", self.post_message, methods=["POST"]),
            ]
        )


@contextmanager
def workspace(*refusals: Response, is_strict: bool = False) -> Iterator[Workspace]:
    """A running workspace; a strict one refuses messages that come too fast."""
    made = Workspace(refusals=list(refusals), is_strict=is_strict)
    with served(made.app()) as origin:
        made.url = f"{origin}/api"
        yield made


def refused(error: str, **more: object) -> Response:
    """How Slack refuses: with 200."""
    return JSONResponse({"ok": False, "error": error, **more})


def envelope(
    event: dict[str, Any],
    event_id: str = "Ev0001",
    team: str = TEAM,
    *,
    is_ext_shared_channel: bool = False,
) -> dict[str, Any]:
    """An event as it is sent."""
    return {
        "token": "verification",
        "team_id": team,
        "api_app_id": "A0123ABCDEF",
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "is_ext_shared_channel": is_ext_shared_channel,
        "authorizations": [{"team_id": team, "user_id": BOT_USER, "is_bot": True}],
    }


def reply(
    thread_ts: str, text: str, ts: str = "1790000100.000200", **more: object
) -> dict[str, Any]:
    """A person's message in a thread."""
    event = {"type": "message", "channel": CHANNEL, "channel_type": "channel", "user": PERSON}
    event |= {
        "parent_user_id": BOT_USER,
        "text": text,
        "ts": ts,
        "thread_ts": thread_ts,
        "event_ts": ts,
        "team": TEAM,
    }
    return {**event, **more}


def check_mark(ts: str, name: str = "white_check_mark", **more: object) -> dict[str, Any]:
    """A reaction to a message."""
    item = {"type": "message", "channel": CHANNEL, "ts": ts}
    event = {"type": "reaction_added", "user": PERSON, "reaction": name, "item": item}
    return {**event, "item_user": BOT_USER, "event_ts": "1790000200.000300", **more}


def signed(body: bytes, at: float, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """The fields of a request of Slack's, made by Slack's own library."""
    timestamp = str(int(at))
    made = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert made is not None
    return {
        "content-type": "application/json",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": made,
    }


async def send(client: httpx.AsyncClient, url: str, document: object, at: float) -> httpx.Response:
    """Send an event to a gateway."""
    body = json.dumps(document).encode()
    return await client.post(f"{url}/v1/slack/events", content=body, headers=signed(body, at))
