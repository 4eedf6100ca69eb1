"""Escalations from the visitor's side: acknowledged once, one per turn, and answered in place."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from core.encoding import timestamp
from core.messages import Consent, Reply
from gateway.adapters.visitor import Visitor
from gateway.bell import OPERATORS
from tests.gateway.escalation.samples import ScriptedTarget
from tests.gateway.test_chat import events
from tests.gateway.world import World, settings, world


def escalation(visitor: Visitor, **changes: object) -> dict[str, Any]:
    """A `POST /v1/escalations` body."""
    return {
        "turn_id": visitor.new_id("t"),
        "conversation_id": visitor.new_id("c"),
        "question": "Which stone is the moon made of?",
        "fallback_text": "I am not sure; a person will answer here.",
        "reason": "low_confidence",
        "confidence": 0.2,
        "conversation_tail": [{"role": "user", "content": "hello"}],
        "locale": "en",
        "timestamp": "2026-09-21T10:00:00Z",
        **changes,
    }


async def send(visitor: Visitor, body: object, key: str = "e1") -> httpx.Response:
    """Send an escalation."""
    return await visitor.call("POST", "/v1/escalations", body, key=key)


async def answer(gateway: World, escalation_id: str, text: str, *, resolve: bool) -> None:
    """What an operator's reply leaves in the truth."""
    found = await gateway.truth.escalation(escalation_id)
    now = gateway.time()
    reply = Reply(f"r-{text}", found.id, found.turn_id, "Dana", text, timestamp(now))
    await gateway.truth.reply(reply, resolve=resolve, at=now)
    gateway.services.bell.ring(f"conversation:site_demo:{found.conversation_id}")


async def test_an_escalation_is_acknowledged_and_stored(gateway: World) -> None:
    visitor = await gateway.visitor()
    agreed = {"contact": "dana@example.com", "contact_consent": "You may write to me."}
    response = await send(visitor, escalation(visitor, **agreed))
    assert response.status_code == 202
    document = response.json()
    assert document == {
        "escalated": True,
        "escalation_id": document["escalation_id"],
        "status": "queued",
        "back_at": None,
    }
    stored = await gateway.truth.escalation(document["escalation_id"])
    assert stored.question == "Which stone is the moon made of?"
    assert stored.contact == "dana@example.com"
    assert stored.contact_consent == Consent("You may write to me.", timestamp(gateway.time()))
    assert stored.tail[0].content == "hello"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contact": "dana@example.com"}, "contact_consent"),
        ({"contact": "dana@example.com", "contact_consent": None}, "contact_consent"),
        ({"contact": "dana@example.com", "contact_consent": " "}, "contact_consent"),
        ({"contact_consent": "You may write to me."}, "contact"),
        ({"contact": " ", "contact_consent": "You may write to me."}, "contact"),
    ],
)
async def test_a_contact_and_its_consent_come_together_or_not_at_all(
    gateway: World, changes: dict[str, object], field: str
) -> None:
    visitor = await gateway.visitor()
    refused = await send(visitor, escalation(visitor, **changes))
    assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert await gateway.truth.escalations(status="all", before=None, limit=10) == []
    without = await send(visitor, escalation(visitor, contact=None, contact_consent=None), "e2")
    assert without.status_code == 202


async def test_a_contact_that_is_left_later_reaches_the_case(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    made = (await send(visitor, body)).json()["escalation_id"]
    gateway.time.now += 5
    left = {**body, "contact": "+34 600 000 000", "contact_consent": "Call me."}
    assert (await send(visitor, left, "e2")).json()["escalation_id"] == made
    case = await gateway.truth.escalation(made)
    assert case.contact == "+34 600 000 000"
    assert case.contact_consent == Consent("Call me.", timestamp(gateway.time()))
    held = (await visitor.call("GET", "/v1/export")).json()["escalations"][0]
    assert held["contact_consent"] == {"wording": "Call me.", "at": timestamp(gateway.time())}
    assert (await visitor.call("POST", "/v1/erase", {}, key="x")).is_success
    assert await gateway.truth.escalations(status="all", before=None, limit=10) == []


async def test_the_browsers_escalation_completes_the_gateways(gateway: World) -> None:
    visitor = await gateway.visitor()
    turn = (await visitor.ask("Which stone is the moon made of?")).json()
    body = escalation(
        visitor,
        turn_id=turn["id"],
        conversation_id=turn["conversation_id"],
        fallback_text="Shown to the visitor.",
    )
    document = (await send(visitor, body)).json()
    [only] = await gateway.truth.escalations(status="all", before=None, limit=10)
    assert only.id == document["escalation_id"]
    assert only.fallback_text == "Shown to the visitor."
    assert [turn.content for turn in only.tail] == ["hello"]


async def test_the_same_escalation_twice_is_one(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    replies = await asyncio.gather(*(send(visitor, body, f"e{n}") for n in range(6)))
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.json()["escalation_id"] for reply in replies}) == 1
    assert len(await gateway.truth.escalations(status="all", before=None, limit=10)) == 1


