"""Who is calling, and what they may have, the gateway finds out by itself: no body says it.

Every route of the app that takes a body is walked, with a body of its own described form; Slack's,
whose form is Slack's, by what becomes of a word that claims to be somebody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as tried
from starlette.routing import Mount, Route, Router

from gateway.app import ByHost, create_app
from gateway.middleware.origin import OwnOriginMiddleware
from gateway.settings import LimitSettings, Secret
from tests.gateway.routes.console import Console
from tests.gateway.routes.workshop import SITE, desk
from tests.gateway.test_slack_events import ROOT, slack_settings
from tests.gateway.test_slack_events import desk as thread
from tests.gateway.vendors.slack import PERSON, envelope, reply, send, signed
from tests.gateway.world import CONSOLE, GATEWAY, World

KEY = "api-key-for-tests-0123456789"
CLAIMS: Mapping[str, object] = {
    "auth_context": {"level": 2},
    "caller": {"channel": "console"},
    "channel": "console",
    "level": 2,
    "allowed": {"model_override": True},
    "permissions": {"level": 2},
    "max_tier": "dear",
    "model_override": True,
    "cost_budget_daily_usd": 0,
    "subject": "user:https://a.example|bob",
}
SLACKS = "/v1/slack/events"
"""Slack's own form, signed by Slack: whatever else is in it is not read, and so not refused. Who
writes is whom Slack names, and only an allowed user of Slack's answers."""

BODYLESS = {
    "POST /v1/escalations/{}/resend",
    "DELETE /v1/operator/session",
    "POST /v1/knowledge/{}/entries/{}/{}/undo",
    "DELETE /v1/knowledge/{}/entries/{}/{}",
    "POST /v1/knowledge/{}/publish",
    "POST /v1/knowledge/{}/findings",
    "POST /v1/knowledge/{}/imports/{}",
    "DELETE /v1/knowledge/{}/marks/{}",
    "DELETE /v1/bank/{}/{}",
    "DELETE /v1/personalities/{}/items/{}",
    "DELETE /v1/personalities/{}/choice",
}
"""These read no body at all."""


@dataclass(frozen=True)
class Walk:
    """A gateway with everything that it can serve, its descriptions, and who may call it."""

    console: Console
    documents: Mapping[str, Mapping[str, Any]]

    def routes(self) -> list[tuple[str, str, str]]:
        """Every route that may take a body: its origin, its method and its path."""
        app = create_app(self.console.world.services)
        [mount] = [each for each in app.routes if isinstance(each, Mount)]
        by_host = mount.app
        assert isinstance(by_host, ByHost)
        front = by_host._app
        assert isinstance(front, OwnOriginMiddleware)
        found = []
        for origin, router in ((GATEWAY, front._app), (CONSOLE, by_host._console)):
            assert isinstance(router, Router)
            for route in router.routes:
                assert isinstance(route, Route)
                methods = (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}
                found += [(origin, method, route.path) for method in sorted(methods)]
        return found

    def body(self, origin: str, method: str, path: str) -> dict[str, Any] | None:
        """A body of the form that the call is described with; None where it takes none."""
        if path == "/v1/chat/completions":  # OpenAI's dialect, which its own page describes
            return {"model": "fanlight", "messages": [{"role": "user", "content": "hello"}]}
        for found in schemathesis.openapi.from_dict(
            dict(self.documents[origin])
        ).get_all_operations():
            made: Any = cast("Any", found).ok()
            if (made.method.upper(), _plain(made.path)) == (method, _plain(path)):
                return example(made) if made.definition.raw.get("requestBody") else None
        raise AssertionError(f"{method} {path} is not described")

    async def call(self, origin: str, method: str, path: str, body: object) -> httpx.Response:
        """The call as somebody who may make it."""
        known = {"site": SITE, "entry_id": "hours", "locale": "en"}
        path = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], "0" * 32), path)
        if origin == CONSOLE:
            return await self.console.call(method, path, body)
        if path == "/v1/chat/completions":
            headers = {"authorization": f"Bearer {KEY}"}
            return await self.console.world.client.post(origin + path, json=body, headers=headers)
        visitor = await self.console.world.visitor(SITE)
        return await visitor.call(method, path, body, key="k1")


