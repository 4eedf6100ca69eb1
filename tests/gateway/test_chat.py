"""`POST /v1/chat`: answers, escalations, idempotency, receipts and streams."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from core import jose
from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from core.receipts import chain_hash
from core.scope import anonymous
from gateway.context import SiteKnowledge, load_knowledge
from kb import Entry, build_index
from tests.gateway.world import World, world


class ScriptedModel:
    """A model server whose reply is written beforehand; `None` in the script hangs."""

    model = "scripted-1"

    def __init__(self, *script: str | Exception | None) -> None:
        self.script = script
        self.prompts: list[Prompt] = []

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.prompts.append(prompt)
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if step is None:
                await asyncio.sleep(3600)
            else:
                yield Piece(step)
        yield Piece(usage=Usage(12, 3))

    async def close(self) -> None:
        """Nothing is open."""


def events(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    """The server-sent events of a finished stream."""
    found = []
    for block in response.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_the_knowledge_base_answers_with_its_citation(gateway: World) -> None:
    visitor = await gateway.visitor()
    response = await visitor.ask("How do I return an order?")
    turn = response.json()
    assert response.status_code == 200, turn
    assert turn["reply"].startswith("Send it back within **30 days**")
    assert turn["source"] == "kb"
    assert turn["escalate"] is False
    assert turn["confidence"] >= 0.55
    assert turn["citations"] == [{"title": "Returns", "url": "https://shop.example/returns"}]


async def test_the_question_language_decides_the_answer_language(gateway: World) -> None:
    visitor = await gateway.visitor()
    turn = (await visitor.ask("¿Cómo devuelvo un pedido?", locale="en")).json()
    assert turn["reply"].startswith("Devuélvelo")


async def test_without_a_model_an_unknown_question_says_so_and_escalates(gateway: World) -> None:
    visitor = await gateway.visitor()
    turn = (await visitor.ask("Which stone is the moon made of?")).json()
    assert turn["reply"] == ""
    assert turn["escalate"] is True
    assert turn["reasons"][-1] == "no_model"
    [open_one] = await gateway.truth.escalations(status="open", before=None, limit=10)
    assert (open_one.turn_id, open_one.question) == (turn["id"], "Which stone is the moon made of?")
    assert open_one.fallback_text


async def test_an_entry_marked_always_is_shown_and_escalates(gateway: World) -> None:
    visitor = await gateway.visitor()
    turn = (await visitor.ask("I want to make a legal complaint")).json()
    assert turn["reply"] == "A person will take care of this."
    assert turn["reasons"] == ["always"]
    [open_one] = await gateway.truth.escalations(status="open", before=None, limit=10)
    assert open_one.reason == "always"


async def test_cards_leave_the_question_before_it_is_kept(gateway: World) -> None:
    visitor = await gateway.visitor()
    await visitor.ask("zxqv my card is 4111 1111 1111 1111 ok")
    [open_one] = await gateway.truth.escalations(status="open", before=None, limit=10)
    assert "4111" not in open_one.question
    assert "[card]" in open_one.question


async def test_what_the_knowledge_base_lacks_goes_to_the_model() -> None:
    model = ScriptedModel("Orders return", " within 30 days; the label is in the box.")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        memory = [{"role": "user", "content": "earlier"}]
        body = visitor.chat_body("zxqv unknown thing", training_memory=memory)
        turn = (await visitor.call("POST", "/v1/chat", body, key="k1")).json()
    assert turn["source"] == "cloud"
    assert turn["model"] == "scripted-1"
    assert turn["usage"] == {"prompt_tokens": 12, "completion_tokens": 3}
    assert [m["role"] for m in model.prompts[0].messages] == ["system", "user"]
    assert model.prompts[0].messages[1]["content"] == "earlier\n\nzxqv unknown thing"


async def test_what_a_model_thinks_is_kept_apart_and_not_streamed() -> None:
    model = ScriptedModel("<thi", "nk>Hm, 30", " days.</think>\nWithin", " 30 days.")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing", stream=True)
        seen = events(await visitor.call("POST", "/v1/chat", body, key="k1"))
    turn = seen[-1][1]["turn"]
    assert isinstance(turn, dict)
    assert (turn["reply"], turn["reasoning"]) == ("Within 30 days.", "Hm, 30 days.")
    assert "".join(str(data["text"]) for name, data in seen if name == "delta") == turn["reply"]


async def test_a_model_that_failed_for_everyone_is_not_waited_for() -> None:
    model = ScriptedModel(Unavailable("the model server failed"))
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        turns = [(await visitor.ask(f"zxqv unknown {n}")).json() for n in range(4)]
    assert {turn["reasons"][-1] for turn in turns} == {"model_unavailable"}
    assert len(model.prompts) == 5


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ((None,), "model_unavailable"),
        (("Half a", None), "model_unavailable"),
        ((Unavailable("the model server failed"),), "model_unavailable"),
        (("word " * 4000,), "model_unavailable"),
        (("",), "empty"),
        (("I do not know.",), "low_confidence"),
        (("Bananas orbit purple engines.",), "low_confidence"),
    ],
)
async def test_a_model_that_fails_or_guesses_escalates(
    script: tuple[str | Exception | None, ...], reason: str
) -> None:
    async with world(transport=ScriptedModel(*script)) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask("Which stone is the moon made of?")).json()
        assert turn["escalate"] is True
        assert reason in turn["reasons"]
        assert len(await gateway.truth.escalations(status="open", before=None, limit=10)) == 1


async def test_a_stream_gives_deltas_then_the_turn_and_its_receipt() -> None:
    async with world(transport=ScriptedModel("One ", "two")) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing", stream=True)
        response = await visitor.call("POST", "/v1/chat", body, key="k1")
        again = await visitor.call("POST", "/v1/chat", body, key="k1")
    assert response.headers["content-type"].startswith("text/event-stream")
    seen = events(response)
    assert [name for name, _ in seen] == ["meta", "delta", "delta", "meta", "done"]
    done = seen[-1][1]
    assert isinstance(done["receipt"], str)
    assert done["turn"]["reply"] == "One two"  # type: ignore[index]
    assert events(again) == [seen[-1]]


async def test_a_repeated_call_gives_the_same_answer_and_receipt(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = visitor.chat_body("When are you open?")
    first = await visitor.call("POST", "/v1/chat", body, key="k1")
    second = await visitor.call("POST", "/v1/chat", body, key="k1")
    assert first.content == second.content
    assert first.headers["x-integrity"] == second.headers["x-integrity"]


async def test_a_key_with_another_body_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    await visitor.call("POST", "/v1/chat", visitor.chat_body("When are you open?"), key="k1")
    response = await visitor.call("POST", "/v1/chat", visitor.chat_body("Other"), key="k1")
    assert (response.status_code, response.json()["field"]) == (422, "idempotency-key")


async def test_a_call_still_running_is_told_to_wait() -> None:
    async with world(transport=ScriptedModel(None)) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing")
        running = asyncio.create_task(visitor.call("POST", "/v1/chat", body, key="k1"))
        await asyncio.sleep(0.1)
        second = await visitor.call("POST", "/v1/chat", body, key="k1")
        assert second.status_code == 409
        assert second.headers["retry-after"] == "1"
        assert (await running).status_code == 200


async def test_receipts_form_a_chain_that_the_gateways_key_verifies(gateway: World) -> None:
    visitor = await gateway.visitor()
    first = (await visitor.ask("When are you open?")).headers["x-integrity"]
    second = (await visitor.ask("When are you open?")).headers["x-integrity"]
    parts = jose.split(second)
    assert parts.payload["prev"] == chain_hash(first)
    assert jose.split(first).payload["prev"] is None
    [key] = (
        await gateway.client.get("http://localhost:8000/.well-known/fanlight-keys.json")
    ).json()["keys"]
    jwk = {name: key[name] for name in jose.JWK_MEMBERS}
    verifier = gateway.services.verifier
    assert await verifier.verify(jwk, parts.signed, parts.signature)
    assert not await verifier.verify(jwk, parts.signed + b"x", parts.signature)


async def test_parallel_calls_of_one_session_keep_one_chain(gateway: World) -> None:
    visitor = await gateway.visitor()
    responses = await asyncio.gather(*(visitor.ask("When are you open?") for _ in range(8)))
    receipts = [response.headers["x-integrity"] for response in responses]
    previous = {jose.split(receipt).payload["prev"] for receipt in receipts}
    assert len(previous) == 8
    assert previous <= {None, *map(chain_hash, receipts)}


async def test_another_subjects_conversation_is_absent(gateway: World) -> None:
    one, other = await gateway.visitor(), await gateway.visitor()
    body = one.chat_body("When are you open?")
    assert (await one.call("POST", "/v1/chat", body, key="k1")).status_code == 200
    stolen = {**one.chat_body("hello"), "conversation_id": body["conversation_id"]}
    response = await other.call("POST", "/v1/chat", stolen, key="k2")
    assert response.status_code == 404


async def test_a_stream_ends_with_a_last_event_when_the_gateway_stops() -> None:
    async with world(transport=ScriptedModel("One ", None)) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing", stream=True)
        reading = asyncio.create_task(visitor.call("POST", "/v1/chat", body, key="k1"))
        await asyncio.sleep(0.1)
        gateway.services.bell.close()
        assert events(await reading)[-1][0] in {"done", "problem"}


async def test_an_id_of_another_subject_wakes_no_model() -> None:
    model = ScriptedModel("never")
    async with world(transport=model) as gateway:
        one, other = await gateway.visitor(), await gateway.visitor()
        body = one.chat_body("When are you open?")
        await one.call("POST", "/v1/chat", body, key="k1")
        stolen = {**one.chat_body("zxqv unknown"), "conversation_id": body["conversation_id"]}
        assert (await other.call("POST", "/v1/chat", stolen, key="k2")).status_code == 404
    assert model.prompts == []


async def test_a_turn_is_answered_once_whatever_the_key(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = visitor.chat_body("When are you open?")
    assert (await visitor.call("POST", "/v1/chat", body, key="k1")).status_code == 200
    again = await visitor.call("POST", "/v1/chat", body, key="k2")
    assert (again.status_code, again.json()["field"]) == (422, "turn_id")


async def test_a_turn_raced_under_several_keys_is_asked_and_stored_once() -> None:
    model = ScriptedModel("Hello")
    async with world(transport=model) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing")
        replies = await asyncio.gather(
            *(visitor.call("POST", "/v1/chat", body, key=f"k{n}") for n in range(4))
        )
    codes = sorted(reply.status_code for reply in replies)
    # Running still, or answered already: whichever a call finds.
    assert codes[0] == 200
    assert set(codes[1:]) <= {409, 422}
    assert len(model.prompts) == 1


@pytest.mark.parametrize(("memory", "kept"), [(True, True), (False, False)])
async def test_without_consent_an_answered_turn_is_not_kept(
    gateway: World, memory: bool, kept: bool
) -> None:
    visitor = gateway.stranger()
    await visitor.open_session(memory=memory)
    scope = anonymous("site_demo", visitor.keyid)
    answered = (await visitor.ask("When are you open?")).json()
    assert (await gateway.truth.turn(scope, answered["id"]) is not None) is kept
    escalated = (await visitor.ask("zxqv unknown thing")).json()
    assert await gateway.truth.turn(scope, escalated["id"]) is not None


async def test_a_stopping_gateway_commits_the_turn_of_a_visitor_who_left() -> None:
    async with world(transport=ScriptedModel("One ", None), patience_s=60) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("zxqv unknown thing", stream=True)
        leaving = asyncio.create_task(visitor.call("POST", "/v1/chat", body, key="k1"))
        await asyncio.sleep(0.1)
        leaving.cancel()
        truth = gateway.truth
    [kept] = await truth.escalations(status="open", before=None, limit=9)
    assert kept.turn_id == body["turn_id"]


CLOSE = (
    Entry(
        "cancel-order", "en", "How do I cancel my order?", "In your orders.",
        ("cancelling an order", "stop my order"),
    ),
    Entry(
        "cancel-plan", "en", "How do I cancel my plan?", "In your account. The money comes back.",
        ("cancelling a plan", "end my plan"),
    ),
    Entry("plan", "en", "What is in the plan?", "Everything.", ("the plan",)),
    Entry("hours", "en", "When are you open?", "We are open {{hours}}.", ("opening hours",)),
    Entry("usual", "en", "hours", "from 9 to 17", tags=("slot:hours",)),
    Entry("then", "en", "hours then", "never", tags=("slot:hours",), valid_from="2026-09-22"),
)  # fmt: skip


@pytest.fixture(scope="module")
def close() -> SiteKnowledge:
    return load_knowledge(build_index(CLOSE), None)


async def test_where_a_few_are_close_the_turn_asks_back(close: SiteKnowledge) -> None:
    model = ScriptedModel("Never asked.")
    async with world(knowledge=close, transport=model) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask("how do i cancel")).json()
        assert {choice["entry_id"] for choice in turn["choices"]} == {"cancel-order", "cancel-plan"}
        assert turn["reply"].startswith("Which of these do you mean?\n\n- How do I cancel my ")
        assert turn["reasons"] == ["clarify"]
        assert turn["escalate"] is False
        assert turn["confidence"] >= 0.55
        assert model.prompts == []
        assert await gateway.truth.escalations(status="all", before=None, limit=10) == []


async def test_who_means_none_of_them_gets_further(close: SiteKnowledge) -> None:
    async with world(knowledge=close) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask("how do i cancel", options={"clarify": False})).json()
        assert turn["choices"] == []
        assert turn["escalate"] is True
        assert turn["reasons"] == ["low_confidence", "no_model"]


async def test_a_question_is_read_after_the_one_before(close: SiteKnowledge) -> None:
    async with world(knowledge=close) as gateway:
        visitor = await gateway.visitor()
        before = {"role": "user", "content": "What is in the plan?"}
        turn = (await visitor.ask("and cancelling it?", training_memory=[before])).json()
        assert turn["reply"].startswith("In your account.")


async def test_an_answer_says_what_holds_on_the_day(close: SiteKnowledge) -> None:
    async with world(knowledge=close) as gateway:
        visitor = await gateway.visitor()
        first = (await visitor.ask("When are you open?")).json()["reply"]
        gateway.time.now += 24 * 3600
        visitor = await gateway.visitor()
        assert (first, (await visitor.ask("When are you open?")).json()["reply"]) == (
            "We are open from 9 to 17.",
            "We are open never.",
        )
