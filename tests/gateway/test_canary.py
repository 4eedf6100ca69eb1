"""A word of the instructions that comes out in a reply: the visitor never gets that reply."""

import re
import secrets
from collections.abc import AsyncIterator

from core.ports import Piece, Prompt
from gateway.pipeline.canary import canaries
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import settings, world

_WORD = re.compile(r"not for replies: (\w+)")


class Leaking:
    """A model that tells a word of its instructions."""

    model = "leaking-1"

    def __init__(self) -> None:
        self.words: list[str] = []

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        found = _WORD.search(prompt.messages[0]["content"])
        assert found
        self.words.append(found[1])
        yield Piece("You wanted to know. It is ")
        yield Piece(" ".join(found[1]).upper())

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_reply_with_a_canary_becomes_the_fallback() -> None:
    model = Leaking()
    async with world(transport=model, chosen=settings(canary=True)) as gateway:
        visitor = await gateway.visitor()
        for key in ("k1", "k2"):
            body = visitor.chat_body("zxqv unknown thing")
            turn = (await visitor.call("POST", "/v1/chat", body, key=key)).json()
            assert (turn["reply"], turn["escalate"]) == ("", True)
            assert turn["reasons"][-1] == "unsafe_reply"
        open_ones = await gateway.truth.escalations(status="open", before=None, limit=10)
        assert all(one.fallback_text for one in open_ones)
    one, other = model.words
    assert one != other


async def test_a_reply_without_it_is_what_the_model_wrote() -> None:
    model = ScriptedModel("Orders return", " within 30 days; the label is in the box.")
    async with world(transport=model, chosen=settings(canary=True)) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing")
        turn = (await visitor.call("POST", "/v1/chat", body, key="k1")).json()
    assert turn["reply"] == "Orders return within 30 days; the label is in the box."
    assert _WORD.search(model.prompts[0].messages[0]["content"])


async def test_without_the_setting_a_prompt_has_none() -> None:
    model = ScriptedModel("Orders return", " within 30 days; the label is in the box.")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        await visitor.call("POST", "/v1/chat", visitor.chat_body("zxqv unknown thing"), key="k1")
    assert not _WORD.search(model.prompts[0].messages[0]["content"])


def test_a_canary_is_a_word_of_sixteen_letters_that_differs() -> None:
    made = {canaries(secrets.token_bytes)[0] for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[b-df-hj-np-t]{16}", word) for word in made)
