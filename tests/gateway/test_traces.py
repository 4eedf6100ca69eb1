"""The trace of a turn from the browser to the model's server: real HTTP, and a real collector."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.types import Receive, Scope, Send

from core.telemetry import trace_of
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.cli.bench.provider import Calling, Provider
from gateway.cli.bench.servers import SITE, Place, tiered_settings
from gateway.context import load_knowledge
from gateway.services import open_services
from gateway.settings import TelemetrySettings
from tests.gateway.adapters.http_receiver import receiver
from tests.gateway.serving import served
from tests.gateway.world import PACKED

QUESTION = "zxqv unknown thing"
SEARCH = Calling((("kb_search", '{"query": "zxqv order"}'),))


@dataclass
class Heard:
    """A model's server that keeps the `traceparent` of each request."""

    provider: Provider
    parents: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = dict(scope.get("headers", ()))
        if scope["type"] == "http":
            self.parents.append(fields.get(b"traceparent", b"").decode())
        await self.provider(scope, receive, send)


async def traced(folder: Path, heard: Heard) -> tuple[str, list[Any]]:
    """The id of a turn that calls a tool, and its spans as a collector gets them."""
    async with receiver() as collector:
        with served(heard) as url:
            chosen = tiered_settings(Place(8000, folder, f"{url}/v1"))
            [site] = chosen.sites
            stranger = {**chosen.routing.permissions.levels["zero_trust"]}
            layers = replace(
                chosen.routing.permissions,
                levels={"zero_trust": {**stranger, "tool_access": ("kb.search",)}},
            )
            chosen = replace(
                chosen,
                sites=(replace(site, tools=("kb.search",)),),
                routing=replace(chosen.routing, permissions=layers),
                telemetry=TelemetrySettings(f"http://127.0.0.1:{collector.port}"),
            )
            async with open_services(chosen, {SITE: load_knowledge(PACKED, None)}) as services:
                app = create_app(services)
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, timeout=20) as client:
                    turn = await _ask(Visitor(client, "http://localhost:8000", SITE))
        return turn, _spans([request.body for request in collector.received])


async def _ask(visitor: Visitor) -> str:
    await visitor.open_session()
    body = visitor.chat_body(QUESTION)
    turn = str(body["turn_id"])
    request = await visitor.request("POST", "/v1/chat", body, key="k1")
    trace = trace_of(turn)
    request.headers["traceparent"] = f"00-{trace}-{trace[16:]}-01"
    response = await visitor.client.send(request)
    assert response.json()["source"] == "cloud", response.text
    return turn


def _spans(bodies: list[bytes]) -> list[Any]:
    raws = [gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for body in bodies]
    told = [ExportTraceServiceRequest.FromString(raw) for raw in raws]
    return [
        span
        for one in told
        for resource in one.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@pytest.fixture
def heard() -> Heard:
    return Heard(Provider([SEARCH]))


async def test_a_trace_goes_from_the_browser_over_every_stage_to_each_call_of_the_model(
    heard: Heard, tmp_path: Path
) -> None:
    turn, spans = await traced(tmp_path, heard)
    of_turn = [span for span in spans if span.trace_id.hex() == trace_of(turn)]
    by_id = {span.span_id: span for span in of_turn}
    parents = {
        (span.name, by_id[span.parent_span_id].name)
        for span in of_turn
        if span.parent_span_id in by_id
    }
    assert parents >= {
        ("turn", "POST /v1/chat"),
        ("gate", "turn"),
        ("model", "turn"),
        ("classify", "model"),
        ("route", "model"),
        ("hold", "route"),
        ("assemble", "model"),
        ("transport", "model"),
        ("ask", "transport"),
        ("tools", "transport"),
        ("tool", "tools"),
        ("score", "model"),
        ("learn", "model"),
        ("commit", "turn"),
    }
    asks = [span for span in of_turn if span.name == "ask"]
    assert len(asks) == 2  # one with its tools to run, one with what they gave
    assert sorted(heard.parents) == sorted(
        f"00-{trace_of(turn)}-{span.span_id.hex()}-01" for span in asks
    )


async def test_a_trace_says_what_was_decided_and_nothing_that_was_said(
    heard: Heard, tmp_path: Path
) -> None:
    _, spans = await traced(tmp_path, heard)
    told = {
        span.name: {one.key.removeprefix("fanlight."): one.value.string_value
                    for one in span.attributes}
        for span in spans
    }  # fmt: skip
    assert told["route"]["tier"] in ("everyday", "hard")
    assert told["route"]["reason"] in ("complexity", "unsure")
    assert told["route"]["models"] in ("cheap", "dear")
    assert 0 <= float(told["classify"]["complexity"]) <= 1
    assert told["classify"]["task"]
    assert told["ask"] == {"model": told["route"]["models"]}
    assert told["tool"] == {"tool": "kb.search"}
    assert int(told["transport"]["micros"]) > 0
    assert told["transport"]["read"] == "1800"
    assert 0 < float(told["score"]["confidence"]) < 1
    assert "zxqv" not in str(told)
