"""Caps at their boundaries: the largest that is taken, and one more that is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.types import Message

from core.ports import Piece, Prompt
from core.respond import Response, respond
from gateway import wire
from gateway.adapters.visitor import Visitor
from gateway.settings import LimitSettings
from tests.gateway.test_escalations import answer, escalation
from tests.gateway.test_integrity import problem
from tests.gateway.world import World, settings, world


def padded(body: dict[str, Any], size: int) -> dict[str, Any]:
    """The body, well formed, with as long a memory and question as give it `size` bytes."""
    made = {**body, "training_memory": memory(8_000, 6)}
    made["message"] = {"content": "y", "mode": "text"}
    missing = size - len(json.dumps(made).encode())
    made["message"] = {"content": "y" + "z" * missing, "mode": "text"}
    return made


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
async def test_a_body_may_have_so_many_bytes(extra: int, status: int) -> None:
    limits = LimitSettings(pow_difficulty=1, body_bytes=50_000)
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor = await gateway.visitor()
        body = padded(visitor.chat_body("y"), 50_000 + extra)
        response = await visitor.call("POST", "/v1/chat", body, key="k")
        assert response.status_code == status, response.text[:200]


def memory(content: int, turns: int = 1) -> list[dict[str, str]]:
    return [{"role": "user", "content": "x" * content}] * turns


CHAT: dict[str, tuple[Callable[[int], dict[str, Any]], int, str]] = {
    "a question": (
        lambda n: {"message": {"content": "x" * n, "mode": "text"}}, 8_000, "message.content",
    ),
    "a remembered line": (
        lambda n: {"training_memory": memory(n)}, 8_000, "training_memory.0.content",
    ),
    "remembered lines": (lambda n: {"training_memory": memory(1, n)}, 6, "training_memory"),
    "words of a reply": (lambda n: {"options": {"max_tokens": n}}, 4_096, "options.max_tokens"),
    "a memory's name": (
        lambda n: {"metadata": {"memory_key": "x" * n}}, 64, "metadata.memory_key",
    ),
    "a memory's window": (
        lambda n: {"metadata": {"memory_window": n}}, 40, "metadata.memory_window",
    ),
    "a trap's text": (lambda n: {"metadata": {"website": "x" * n}}, 200, "metadata.website"),
    "an entry's id": (
        lambda n: {"metadata": {"gate": {"entry_id": "x" * n}}}, 200, "metadata.gate.entry_id",
    ),
}  # fmt: skip

ESCALATION: dict[str, tuple[Callable[[int], dict[str, Any]], int, str]] = {
    "a question": (lambda n: {"question": "x" * n}, 8_000, "question"),
    "a fallback": (lambda n: {"fallback_text": "x" * n}, 8_000, "fallback_text"),
    "a tail": (lambda n: {"conversation_tail": memory(1, n)}, 6, "conversation_tail"),
    "a line of the tail": (
        lambda n: {"conversation_tail": memory(n)}, 8_000, "conversation_tail.0.content",
    ),
    "a contact": (lambda n: {"contact": "x" * n, "contact_consent": "Yes."}, 200, "contact"),
    "a consent": (
        lambda n: {"contact": "a@example.com", "contact_consent": "x" * n}, 1_000,
        "contact_consent",
    ),
    "a receipt": (lambda n: {"receipt": "x" * n}, 4_096, "receipt"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAT)
async def test_a_chats_field_has_a_largest_value(gateway: World, name: str) -> None:
    make, most, field = CHAT[name]
    visitor = await gateway.visitor()
    replies = []
    for size in (most, most + 1):
        body = {**visitor.chat_body("When are you open?"), **make(size)}
        replies.append(await visitor.call("POST", "/v1/chat", body, key=f"k{size}"))
    assert [reply.status_code for reply in replies] == [200, 400], replies[0].text[:300]
    assert replies[1].json()["field"] == field


@pytest.mark.parametrize("name", ESCALATION)
async def test_an_escalations_field_has_a_largest_value(gateway: World, name: str) -> None:
    make, most, field = ESCALATION[name]
    visitor = await gateway.visitor()
    replies = []
    for size in (most, most + 1):
        body = escalation(visitor, **make(size))
        replies.append(await visitor.call("POST", "/v1/escalations", body, key=f"k{size}"))
    assert [reply.status_code for reply in replies] == [202, 400], replies[0].text[:300]
    assert replies[1].json()["field"] == field


async def test_an_idempotency_key_has_64_characters_at_most(gateway: World) -> None:
    visitor = await gateway.visitor()
    for size, status in ((64, 200), (65, 400)):
        body = visitor.chat_body("When are you open?")
        response = await visitor.call("POST", "/v1/chat", body, key="k" * size)
        assert response.status_code == status


async def test_a_filled_honeypot_is_written_down_and_changes_nothing(
    gateway: World, caplog: pytest.LogCaptureFixture
) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    trapped = visitor.chat_body("When are you open?", metadata={"website": "https://spam.example"})
    replies = [await visitor.call("POST", "/v1/chat", trapped, key="k")]
    assert "signal honeypot: site site_demo" in caplog.text
    assert "spam.example" not in caplog.text
    caplog.clear()
    replies += [await other.ask("When are you open?"), await visitor.ask("When are you open?")]
    assert "honeypot" not in caplog.text
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert len({reply.json()["reply"] for reply in replies}) == 1


# Bounds on what is under way at once.


class Slow:
    """A model that answers once it is let go."""

    model = "slow-1"

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = 0

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.asked += 1
        await self.go.wait()
        yield Piece("Here you are.")

    async def close(self) -> None:
        """Nothing is open."""


HARD = "Which stone is the moon made of?"


async def ask(visitor: Visitor, key: str, *, stream: bool) -> Any:
    body = visitor.chat_body(HARD, stream=stream)
    return await visitor.client.send(await visitor.request("POST", "/v1/chat", body, key=key))


@pytest.mark.parametrize("stream", [False, True])
async def test_more_turns_at_once_than_are_taken_on_are_told_to_wait(stream: bool) -> None:
    limits = LimitSettings(pow_difficulty=1, turns_at_once=3, first_token_s=30)
    model = Slow()
    async with world(chosen=settings(limits=limits), transport=model) as gateway:
        visitors = [await gateway.visitor() for _ in range(8)]
        asking = [asyncio.create_task(ask(one, "k", stream=stream)) for one in visitors]
        refused: list[httpx.Response] = []
        while len(refused) < 5:
            done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=20)
            assert done, "all of them wait"
            refused += [task.result() for task in done]
            asking = [task for task in asking if task not in done]
        assert {problem(response) for response in refused} == {"busy"}
        assert {response.status_code for response in refused} == {503}
        assert all(int(response.headers["retry-after"]) > 0 for response in refused)
        model.go.set()
        assert [(await task).status_code for task in asking] == [200] * 3
        assert model.asked == 3
        # Room again, and the key of a refused call is free.
        again = [await ask(one, "k2", stream=stream) for one in visitors]
        assert {response.status_code for response in again} == {200}


async def test_of_a_crowds_gates_one_runs_in_a_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise all else that is under way waits for all of them, at each of its steps."""
    turn, gates = 0, list[int]()

    def looked_at(*arguments: Any, **options: Any) -> Response:
        gates.append(turn)
        return respond(*arguments, **options)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr("gateway.pipeline.answer.respond", looked_at)
    async with world() as gateway:
        visitors = [await gateway.visitor() for _ in range(12)]
        counting = asyncio.create_task(count())
        replies = await asyncio.gather(*(one.ask("How do I return an order?") for one in visitors))
        counting.cancel()
    assert {reply.status_code for reply in replies} == {200}
    assert len(gates) == len(set(gates)) == 12


