"""What the model is given: the catalogue's words, and never more than every candidate can read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from core.breaker import Breaker
from core.messages import MemoryTurn
from core.ports import Piece, Prompt
from core.prompting.budget import MESSAGE, estimate
from core.prompting.template import CLOUD
from gateway.pipeline.assemble import Passages
from gateway.pipeline.models import Measure, Model
from gateway.pipeline.prompt import Instructions, Ready
from tests.gateway.pipeline.asked import asked


class Nobody:
    """A model that is never asked."""

    model = "nobody"

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        yield Piece(str(prompt))

    async def close(self) -> None:
        """Nothing is open."""


class One:
    """A catalogue with one template, which keeps what it was asked for."""

    def __init__(self, found: Instructions | None) -> None:
        self.found = found
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []

    def instructions(
        self, task_type: str, locale: str, values: Mapping[str, str]
    ) -> Instructions | None:
        self.asked.append((task_type, locale, values))
        return self.found


def model(context_tokens: int, ratio: float = 1.0) -> Model:
    made = Model("m", Nobody(), Breaker(lambda: 0.0), context_tokens)
    made.measure.ratio = ratio
    return made


TALK = [
    MemoryTurn(role, f"{role} says number {number} of a long talk about returning orders. " * 6)
    for number in range(40)
    for role in ("user", "assistant")
]


def tokens(prompt: Prompt) -> int:
    return sum(estimate(each["content"]) + MESSAGE for each in prompt.messages)


async def prompt(
    *candidates: Model, prompts: One | None = None, question: str = "zxqv unknown thing"
) -> Prompt:
    state = replace(asked(question, memory=TALK), candidates=candidates)
    made = (await Passages(prompts).run(state)).prompt
    assert made is not None
    return made


@pytest.mark.parametrize("context_tokens", [600, 1_000, 4_000])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
async def test_the_prompt_and_its_reply_fit_the_smallest_window(
    context_tokens: int, ratio: float
) -> None:
    made = await prompt(model(128_000), model(context_tokens, ratio))
    assert ratio * tokens(made) + made.max_tokens <= context_tokens
    assert made.messages[-1]["content"] == "zxqv unknown thing"
    assert made.messages[0]["role"] == "system"


async def test_the_latest_turns_stay_and_older_ones_are_summed_up() -> None:
    made = await prompt(model(2_000))
    said = [each["content"] for each in made.messages[1:-1]]
    assert said[-1] == TALK[-1].content
    assert len(said) < len(TALK)
    assert "<earlier>" in made.messages[0]["content"]


async def test_the_words_come_from_the_catalogue_by_task_and_language() -> None:
    one = One(Instructions(Ready("Be {brief} at Shop.\n"), 500))
    made = await prompt(model(128_000), prompts=one, question="¿Dónde está mi zxqv paquete?")
    assert made.messages[0]["content"].startswith("Be {brief} at Shop.")
    assert tokens(made) <= 500 + MESSAGE
    [(task, locale, values)] = one.asked
    assert (task, locale) == ("chat", "es")
    assert values == {
        "name": "Shop", "language": "Spanish", "locale": "es", "task_type": "chat",
    }  # fmt: skip


async def test_a_broken_template_leaves_the_minimal_prompt() -> None:
    made = await prompt(model(8_000), prompts=One(None))
    assert made.messages[0]["content"].startswith(
        CLOUD.filled(CLOUD.system, name="Shop", locale="")
    )


async def test_a_question_that_no_window_holds_goes_to_a_person() -> None:
    long = One(Instructions(Ready("word " * 5_000), 16_000))
    state = replace(asked(), candidates=(model(600),))
    turn = (await Passages(long).run(state)).turn
    assert turn is not None
    assert (turn.escalate, turn.reasons[-1]) == (True, "model_unavailable")


def test_a_server_that_tells_its_tokens_corrects_the_estimate() -> None:
    measure, told = Measure(), Prompt([{"role": "user", "content": "x" * 376}], 9)
    measure.learn(told, 200)
    assert measure.ratio == 2.0
    measure.learn(told, 100)
    assert measure.ratio == 1.8
    measure.learn(told, 10**9)
    assert measure.ratio < 3.0
    measure.learn(told, 0)
    measure.learn(Prompt([], 9), 100)
    assert measure.ratio < 3.0


@pytest.mark.parametrize("prompts", [None, One(Instructions(Ready("RULES.\n")))])
async def test_the_personality_comes_first_and_the_rules_stand_behind_it(
    prompts: One | None,
) -> None:
    state = asked("How do I return it?")
    ana = replace(state.site, manner=lambda locale: f"Your name is Ana ({locale}).")
    plain = (await Passages(prompts).run(state)).prompt
    prompt = (await Passages(prompts).run(replace(state, site=ana))).prompt
    assert plain is not None
    assert prompt is not None
    rules = plain.messages[0]["content"]
    assert prompt.messages[0]["content"] == f"Your name is Ana (en).\n\n{rules}"
    assert prompt.messages[1:] == plain.messages[1:]


async def test_without_a_good_personality_the_rules_stand_alone() -> None:
    state = asked("How do I return it?")
    lost = replace(state, site=replace(state.site, manner=lambda _locale: None))
    assert (await Passages().run(lost)).prompt == (await Passages().run(state)).prompt
