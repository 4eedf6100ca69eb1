"""A visitor's question whose answer a model looks up: through the whole gateway, over real HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from core.breaker import Breaker
from gateway import services as composition
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.telemetry import HouseTelemetry
from gateway.cli.bench.provider import Calling, Provider
from gateway.configuration.tools import TOOLS
from gateway.pipeline.assemble import Passages
from gateway.pipeline.models import Model
from gateway.pipeline.reach import Patience
from gateway.pipeline.score import Calibrated
from gateway.pipeline.tools.calling import note
from gateway.pipeline.tools.toolbox import House
from gateway.pipeline.transport import Streaming
from gateway.settings import ModelSettings, Secret
from tests.gateway.pipeline.asked import asked
from tests.gateway.serving import served
from tests.gateway.world import settings, world

REPLY = "You can send it back within 30 days; the label is in the box."
QUESTION = "zxqv unknown thing"
SEARCH = Calling((("kb_search", '{"query": "how do I return an order"}'),))


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[Provider, str]]:
    made = Provider(reply=REPLY, logprob=-0.05)
    with served(made) as url:
        yield made, url


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_visitor_reads_what_a_refined_search_found(
    provider: tuple[Provider, str], dialect: str
) -> None:
    made, url = provider
    made.script.append(SEARCH)
    model = DIALECTS[dialect](ModelSettings(url + "/v1", "tiny", Secret("")), None, 2.0)
    chosen = settings()
    sites = tuple(replace(site, tools=("kb.search",)) for site in chosen.sites)
    async with world(transport=model, chosen=replace(chosen, sites=sites)) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask(QUESTION)).json()
    await model.close()
    assert (turn["source"], turn["reply"]) == ("cloud", REPLY)
    assert not turn["escalate"]
    assert "https://shop.example/returns" in [each["url"] for each in turn["citations"]]
    assert turn["usage"]["prompt_tokens"] == 1_800


async def test_a_model_that_goes_round_in_circles_is_let_go() -> None:
    made = Provider(reply="The sky is a blue color. " * 200)
    with served(made) as url:
        model = DIALECTS["openai"](ModelSettings(url + "/v1", "tiny", Secret("")), None, 2.0)
        breaker = Breaker(lambda: 0.0)
        state = asked("what colour has the sky?", max_tokens=2_000)
        state = replace(state, candidates=(Model("tiny", model, breaker),))
        state = await Streaming(Patience(5.0)).run(await Passages().run(state))
        found = await Calibrated().run(state)
        await model.close()
    assert found.written is not None
    assert 100 < len(found.written.reply) < 500
    assert found.turn is not None
    assert (found.turn.confidence, found.turn.escalate) == (0.0, True)
    assert breaker.state == "closed"


async def test_how_likely_the_words_were_moves_what_is_believed(
    provider: tuple[Provider, str],
) -> None:
    found = {}
    for wanted in (True, False):
        chosen = ModelSettings(provider[1] + "/v1", "tiny", Secret(""), logprobs=wanted)
        model = DIALECTS["openai"](chosen, None, 2.0)
        state = asked("what about the label for sending it back?")
        state = replace(state, candidates=(Model("tiny", model, Breaker(lambda: 0.0)),))
        state = await Streaming(Patience(5.0)).run(await Passages().run(state))
        found[wanted] = await Calibrated().run(state)
        await model.close()
    told, untold = found[True], found[False]
    assert told.written is not None
    assert untold.written is not None
    assert told.written.logprob == pytest.approx(-0.05)
    assert untold.written.logprob is None
    assert told.turn is not None
    assert untold.turn is not None
    assert told.turn.confidence > untold.turn.confidence


async def test_calls_are_counted_and_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = HouseTelemetry()
    with caplog.at_level(logging.INFO, logger="fanlight"):
        note(House(telemetry=telemetry), "kb.search", "timeout", 5.0)
    name = "fanlight_tool_calls_total"
    assert f'{name}{{outcome="timeout",tool="kb.search"}} 1.0' in telemetry.exposition().decode()
    [line] = [record for record in caplog.records if record.message == "tool"]
    told = {key: vars(line)[key] for key in ("tool", "outcome", "seconds")}
    assert told == {"tool": "kb.search", "outcome": "timeout", "seconds": 5.0}


def test_an_installed_package_brings_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("kb.search", "gateway.pipeline.tools.search:KnowledgeSearch", TOOLS)
    monkeypatch.setattr(composition, "entry_points", lambda group: [point] * (group == TOOLS))
    [tool] = composition._installed_tools()
    assert tool.name == "kb.search"