async def test_what_a_conversation_asks_again_wakes_nobody_again() -> None:
    hook = ScriptedTarget(name="hook", kind="webhook")
    pager = ScriptedTarget(name="pager", kind="pagerduty")
    site = replace(settings().sites[0], targets=("hook", "pager"))
    async with world(
        chosen=settings(sites=(site,)), targets={"hook": hook, "pager": pager}
    ) as gateway:
        visitor = await gateway.visitor()
        place = visitor.new_id("c")
        turn = (await visitor.ask("Which stone is the moon made of?", conversation_id=place)).json()
        asked = [
            escalation(visitor, conversation_id=place, reason="visitor_asked") for _ in range(23)
        ]
        bodies = [escalation(visitor, turn_id=turn["id"], conversation_id=place), *asked]
        answers = await asyncio.gather(
            *(send(visitor, body, f"e{number}") for number, body in enumerate(bodies))
        )
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["escalation_id"] for answer in answers}) == 24
        [case] = await gateway.truth.escalations(status="all", before=None, limit=99)
        assert (case.turn_id, len(case.added)) == (turn["id"], 23)
        async with asyncio.timeout(10):
            with gateway.services.bell.listen(OPERATORS) as ear:
                while (await gateway.truth.escalation(case.id)).status != "delivered":
                    await ear.wait(0.1)
        assert (hook.seen, pager.seen) == ([case.id], [case.id])
        await answer(gateway, case.id, "It is basalt.", resolve=True)
        body = escalation(visitor, conversation_id=place)
        made = (await send(visitor, body, "later")).json()["escalation_id"]
        assert (await gateway.truth.escalation(made)).id == made


async def test_secrets_never_reach_the_row(gateway: World) -> None:
    visitor = await gateway.visitor()
    tail = [{"role": "user", "content": "password: hunter22!"}]
    body = escalation(visitor, question="card 4111111111111111?", conversation_tail=tail)
    document = (await send(visitor, body)).json()
    stored = await gateway.truth.escalation(document["escalation_id"])
    assert "4111" not in json.dumps(stored.document())
    assert "hunter22" not in json.dumps(stored.document())


