"""The way to a model's reply, over real servers that fail in every way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from core.breaker import Breaker, Rule
from core.errors import Unavailable
from core.ports import Prompt
from core.telemetry import MODEL_CALLS, Metric, Silent
from gateway.adapters.openai_dialect import OpenAiTransport
from gateway.cli.bench.provider import Provider, Step
from gateway.pipeline.deadlines import Deadlines, Hurry
from gateway.pipeline.models import Model
from gateway.pipeline.reach import Patience, Reach
from gateway.settings import ModelSettings, Secret
from tests.gateway.serving import served

PROMPT = Prompt([{"role": "user", "content": "hello"}], 64)
REPLIES = {"one": "I am the first model", "two": "I am the second model"}
CALM = Patience(first_s=20.0)
"""For a machine that does much else: nothing here waits for so long."""
SOON = Patience(first_s=1.6)
"""Where a server says nothing."""


@dataclass
class Time:
    """The breakers' clock, set by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Counting(Silent):
    """Telemetry that keeps how calls of models ended."""

    ended: list[tuple[str, str]] = field(default_factory=list)

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        if metric is MODEL_CALLS:
            self.ended.append((labels["model"], labels["outcome"]))


@dataclass
class House:
    """Two model servers, and the models on them."""

    providers: dict[str, Provider]
    models: tuple[Model, ...]
    time: Time
    telemetry: Counting = field(default_factory=Counting)

    @property
    def state(self) -> str:
        """The breaker of the first model."""
        return self.models[0].breaker.state

    def will(self, name: str, *steps: Step) -> None:
        """The next calls of a model end so."""
        self.providers[name].script.extend(steps)

    async def ask(self, patience: Patience = CALM, *, models: int = 2) -> str:
        """The reply to one question; raises `Unavailable`."""
        chosen = self.models[:models]
        reach = Reach(chosen, PROMPT, patience, lambda: 0.0, self.telemetry)
        hurry = Hurry(Deadlines(patience.first_s, patience.first_s / 4, 60.0))
        try:
            return "".join([piece.text async for piece in hurry.over(reach.pieces())])
        except Unavailable:
            reach.broke_off()
            raise


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, tuple[Provider, str]]]:
    one, two = Provider(reply=REPLIES["one"]), Provider(reply=REPLIES["two"], retry_after="0")
    with served(one) as first, served(two) as second:
        yield {"one": (one, first), "two": (two, second)}


@pytest.fixture
async def house(servers: dict[str, tuple[Provider, str]]) -> AsyncIterator[House]:
    transports = {
        name: OpenAiTransport(ModelSettings(url + "/v1", name, Secret("")))
        for name, (_, url) in servers.items()
    }
    clock = Time()
    models = tuple(
        Model(name, transport, Breaker(clock, Rule(failures=3, rest_s=0.3)))
        for name, transport in transports.items()
    )
    for provider, _ in servers.values():
        provider.script.clear()
        provider.asked.clear()
    yield House({name: provider for name, (provider, _) in servers.items()}, models, clock)
    for transport in transports.values():
        await transport.close()


async def test_the_preferred_model_answers_and_no_other_is_asked(house: House) -> None:
    assert await house.ask() == REPLIES["one"]
    assert not house.providers["two"].asked
    assert house.telemetry.ended == [("one", "answered")]


BEFORE: tuple[Step, ...] = ("hang", "garbage", "refuse", "busy", "decline")


@pytest.mark.parametrize("step", BEFORE)
async def test_where_one_fails_before_its_first_word_the_next_answers(
    house: House, step: Step
) -> None:
    house.will("one", step)
    assert await house.ask(SOON if step == "hang" else CALM) == REPLIES["two"]
    ended = {"hang": "late", "decline": "declined"}.get(str(step), "failed")
    assert house.telemetry.ended == [("one", ended), ("two", "answered")]


@pytest.mark.parametrize("step", ["refuse", "garbage"])
async def test_a_model_that_is_alone_is_asked_again_after_a_pause(house: House, step: Step) -> None:
    house.will("one", step)
    assert await house.ask(models=1) == REPLIES["one"]
    assert len(house.providers["one"].asked) == 2


