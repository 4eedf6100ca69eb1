"""Limits that permissions enforce, one by one: a real gateway, a real server of models, real HTTP.

Each row says what a caller may have, what is asked, and what the model's server then saw, or the
caller read.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from core.breaker import Breaker
from core.model_routing.decision import Tier
from core.model_routing.resolve import Layers
from core.prompting.budget import MESSAGE, estimate
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.packaged import packaged_tasks
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.cli.bench.provider import Calling, Provider, Step
from gateway.pipeline.models import Model
from gateway.settings import LimitSettings, ModelSettings, RoutingSettings, Secret
from tests.gateway.serving import free_port, served
from tests.gateway.test_chat import events
from tests.gateway.world import Time, make_services, settings

KEY = "api-key-for-tests-0123456789"
UNKNOWN = "zxqv unknown thing"
REPLY = "You can send it back within 30 days; the label is in the box."
SEARCH = Calling((("kb_search", '{"query": "how do I return an order"}'),))
TIERS = (Tier("little", ("small",), 0.0, 0.02), Tier("great", ("big",), 0.02, 1.0))
WIDE: Mapping[str, Any] = {
    "max_tier": "great",
    "rate_limit": 0,
    "max_context_tokens": 0,
    "max_output_tokens": 0,
    "tool_access": ("kb.search",),
}


@dataclass
class Heard:
    """What the model's server was asked, and what the caller read."""

    asked: list[dict[str, Any]]
    status: int
    read: dict[str, Any]

    @property
    def models(self) -> list[str]:
        return [body["model"] for body in self.asked]

    @property
    def tokens(self) -> list[int]:
        """Of each prompt, as they are estimated, with its tools and what they gave."""
        return [
            sum(
                estimate(f"{each.get('content') or ''}{json.dumps(each.get('tool_calls', ''))}")
                + MESSAGE
                for each in (*body["messages"], *body.get("tools", ()))
            )
            for body in self.asked
        ]


@dataclass(frozen=True)
class Case:
    """A row: `allowed` is laid over what is wide; `body` over what is asked; `right` judges."""

    allowed: Mapping[str, Any]
    right: Callable[[Heard], bool]
    body: Mapping[str, Any] = field(default_factory=dict)
    script: tuple[Step, ...] = ()


LONG = [
    {"role": role, "content": f"{number}: {'we talked of the parcel and its way here ' * 12}"}
    for number in range(9)
    for role in ("user", "assistant")
]
TALK = {"messages": [*LONG, {"role": "user", "content": UNKNOWN}]}

HARD = {
    "messages": [
        {
            "role": "user",
            "content": "Compare zxqv with qwrt step by step, explain why the longer warranty costs "
            "more over five years, and prove with numbers which one I should take.",
        }
    ]
}

CASES: dict[str, Case] = {
    "a reply is as long as is asked for": Case(
        {}, lambda told: told.asked[0]["max_tokens"] == 500, {"max_tokens": 500}
    ),
    "max_output_tokens bounds it": Case(
        {"max_output_tokens": 40},
        lambda told: told.asked[0]["max_tokens"] == 40,
        {"max_tokens": 500},
    ),
    "max_output_tokens lengthens nothing": Case(
        {"max_output_tokens": 400},
        lambda told: told.asked[0]["max_tokens"] == 30,
        {"max_tokens": 30},
    ),
    "max_output_tokens bounds each round": Case(
        {"max_output_tokens": 40},
        lambda told: [body["max_tokens"] for body in told.asked] == [40, 40],
        {"max_tokens": 500},
        (SEARCH,),
    ),
    "a prompt is as long as a window": Case({}, lambda told: told.tokens[0] > 1_000, TALK),
    "max_context_tokens bounds it": Case(
        {"max_context_tokens": 700}, lambda told: 300 < told.tokens[0] <= 700, TALK
    ),
    "max_context_tokens bounds it with what tools gave": Case(
        {"max_context_tokens": 900},
        lambda told: all(each <= 900 for each in told.tokens) and told.status == 200,
        TALK,
        (SEARCH,),
    ),
    "max_context_tokens leaves room for what tools gave": Case(
        {"max_context_tokens": 1_200},
        lambda told: len(told.asked) == 2 and told.tokens[0] < told.tokens[1] <= 1_200,
        script=(SEARCH,),
    ),
    "max_context_tokens that hold no question ask a person": Case(
        {"max_context_tokens": 8},
        lambda told: not told.asked and told.read["fanlight"]["escalate"],
    ),
    "model_override names one": Case(
        {"model_override": True}, lambda told: told.models == ["small-1"], {"model": "small"}
    ),
    "model_override names none that is denied": Case(
        {"model_override": True, "model_denylist": ("small",)},
        lambda told: (told.status, told.read["field"], told.asked) == (400, "model", []),
        {"model": "small"},
    ),
    "without model_override nobody names one": Case(
        {},
        lambda told: (told.status, told.read["field"], told.asked) == (400, "model", []),
        {"model": "small"},
    ),
    "escalation_allowed takes a tier more": Case(
        {"max_tier": "little", "escalation_allowed": True, "escalation_threshold": 0.01},
        lambda told: told.models == ["big-1"],
        HARD,
    ),
    "escalation_allowed takes it above its threshold": Case(
        {"max_tier": "little", "escalation_allowed": True, "escalation_threshold": 1.0},
        lambda told: told.models == ["small-1"],
        HARD,
    ),
    "without escalation_allowed the tier is the caller's": Case(
        {"max_tier": "little", "escalation_allowed": False, "escalation_threshold": 0.0},
        lambda told: told.models == ["small-1"],
        HARD,
    ),
    "a tool that is allowed is offered and run": Case(
        {},
        lambda told: (
            len(told.asked) == 2
            and told.asked[0]["tools"][0]["function"]["name"] == "kb_search"
            and "30 days" in str(told.asked[1]["messages"][-1])
        ),
        script=(SEARCH,),
    ),
    "tool_denylist offers none": Case(
        {"tool_denylist": ("kb.search",)}, lambda told: "tools" not in told.asked[0]
    ),
    "tool_denylist runs none that is called all the same": Case(
        {"tool_denylist": ("kb.search",)},
        lambda told: (
            len(told.asked) == 1
            and told.read["fanlight"]["reasons"][-1] == "tools_unfinished"
            and "30 days" not in str(told.asked)
        ),
        script=(SEARCH,),
    ),
    "tool_denylist has a word for all of them": Case(
        {"tool_denylist": ("*",)}, lambda told: "tools" not in told.asked[0]
    ),
}