async def test_a_persons_reply_reaches_the_open_stream(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    made = (await send(visitor, body)).json()["escalation_id"]
    path = f"/v1/conversations/{body['conversation_id']}/events"
    reading = asyncio.create_task(visitor.call("GET", path))
    await asyncio.sleep(0.05)
    await answer(gateway, made, "It is basalt.", resolve=True)
    seen = events(await reading)
    replies = [data for name, data in seen if name == "human_reply"]
    assert [reply["content"] for reply in replies] == ["It is basalt."]
    assert replies[0]["author"] == "Dana"
    assert ("escalation_status", "resolved") in [(n, d.get("status")) for n, d in seen]


async def test_what_was_missed_is_read_on_the_next_visit(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    made = (await send(visitor, body)).json()["escalation_id"]
    await answer(gateway, made, "It is basalt.", resolve=True)
    path = f"/v1/conversations/{body['conversation_id']}/events"
    first = await visitor.call("GET", path)
    assert "human_reply" in [name for name, _ in events(first)]
    last = max(
        int(line.split(": ")[1]) for line in first.text.splitlines() if line.startswith("id: ")
    )
    request = await visitor.request("GET", path)
    request.headers["last-event-id"] = str(last)
    assert (await gateway.client.send(request)).status_code == 204


async def test_a_stream_asks_for_a_new_token_when_its_own_runs_out(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    await send(visitor, body)
    path = f"/v1/conversations/{body['conversation_id']}/events"
    gateway.time.now += 599.9
    seen = asyncio.create_task(visitor.call("GET", path))
    await asyncio.sleep(0.05)
    gateway.time.now += 1
    assert events(await seen)[-1][0] == "reauth"


async def test_a_stream_says_bye_when_the_gateway_stops(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    await send(visitor, body)
    path = f"/v1/conversations/{body['conversation_id']}/events"
    reading = asyncio.create_task(visitor.call("GET", path))
    await asyncio.sleep(0.05)
    gateway.services.bell.close()
    assert events(await reading)[-1] == ("bye", {})


async def test_another_subjects_conversation_cannot_be_read(gateway: World) -> None:
    one, other = await gateway.visitor(), await gateway.visitor()
    body = escalation(one)
    await send(one, body)
    path = f"/v1/conversations/{body['conversation_id']}/events"
    assert (await other.call("GET", path)).status_code == 404


async def test_an_unknown_conversation_has_nothing(gateway: World) -> None:
    visitor = await gateway.visitor()
    path = f"/v1/conversations/{visitor.new_id('c')}/events"
    assert (await visitor.call("GET", path)).status_code == 204
    assert (await visitor.call("GET", "/v1/conversations/x/events")).status_code == 404


async def test_a_last_event_id_that_is_no_number_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    request = await visitor.request("GET", f"/v1/conversations/{visitor.new_id('c')}/events")
    request.headers["last-event-id"] = "zebra"
    response = await gateway.client.send(request)
    assert response.json()["field"] == "last-event-id"


async def test_a_browsers_newer_stream_ends_its_older_one(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = escalation(visitor)
    await send(visitor, body)
    path = f"/v1/conversations/{body['conversation_id']}/events"
    older = asyncio.create_task(visitor.call("GET", path))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(visitor.call("GET", path))
    assert (await asyncio.wait_for(older, 5)).status_code == 200
    assert not newer.done()
    gateway.services.bell.close()
    assert events(await newer)[-1] == ("bye", {})


async def test_one_stream_tells_of_several_conversations_and_which_it_was(gateway: World) -> None:
    visitor = await gateway.visitor()
    bodies = [escalation(visitor), escalation(visitor)]
    made = [
        (await send(visitor, body, f"key-{n}")).json()["escalation_id"]
        for n, body in enumerate(bodies)
    ]
    first, second = (body["conversation_id"] for body in bodies)
    path = f"/v1/conversations/{first}/events"
    reading = asyncio.create_task(visitor.call("GET", path + f"?also={second}"))
    await asyncio.sleep(0.05)
    await answer(gateway, made[1], "In the second.", resolve=True)
    await asyncio.sleep(0.05)
    assert not reading.done()  # the first is still open
    await answer(gateway, made[0], "In the first.", resolve=True)
    replies = [data for name, data in events(await reading) if name == "human_reply"]
    told = [(reply["conversation_id"], reply["content"]) for reply in replies]
    assert told == [(second, "In the second."), (first, "In the first.")]


async def test_anothers_conversation_beside_ones_own_is_passed_over(gateway: World) -> None:
    one, other = await gateway.visitor(), await gateway.visitor()
    theirs, mine = escalation(other), escalation(one)
    made = (await send(other, theirs)).json()["escalation_id"]
    await answer(gateway, made, "For another.", resolve=True)
    await answer(gateway, (await send(one, mine)).json()["escalation_id"], "Mine.", resolve=True)
    path = f"/v1/conversations/{mine['conversation_id']}/events"
    response = await one.call("GET", path + f"?also={theirs['conversation_id']}")
    replies = [data["content"] for name, data in events(response) if name == "human_reply"]
    assert replies == ["Mine."]


@pytest.mark.parametrize("many", ["zebra", ",".join(["c_" + "0" * 32] * 16)])
async def test_more_conversations_that_are_none_or_too_many_are_refused(
    gateway: World, many: str
) -> None:
    visitor = await gateway.visitor()
    path = f"/v1/conversations/{visitor.new_id('c')}/events"
    response = await visitor.call("GET", path + f"?also={many}")
    assert (response.status_code, response.json()["field"]) == (400, "also")
