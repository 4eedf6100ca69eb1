"""From a visitor's question to Slack and PagerDuty and back, every hop over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from core.truth import Truth
from gateway.adapters.outbound import Outbound
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.context import Services
from gateway.services import build_targets
from gateway.settings import Secret, Settings, SiteSettings, TargetSettings
from tests.gateway.serving import free_port, served
from tests.gateway.test_chat import events
from tests.gateway.test_escalations import escalation, send
from tests.gateway.vendors import pagerduty, slack
from tests.gateway.world import OPERATOR_TOKEN, make_services, settings


@dataclass
class Street:
    """A gateway with a database, and what stands along the way."""

    url: str
    console: str
    client: httpx.AsyncClient
    slack: slack.Workspace
    pager: pagerduty.Account
    said: list[httpx.Response] = field(default_factory=list)

    async def visitor(self) -> Visitor:
        visitor = Visitor(self.client, self.url, "site_demo", clock=time.time)
        await visitor.open_session()
        return visitor

    async def event(self, event: dict[str, object], event_id: str = "Ev1") -> int:
        document = slack.envelope(event, event_id)
        return (await slack.send(self.client, self.url, document, time.time())).status_code

    async def operator(self, path: str, body: object | None = None) -> httpx.Response:
        """A call of an operator's who is signed in to the console."""
        host = {"host": self.console, "origin": f"http://{self.console}"}
        if not self.said:
            log_in = await self.client.post(
                f"{self.url}/v1/operator/session", json={"token": OPERATOR_TOKEN}, headers=host
            )
            self.said.append(log_in)
        cookie = self.said[0].headers["set-cookie"].partition(";")[0]
        headers = {**host, "cookie": cookie}
        who = await self.client.get(f"{self.url}/v1/operator/session", headers=headers)
        headers["x-csrf-token"] = who.json()["csrf"]
        if body is None:
            return await self.client.get(f"{self.url}{path}", headers=headers)
        return await self.client.post(f"{self.url}{path}", json=body, headers=headers)


async def until(told: Sequence[object], number: int) -> None:
    """Wait until a double has been told that many things."""
    async with asyncio.timeout(15):
        while len(told) < number:  # noqa: ASYNC110 - the double lives in another thread
            await asyncio.sleep(0.02)


def chosen(port: int, slack_url: str, pager_url: str) -> Settings:
    site = SiteSettings(
        "site_demo", "The Shop", ("http://localhost:8001",), kb=(), targets=("team", "pager")
    )
    return settings(
        public_url=f"http://127.0.0.1:{port}",
        console_url=f"http://console.localhost:{port}",
        sites=(site,),
        private_endpoints=(urlsplit(slack_url).netloc, urlsplit(pager_url).netloc),
        targets=(
            TargetSettings(
                "team",
                "slack",
                slack_url,
                Secret(slack.SIGNING_SECRET),
                token=Secret(slack.BOT_TOKEN),
                channel=slack.CHANNEL,
            ),
            TargetSettings(
                "pager", "pagerduty", pager_url, Secret(""), token=Secret(pagerduty.KEY)
            ),
        ),
    )


def app_of(services: Services, truth: Truth, outbound: Outbound) -> Starlette:
    """The app, which opens and closes its store as the composition root does."""
    app = create_app(services)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def living(running: Starlette) -> AsyncIterator[None]:
        await truth.start()
        try:
            async with inner(running):
                yield
        finally:
            await outbound.close()
            await truth.close()

    app.router.lifespan_context = living
    return app


@contextmanager
def gateway(folder: Path, slack_url: str, pager_url: str, port: int) -> Iterator[Settings]:
    made = chosen(port, slack_url, pager_url)
    outbound = Outbound(made.private_endpoints)
    truth = SqlTruth(f"sqlite:///{folder}/truth.db", clock=time.time)
    services = make_services(made, time.time, targets=build_targets(made, outbound))
    app = app_of(replace(services, truth=truth), truth, outbound)
    with served(app, port):
        time.sleep(1.1)  # what was signed before the gateway began is refused, to the second
        yield made


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    port = free_port()
    with (
        slack.workspace(is_strict=True) as workspace,
        pagerduty.account() as account,
        gateway(tmp_path, workspace.url, account.url, port) as made,
    ):
        async with httpx.AsyncClient(timeout=20) as client:
            yield Street(made.public_url, made.console_authority, client, workspace, account)


async def test_a_threads_reply_reaches_the_visitor_and_the_incident_ends(street: Street) -> None:
    visitor = await street.visitor()
    body = escalation(visitor)
    assert (await send(visitor, body)).status_code == 202
    await until(street.slack.posted, 1)
    await until(street.pager.events, 1)
    assert len(street.pager.open) == 1
    ts = street.slack.posted[0]["ts"]
    assert await street.event(slack.reply(ts, "It is *basalt*.")) == 200
    await until(street.pager.events, 2)
    assert street.pager.open == set()
    reading = asyncio.create_task(
        visitor.call("GET", f"/v1/conversations/{body['conversation_id']}/events")
    )
    assert await street.event(slack.check_mark(ts), "Ev2") == 200
    seen = events(await reading)
    replies = [data for name, data in seen if name == "human_reply"]
    assert [reply["content"] for reply in replies] == ["It is **basalt**."]
    assert seen[-1][1]["status"] == "resolved"
    await until(street.slack.posted, 2)
    assert street.slack.posted[1]["thread_ts"] == ts
    assert "Resolved" in street.slack.posted[1]["text"]
    assert street.pager.pages == 1


