"""What a command about memory and a question of several parts end in, through the whole gateway."""

import pytest

from gateway.adapters.packaged import packaged_intents
from gateway.pipeline.intent import by_parts
from tests.gateway.pipeline.asked import asked
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
