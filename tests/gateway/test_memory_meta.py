"""What was looked at, told twice in a stream, and kept with the turn without the question."""

import json
from typing import Any

import pytest

from tests.core.test_memory_meta import VALIDATOR
from tests.gateway.test_chat import ScriptedModel, events
from tests.gateway.world import World, world


async def streamed(gateway: World, question: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    visitor = await gateway.visitor()
    body = visitor.chat_body(question, stream=True)
    seen = events(await visitor.call("POST", "/v1/chat", body, key="k1"))
    metas = [data for name, data in seen if name == "meta"]
    names = [name for name, _ in seen]
    assert names[0] == "meta"
    assert names[-2:] == ["meta", "done"]
    turn = seen[-1][1]["turn"]
    assert isinstance(turn, dict)
    return metas, turn


@pytest.mark.parametrize("question", ["How do I return an order?", "zxqv unknown thing"])
async def test_every_meta_event_is_one_of_the_schema(question: str) -> None:
    async with world(transport=ScriptedModel("Orders return within 30 days.")) as gateway:
        metas, turn = await streamed(gateway, question)
    assert len(metas) == 2
    for meta in (*metas, turn["memory"]):
        VALIDATOR.validate(meta)
        assert meta["assistant_message_id"] == turn["id"]
    assert metas[0]["citations"] == []


async def test_an_entrys_answer_cites_the_entry() -> None:
    async with world() as gateway:
        metas, turn = await streamed(gateway, "How do I return an order?")
    assert [one["memory_id"] for one in metas[1]["citations"]] == ["kb:returns"]
    assert metas[1]["debug"]["retrieval_confidence"] == "high"
    assert metas[1]["known_context"]["known_context_items"] == []
    assert turn["memory"]["feedback"]["eligible"] is True


async def test_a_kept_turn_does_not_repeat_the_question() -> None:
    question = "zxqv unknown thing"
    async with world() as gateway:
        metas, turn = await streamed(gateway, question)
    assert metas[1]["retrieval"]["query"] == question
    assert question not in json.dumps(turn)
    assert turn["memory"]["feedback"] == {
        "eligible": False,
        "interrupted": False,
        "eligible_reason": "no_answer",
        "default_related_positions": [],
    }