async def test_an_answer_in_the_console_is_told_in_the_thread(street: Street) -> None:
    visitor = await street.visitor()
    made = (await send(visitor, escalation(visitor))).json()["escalation_id"]
    await until(street.slack.posted, 1)
    answer = {"content": "It is <b>basalt</b>.", "resolve": False}
    replied = await street.operator(f"/v1/escalations/{made}/replies", answer)
    assert replied.status_code == 201
    await until(street.slack.posted, 2)
    told = street.slack.posted[1]
    assert told["thread_ts"] == street.slack.posted[0]["ts"]
    assert told["blocks"][1]["text"]["text"] == "It is &lt;b&gt;basalt&lt;/b&gt;."
    shown = (await street.operator(f"/v1/escalations/{made}")).json()
    assert {(one["target"], one["action"]) for one in shown["deliveries"]} == {
        ("team", "open"),
        ("pager", "open"),
        ("team", "reply"),
        ("pager", "resolve"),
    }


async def test_a_channels_limit_costs_no_question_an_attempt(street: Street) -> None:
    visitor = await street.visitor()
    for number in range(4):
        assert (await send(visitor, escalation(visitor), f"k{number}")).status_code == 202
    await until(street.slack.posted, 4)
    assert street.slack.limited == 0
    shown = (await street.operator("/v1/escalations")).json()["items"]
    attempts = [
        len(one["attempts"])
        for item in shown
        for one in item["deliveries"]
        if one["kind"] == "slack"
    ]
    assert attempts == [1] * 4


async def test_a_pause_that_slack_asks_for_holds_nothing_else_up(street: Street) -> None:
    street.slack.refusals.append(
        JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "2"})
    )
    visitor = await street.visitor()
    await send(visitor, escalation(visitor))
    await until(street.pager.events, 1)
    assert street.slack.posted == []


async def test_a_check_mark_of_before_the_last_question_closes_nothing_and_the_thread_says_so(
    street: Street,
) -> None:
    visitor = await street.visitor()
    first = escalation(visitor)
    made = (await send(visitor, first)).json()["escalation_id"]
    await until(street.slack.posted, 1)
    again = escalation(visitor, conversation_id=first["conversation_id"])
    await send(visitor, again, "k2")
    await until(street.slack.posted, 2)
    await until(street.pager.events, 2)
    ts = street.slack.posted[0]["ts"]
    assert await street.event(slack.check_mark(ts)) == 200
    await until(street.slack.posted, 3)
    told = street.slack.posted[2]
    assert (told["thread_ts"], "Not closed" in told["text"]) == (ts, True)
    shown = (await street.operator(f"/v1/escalations/{made}")).json()
    assert shown["status"] == "delivered"
    assert [one["action"] for one in shown["deliveries"] if one["target"] == "team"] == [
        *("open", "added", "unseen"),
    ]
    assert len(street.pager.open) == 1
    await recorded(street, made)
    now = f"{time.time() + 1:.6f}"
    assert await street.event(slack.reply(ts, "resolve", now), "Ev2") == 200
    await until(street.slack.posted, 4)
    assert "Resolved" in street.slack.posted[3]["text"]
    assert street.pager.open == set()


async def test_a_reply_in_slack_to_what_stood_there_leaves_the_incident_of_what_came_since(
    street: Street,
) -> None:
    visitor = await street.visitor()
    first = escalation(visitor)
    made = (await send(visitor, first)).json()["escalation_id"]
    await until(street.slack.posted, 1)
    again = escalation(visitor, conversation_id=first["conversation_id"])
    await send(visitor, again, "k2")
    await until(street.pager.events, 2)
    ts = street.slack.posted[0]["ts"]
    await street.event(slack.reply(ts, "It is basalt."))
    [reply] = (await street.operator(f"/v1/escalations/{made}")).json()["replies"]
    assert reply["turn_id"] == first["turn_id"]
    await recorded(street, made)
    assert len(street.pager.open) == 1
    await street.event(slack.reply(ts, "And that is.", f"{time.time() + 1:.6f}"), "Ev2")
    await until(street.pager.events, 3)
    assert street.pager.open == set()


async def recorded(street: Street, name: str) -> None:
    """Wait until all that was told of it is recorded, not only received."""
    async with asyncio.timeout(15):
        while True:
            shown = (await street.operator(f"/v1/escalations/{name}")).json()
            if {one["state"] for one in shown["deliveries"]} <= {"delivered", "skipped"}:
                return
            await asyncio.sleep(0.05)


async def test_after_the_end_a_new_question_opens_a_new_thread(street: Street) -> None:
    visitor = await street.visitor()
    first = escalation(visitor)
    await send(visitor, first)
    await until(street.slack.posted, 1)
    await street.event(slack.reply(street.slack.posted[0]["ts"], "resolve"))
    await until(street.slack.posted, 2)
    again = escalation(visitor, conversation_id=first["conversation_id"])
    made = (await send(visitor, again, "k2")).json()
    assert made["status"] == "queued"
    await until(street.slack.posted, 3)
    assert "thread_ts" not in street.slack.posted[2]
    assert street.pager.pages == 2