async def test_more_streams_at_once_than_are_kept_are_told_to_wait() -> None:
    limits = LimitSettings(pow_difficulty=1, streams_at_once=2)
    async with world(chosen=settings(limits=limits)) as gateway:
        listening, ids, places = [], [], []
        visitors = [await gateway.visitor() for _ in range(3)]
        for visitor in visitors:
            body = escalation(visitor)
            made = await visitor.call("POST", "/v1/escalations", body, key="e")
            ids.append(made.json()["escalation_id"])
            places.append(f"/v1/conversations/{body['conversation_id']}/events")
        for visitor, place in zip(visitors[:2], places, strict=False):
            request = await visitor.request("GET", place)
            listening.append(asyncio.create_task(gateway.client.send(request)))
            await asyncio.sleep(0.05)
        refused = await visitors[2].call("GET", places[2])
        assert problem(refused) == "busy"
        assert int(refused.headers["retry-after"]) > 0
        # One browser's newer stream takes the place of its older one, and needs no room.
        again = asyncio.create_task(
            gateway.client.send(await visitors[0].request("GET", places[0]))
        )
        await asyncio.sleep(0.05)
        for number, one in enumerate(ids):
            await answer(gateway, one, f"Cheese {number}.", resolve=True)
        for task in (*listening, again):
            assert (await asyncio.wait_for(task, 10)).status_code == 200
        assert (await visitors[2].call("GET", places[2])).status_code == 200


async def test_bodies_that_never_come_take_nobodys_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BODY_S", 0.2)
    monkeypatch.setattr(wire, "SLOWEST", 10**9)
    chosen = settings(limits=LimitSettings(pow_difficulty=4, turns_at_once=1))
    async with world(chosen=chosen) as gateway:
        app = gateway.client._transport.app  # type: ignore[attr-defined]
        never = asyncio.Event()
        said: list[Message] = []

        async def receive() -> Message:
            await never.wait()
            raise AssertionError

        async def send(message: Message) -> None:
            said.append(message)

        fields = [(b"host", b"localhost:8000"), (b"content-length", b"10")]
        scope = {"type": "http", "method": "POST", "path": "/v1/chat", "query_string": b""}
        scope |= {"headers": fields, "client": ("192.0.2.1", 1), "raw_path": b"/v1/chat"}
        idle = [asyncio.create_task(app(dict(scope), receive, send)) for _ in range(5)]
        await asyncio.sleep(0)
        visitor = await gateway.visitor()
        assert (await visitor.ask("How do I return an order?")).status_code == 200
        await asyncio.gather(*idle)
    starts = [one["status"] for one in said if one["type"] == "http.response.start"]
    assert starts == [408] * 5