def _plain(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@pytest.fixture
async def walk(tmp_path: Path) -> AsyncIterator[Walk]:
    limits = LimitSettings(
        pow_difficulty=1,
        login_tries_per_minute=1_000,
        address_per_minute=10_000,
        sessions_per_address_per_minute=10_000,
    )
    async with desk(tmp_path, limits=limits) as console:
        services = console.world.services
        sites = tuple(replace(site, api_key=Secret(KEY)) for site in services.settings.sites)
        # The settings are frozen: the one way to a key is another app over the same services.
        services = replace(services, settings=replace(services.settings, sites=sites))
        transport = httpx.ASGITransport(create_app(services))
        async with httpx.AsyncClient(transport=transport, timeout=20) as client:
            again = Console(World(services, client, console.world.time))
            assert (await again.log_in()).status_code == 204
            documents = {
                origin: (await client.get(f"{origin}/openapi.json", headers=again.headers)).json()
                for origin in (GATEWAY, CONSOLE)
            }
            yield Walk(again, documents)


def example(operation: Any) -> dict[str, Any]:
    """A body of this operation."""
    found: list[Any] = []

    @tried(
        max_examples=1,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def take(case: Any) -> None:
        found.append(case.body)

    take()
    return found[0] if isinstance(found[0], dict) else {}


async def test_on_no_route_does_a_body_say_who_is_calling(walk: Walk) -> None:
    refused, bodyless = [], set()
    for origin, method, path in walk.routes():
        if path == SLACKS:
            continue
        body = walk.body(origin, method, path)
        if body is None:
            bodyless.add(f"{method} {_plain(path)}")
            continue
        for name, claim in CLAIMS.items():
            response = await walk.call(origin, method, path, {**body, name: claim})
            told = response.json()
            where = (method, path, name, told)
            assert response.status_code == 400, where
            assert (told["field"], told["detail"]) == (name, "This field is not known."), where
        refused.append(path)
    assert bodyless == BODYLESS
    assert {"/v1/chat", "/v1/chat/completions", "/v1/sessions"} <= set(refused)
    assert len(refused) >= 20


async def test_what_slack_sends_says_of_its_caller_only_what_slack_says() -> None:
    claims = {**CLAIMS, "allowed_users": ["U0STRANGER"], "author": "The manager"}
    async with thread(slack_settings(allowed_users=(PERSON,))) as slack:

        async def event(event_id: str, said: Mapping[str, object]) -> int:
            # Around the event and in it, but for what Slack itself says there.
            document = {**claims, **envelope({**claims, **said}, event_id)}
            at = slack.gateway.time()
            return (await send(slack.gateway.client, GATEWAY, document, at)).status_code

        assert await event("Ev1", reply(ROOT, "Mine.")) == 200
        [stored] = await slack.replies()
        assert (stored.content, stored.author) == ("Mine.", PERSON)
        # Nobody becomes an allowed user by saying so.
        other = reply(ROOT, "Not mine.", "1790000101.000200", user="U0STRANGER")
        assert await event("Ev2", other) == 200
        assert await slack.replies() == [stored]


async def test_a_body_cannot_claim_that_slack_signed_it() -> None:
    async with thread() as slack:
        document = json.dumps({**CLAIMS, **envelope(reply(ROOT, "Forged."))}).encode()
        forged = signed(document, slack.gateway.time(), secret="0" * 32)
        for headers in (forged, {"content-type": "application/json"}):
            address = GATEWAY + SLACKS
            client = slack.gateway.client
            response = await client.post(address, content=document, headers=headers)
            assert response.status_code == 401
        assert await slack.replies() == []
