"""`GET /v1/routing/explain`: operators read why a model is chosen, and nothing comes of asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from core.model_routing.decision import Tier
from core.model_routing.resolve import Layers
from gateway.settings import ModelSettings, RoutingSettings, Secret
from tests.gateway.routes.console import Console
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import GATEWAY, World, settings, world

PATH = "/v1/routing/explain"
KEY = "api-key-for-tests-0123456789"
REPLY = "Orders return within 30 days; the label is in the box."


@asynccontextmanager
async def tiered(**routing: object) -> AsyncIterator[tuple[World, ScriptedModel]]:
    """A gateway whose one model is the only one of the only tier."""
    told = RoutingSettings(mode="tiered", tiers=(Tier("only", ("model",)),), **routing)  # type: ignore[arg-type]
    server = ModelSettings("https://models.example/v1", ScriptedModel.model, Secret(""))
    chosen = settings(routing=told, model=server)
    first, *others = chosen.sites
    chosen = replace(chosen, sites=(replace(first, api_key=Secret(KEY)), *others))
    model = ScriptedModel(REPLY)
    async with world(transport=model, chosen=chosen) as gateway:
        yield gateway, model


async def operator(gateway: World) -> Console:
    console = Console(gateway)
    await console.log_in()
    return console


async def test_an_operator_reads_every_step_and_no_model_is_asked() -> None:
    async with tiered() as (gateway, model):
        console = await operator(gateway)
        response = await console.call("GET", f"{PATH}?question=zxqv+thing&site=site_demo")
        found = response.json()
    assert response.status_code == 200
    assert (found["models"], found["tier"], found["reason"]) == (["model"], "only", "complexity")
    assert found["answered_by"] == "model"
    steps = [step["what"] for step in found["steps"]]
    assert steps[0] == "knowledge base"
    assert steps[2:] == [
        "caller",
        "permissions",
        "rate limit",
        "tiers",
        "complexity",
        "escalation",
        "budget",
        "model",
        "cost",
    ]
    assert not model.prompts


async def test_what_the_knowledge_base_answers_is_told_and_so_is_the_model() -> None:
    async with tiered() as (gateway, _):
        console = await operator(gateway)
        url = f"{PATH}?question=When+are+you+open%3F&site=site_demo&locale=en"
        found = (await console.call("GET", url)).json()
    assert found["answered_by"] == "kb"
    assert found["models"] == ["model"]
    assert "answers by hours" in found["steps"][0]["result"]


@pytest.mark.parametrize(
    ("channel", "level"), [("widget", "level 0"), ("api", "level 1"), ("console", "level 2")]
)
async def test_who_would_ask_may_be_chosen(channel: str, level: str) -> None:
    async with tiered() as (gateway, _):
        console = await operator(gateway)
        url = f"{PATH}?question=zxqv&site=site_demo&channel={channel}"
        found = (await console.call("GET", url)).json()
    [told] = [step["result"] for step in found["steps"] if step["what"] == "caller"]
    assert told.endswith(level)


async def test_without_tiers_the_order_of_the_settings_is_told() -> None:
    async with world(transport=ScriptedModel(REPLY)) as gateway:
        console = await operator(gateway)
        found = (await console.call("GET", f"{PATH}?question=zxqv&site=site_demo")).json()
    assert (found["models"], found["tier"], found["reason"]) == (["model"], None, "preference")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("question=x", 400),
        ("site=site_demo", 400),
        ("question=x&site=site_none", 404),
        ("question=x&site=site_demo&channel=pigeon", 400),
        ("question=x&site=site_demo&level=2", 400),
    ],
)
async def test_what_is_wrong_is_refused(query: str, status: int) -> None:
    async with tiered() as (gateway, _):
        response = await (await operator(gateway)).call("GET", f"{PATH}?{query}")
    assert response.status_code == status


async def test_only_operators_may_ask() -> None:
    async with tiered() as (gateway, _):
        at_console = await Console(gateway).call("GET", f"{PATH}?question=x&site=site_demo")
        at_gateway = await gateway.client.get(f"{GATEWAY}{PATH}?question=x&site=site_demo")
    assert (at_console.status_code, at_gateway.status_code) == (401, 404)


async def complete(gateway: World, model: str) -> tuple[int, dict[str, object]]:
    body = {"model": model, "messages": [{"role": "user", "content": "zxqv unknown thing"}]}
    headers = {"authorization": f"Bearer {KEY}"}
    url = f"{GATEWAY}/v1/chat/completions"
    response = await gateway.client.post(url, json=body, headers=headers)
    return response.status_code, response.json()


async def test_a_sites_server_names_a_model_only_where_it_may() -> None:
    async with tiered() as (gateway, _):
        status, refused = await complete(gateway, "model")
        assert (status, refused["field"]) == (400, "model")
    layers = Layers(channels={"api": {"model_override": True}})
    async with tiered(permissions=layers) as (gateway, model):
        assert (await complete(gateway, "model"))[0] == 200
        assert model.prompts
        assert (await complete(gateway, "other"))[0] == 400
        headers = {"authorization": f"Bearer {KEY}"}
        listed = (await gateway.client.get(f"{GATEWAY}/v1/models", headers=headers)).json()
    assert [each["id"] for each in listed["data"]] == ["fanlight", "model"]


async def test_a_visitor_who_asks_too_often_gets_a_person() -> None:
    layers = Layers(levels={"zero_trust": {"rate_limit": 1}})
    async with tiered(permissions=layers) as (gateway, _):
        visitor = await gateway.visitor()
        first = (await visitor.ask("zxqv unknown thing")).json()
        second = (await visitor.ask("zxqv unknown thing again")).json()
    assert "rate_limited" not in first["reasons"]
    assert second["reasons"][-1] == "rate_limited"
    assert second["escalate"] is True