@pytest.mark.parametrize(("step", "asked"), [("decline", 1), ("hang", 1), ("refuse", 2)])
async def test_what_is_in_vain_is_not_repeated(house: House, step: Step, asked: int) -> None:
    house.will("one", step, step, step)
    with pytest.raises(Unavailable):
        await house.ask(SOON if step == "hang" else CALM, models=1)
    assert len(house.providers["one"].asked) == asked


async def test_a_server_that_asks_for_a_pause_gets_it_or_is_left(house: House) -> None:
    house.will("one", "busy")
    with pytest.raises(Unavailable, match="429"):
        await house.ask(Patience(first_s=0.9), models=1)
    assert len(house.providers["one"].asked) == 1
    house.will("one", "busy")
    assert await house.ask(models=1) == REPLIES["one"]


@pytest.mark.parametrize("step", ["reset", "half", "stall", "error"])
async def test_after_the_first_word_nothing_is_repeated(house: House, step: Step) -> None:
    house.will("one", step)
    with pytest.raises(Unavailable):
        await house.ask(SOON if step == "stall" else CALM)
    assert len(house.providers["one"].asked) == 1
    assert not house.providers["two"].asked
    assert house.telemetry.ended == [("one", "broke_off")]


async def test_when_all_fail_the_turn_ends_within_its_time(house: House) -> None:
    house.will("one", "refuse", "refuse")
    house.will("two", "hang", "hang")
    with pytest.raises(Unavailable):
        await house.ask(SOON)


async def test_the_breaker_opens_and_closes_again(house: House) -> None:
    house.will("one", "refuse", "refuse", "refuse")
    for _ in range(3):
        assert await house.ask() == REPLIES["two"]
    assert house.state == "open"
    house.providers["one"].asked.clear()
    assert await house.ask() == REPLIES["two"]
    assert not house.providers["one"].asked
    house.time.now += 0.3
    assert await house.ask() == REPLIES["one"]
    assert house.state == "closed"


async def test_a_stream_that_always_breaks_off_opens_the_breaker_too(house: House) -> None:
    house.will("one", "half", "half", "half")
    for _ in range(3):
        with pytest.raises(Unavailable):
            await house.ask(models=1)
    assert house.state == "open"
    with pytest.raises(Unavailable, match="no model may be asked now"):
        await house.ask(models=1)


async def test_what_a_model_declines_says_nothing_against_it(house: House) -> None:
    for _ in range(5):
        house.will("one", "decline")
        assert await house.ask() == REPLIES["two"]
    assert house.state == "closed"


HEDGED = Patience(first_s=20.0, hedge_after_s=0.05)


async def test_a_rival_answers_where_the_first_takes_long(house: House) -> None:
    house.will("one", "hang")
    assert await house.ask(HEDGED) == REPLIES["two"]
    assert sorted(house.telemetry.ended) == [("one", "left"), ("two", "answered")]
    assert house.state == "closed"


async def test_where_the_rival_fails_the_first_may_still_answer(house: House) -> None:
    house.will("one", "hang")
    house.will("two", "refuse")
    with pytest.raises(Unavailable):
        await house.ask(Patience(first_s=1.6, rounds=1, hedge_after_s=0.05))
    assert house.telemetry.ended == [("two", "failed"), ("one", "late")]


async def test_no_rival_is_asked_where_the_first_is_quick(house: House) -> None:
    assert await house.ask(Patience(first_s=40.0, hedge_after_s=20.0)) == REPLIES["one"]
    assert not house.providers["two"].asked


async def test_who_leaves_lets_go_of_the_server(house: House) -> None:
    house.will("one", "stall")
    reach = Reach(house.models, PROMPT, CALM, lambda: 0.0, house.telemetry)
    pieces = reach.pieces()
    assert (await anext(pieces)).text == "I am"
    await pieces.aclose()  # type: ignore[attr-defined]
    assert await house.ask() == REPLIES["one"]
    assert house.telemetry.ended == [("one", "answered")]


async def test_the_question_is_asked_alike_of_each(house: House) -> None:
    house.will("one", "refuse")
    await house.ask()
    bodies = [json.loads(provider.asked[0]) for provider in house.providers.values()]
    assert [body["model"] for body in bodies] == ["one", "two"]
    assert bodies[0]["messages"] == bodies[1]["messages"] == list(PROMPT.messages)
