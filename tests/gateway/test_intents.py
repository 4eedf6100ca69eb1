"""What a command about memory and a question of several parts end in, through the whole gateway."""

from dataclasses import replace

import pytest

from gateway.adapters.packaged import packaged_intents
from gateway.pipeline.assemble import Passages
from gateway.pipeline.intent import by_parts, reaching
from kb import Entry, build_index, load_index
from tests.gateway.pipeline.asked import asked
from tests.gateway.pipeline.test_assemble import model
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import world


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What do you know about me?", "memory_recall"),
        ("Remember that I am allergic to nuts", "memory_remember"),
        ("olvida todo lo que sabes de mí", "memory_forget"),
        ("מה אתה זוכר עליי?", "memory_recall"),
    ],
)
async def test_a_command_about_memory_is_answered_without_a_model(
    question: str, reason: str
) -> None:
    model = ScriptedModel("never")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask(question)).json()
        open_ones = await gateway.truth.escalations(status="open", before=None, limit=10)
    assert (turn["reasons"], turn["escalate"], turn["source"]) == ([reason], False, "kb")
    assert turn["reply"]
    assert (model.prompts, open_ones) == ([], [])


async def test_a_question_about_memory_that_is_no_command_goes_its_way() -> None:
    model = ScriptedModel("I do not know.")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        await visitor.ask("zxqv does the camera remember its settings")
    assert len(model.prompts) == 1


def test_each_part_of_a_question_finds_its_own_entry_first() -> None:
    state = asked("how do I return an order; when are you open")
    found = by_parts(state, packaged_intents())
    assert {hit.entry.id for hit in found.passages[:2]} == {"returns", "hours"}
    one = asked("how do I return an order")
    assert by_parts(one, packaged_intents()) is one


async def test_a_model_is_given_what_each_part_finds() -> None:
    model = ScriptedModel("Within 30 days; from 9 to 17.")
    question = "zxqv unknown thing; blorb quux unheard of matter"
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask(question)).json()
    prompt = model.prompts[0].messages[0]["content"]
    items = turn["memory"]["known_context"]["known_context_items"]
    assert all(f"<passage {at}>" in prompt for at in range(1, len(items) + 1))
    assert f"<passage {len(items) + 1}>" not in prompt


@pytest.mark.parametrize(
    ("question", "passages"),
    [
        ("Quote me the guide in the manual on thing3", 8),
        ("¿Qué página del manual dice algo de thing3?", 8),
        ("לפי המדריך, מה עם thing3?", 8),
        ("How much is thing3 to buy?", 2),
        ("¿Cuánto cuesta thing3?", 2),
        ("כמה עולה thing3?", 2),
        ("Tell me something on thing3", 4),
    ],
)
async def test_what_is_asked_for_decides_how_many_passages_are_given(
    question: str, passages: int
) -> None:
    entries = [Entry(f"e{n}", "en", f"About thing3 {n}", f"thing3 {n}. " * 400) for n in range(12)]
    index = load_index(build_index(entries))
    state = reaching(asked(question, index=index), packaged_intents())
    assert len(state.passages) == passages
    made = (await Passages().run(replace(state, candidates=(model(128_000),)))).prompt
    assert made is not None
    system = made.messages[0]["content"]
    assert system.count("</passage ") == passages
    longest = max(len(text) for text in system.split("</passage"))
    assert (longest > 3_000) is (passages == 8)


def test_several_questions_get_the_usual_number_of_passages() -> None:
    state = by_parts(asked("how much is it; when are you open"), packaged_intents())
    assert reaching(state, packaged_intents()).reach == 4