class Closing:
    """An app that closes the ways to its models when its server stops."""

    def __init__(self, app: ASGIApp, models: Sequence[Model]) -> None:
        self.app = app
        self.models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for model in self.models:
            await model.transport.close()
        await send({"type": "lifespan.shutdown.complete"})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Provider, str]]:
    made = Provider(reply=REPLY)
    with served(made) as url:
        yield made, url


@asynccontextmanager
async def gateway_of(
    server: tuple[Provider, str], allowed: Mapping[str, Any], *script: Step
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of a gateway on a port of its own, whose callers of every kind may have this."""
    provider, url = server
    provider.script.clear()
    provider.asked.clear()
    provider.script.extend(script)
    origin = f"http://127.0.0.1:{(port := free_port())}"
    layer = {**WIDE, **allowed}
    routing = RoutingSettings(
        mode="tiered",
        escalation=True,
        tiers=TIERS,
        permissions=Layers(levels={"zero_trust": layer, "user": layer}),
    )
    told = [ModelSettings(f"{url}/v1", f"{name}-1", Secret(""), name) for name in ("small", "big")]
    chosen = settings(
        routing=routing,
        more_models=tuple(told),
        public_url=origin,
        limits=LimitSettings(pow_difficulty=1, first_token_s=10, between_tokens_s=10),
    )
    sites = tuple(
        replace(site, api_key=Secret(KEY if at == 0 else ""), tools=("kb.search",))
        for at, site in enumerate(chosen.sites)
    )
    services = make_services(replace(chosen, sites=sites), Time())
    models = [
        Model(each.name, DIALECTS["openai"](each, None, 2.0), Breaker(time.monotonic))
        for each in told
    ]
    services = replace(services, models=models, tasks=packaged_tasks())
    with served(Closing(create_app(services, outbox=False), models), port):
        async with httpx.AsyncClient(timeout=20) as client:
            yield client, origin


@pytest.mark.parametrize("name", CASES)
async def test_a_sites_server_has_what_it_is_allowed(
    server: tuple[Provider, str], name: str
) -> None:
    case = CASES[name]
    body = {"model": "fanlight", "messages": [{"role": "user", "content": UNKNOWN}], **case.body}
    async with gateway_of(server, case.allowed, *case.script) as (client, origin):
        response = await client.post(
            f"{origin}/v1/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {KEY}"},
        )
    told = Heard(
        [json.loads(one) for one in server[0].asked], response.status_code, response.json()
    )
    assert case.right(told), (told.status, told.models, told.tokens, told.read)


@pytest.mark.parametrize("allowed", [True, False])
async def test_streaming_allowed_says_when_a_visitor_reads(
    server: tuple[Provider, str], allowed: bool
) -> None:
    async with gateway_of(server, {"streaming_allowed": allowed}) as (client, origin):
        visitor = Visitor(client, origin, "site_demo", clock=Time())
        await visitor.open_session()
        body = visitor.chat_body(UNKNOWN, stream=True)
        seen = events(await visitor.call("POST", "/v1/chat", body, key="k1"))
    texts = [str(data["text"]) for name, data in seen if name == "delta"]
    assert "".join(texts) == REPLY
    assert (len(texts) == 1) is not allowed


async def test_a_visitors_reply_is_no_longer_than_it_may_be(server: tuple[Provider, str]) -> None:
    async with gateway_of(server, {"max_output_tokens": 40}) as (client, origin):
        visitor = Visitor(client, origin, "site_demo", clock=Time())
        await visitor.open_session()
        await visitor.ask(UNKNOWN)
    assert json.loads(server[0].asked[0])["max_tokens"] == 40
