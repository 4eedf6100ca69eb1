"""A visitor's rights over HTTP: a mark on an answer, everything that is held, its end, a merge."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from click.testing import CliRunner, Result

from core.messages import Escalation
from core.ports import Outcome
from core.scope import anonymous, signed_in
from core.subjects import Held
from gateway.adapters.visitor import Visitor
from gateway.cli.receipts import receipts_group
from gateway.revocation import FRESH_S
from gateway.routes.openapi import document
from tests.gateway.test_chat import events
from tests.gateway.test_escalations import answer, escalation, send
from tests.gateway.test_identity import ISSUER, NEW, OLD, claims, vouch, with_identity
from tests.gateway.test_integrity import problem
from tests.gateway.test_sessions import challenge, opened
from tests.gateway.world import World, settings, world


class Taking:
    """A target that takes whatever comes."""

    kind = "webhook"

    def __init__(self, name: str) -> None:
        self.name = name

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Take it."""
        return Outcome(True, "delivered", 200)


LEGAL = "I want to make a legal complaint"


async def mark(
    visitor: Visitor, turn_id: object, signal: str = "up", key: str = "m1", **more: object
) -> httpx.Response:
    """Mark an answer."""
    body = {"turn_id": turn_id, "signal": signal, **more}
    return await visitor.call("POST", "/v1/feedback", body, key=key)


async def erase(visitor: Visitor, key: str = "x1") -> httpx.Response:
    """Erase all that is held of a visitor."""
    return await visitor.call("POST", "/v1/erase", {}, key=key)


async def export(visitor: Visitor) -> dict[str, Any]:
    """Everything that is held of a visitor."""
    response = await visitor.call("GET", "/v1/export")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    got: dict[str, Any] = response.json()
    return got


async def asked(visitor: Visitor, question: str = "When are you open?") -> dict[str, Any]:
    """The turn of a question."""
    made: dict[str, Any] = (await visitor.ask(question)).json()
    return made


async def held(gateway: World, visitor: Visitor) -> Held:
    scope = anonymous(visitor.site_key, visitor.keyid)
    return await gateway.truth.subjects.export(scope, 0.0)


# Marks.


async def test_a_mark_is_taken_and_a_later_one_takes_its_place(gateway: World) -> None:
    visitor = await gateway.visitor()
    turn = await asked(visitor)
    response = await mark(visitor, turn["id"])
    assert (response.status_code, response.json()) == (200, {"turn_id": turn["id"], "signal": "up"})
    assert "x-integrity" not in response.headers, "marks are in no chain"
    text = "It is 10 to 18, my card is 4111 1111 1111 1111."
    await mark(visitor, turn["id"], "correction", "m2", text=text)
    [stored] = (await held(gateway, visitor)).feedback
    assert stored.feedback.signal == "correction"
    assert stored.feedback.text is not None
    assert "10 to 18" in stored.feedback.text
    assert "4111" not in stored.feedback.text


async def test_a_mark_sent_again_is_one_mark_and_another_under_its_key_is_refused(
    gateway: World,
) -> None:
    visitor = await gateway.visitor()
    turn = await asked(visitor)
    first = await mark(visitor, turn["id"])
    gateway.time.now += 5
    again = await mark(visitor, turn["id"])
    assert again.json() == first.json()
    assert (await held(gateway, visitor)).feedback[0].at == gateway.time.now - 5
    assert problem(await mark(visitor, turn["id"], "down")) == "idempotency-key-reused"
    keyless = {"turn_id": turn["id"], "signal": "up"}
    assert problem(await visitor.call("POST", "/v1/feedback", keyless)) == "invalid-request"


async def test_a_mark_on_anothers_turn_or_none_is_refused(gateway: World) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    elsewhere = await gateway.visitor("site_other")
    turn = await asked(visitor)
    for stranger in (other, elsewhere):
        assert problem(await mark(stranger, turn["id"])) == "not-found"
    assert problem(await mark(visitor, visitor.new_id("t"))) == "not-found"
    assert (await held(gateway, other)).feedback == ()


@pytest.mark.parametrize(
    "body",
    [
        {"signal": "up"},
        {"turn_id": "t_" + "0" * 32, "signal": "maybe"},
        {"turn_id": "t_" + "0" * 32, "signal": "up", "text": "x" * 2001},
        {"turn_id": "t_" + "0" * 32, "signal": "up", "subject": "anon:another"},
    ],
)
async def test_a_malformed_mark_is_refused(gateway: World, body: dict[str, object]) -> None:
    visitor = await gateway.visitor()
    response = await visitor.call("POST", "/v1/feedback", body, key="k")
    assert (response.status_code, problem(response)) == (400, "invalid-request")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/feedback"),
        ("GET", "/v1/export"),
        ("POST", "/v1/export"),
        ("POST", "/v1/erase"),
    ],
)
async def test_none_of_it_is_done_for_an_unsigned_call(
    gateway: World, method: str, path: str
) -> None:
    visitor = await gateway.visitor()
    await asked(visitor)
    response = await gateway.client.request(
        method, visitor.gateway + path, headers={"authorization": f"Bearer {visitor.token}"}
    )
    assert problem(response) == "bad-signature"
    assert len((await held(gateway, visitor)).turns) == 1


# Exports.


async def test_an_export_has_all_of_the_visitors_and_keeps_to_the_document(
    gateway: World,
) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    turn = await asked(visitor)
    made = (
        await send(visitor, escalation(visitor, contact="dana@example.com", contact_consent="Yes."))
    ).json()
    await answer(gateway, made["escalation_id"], "Basalt, mostly.", resolve=False)
    await mark(visitor, turn["id"])
    await asked(other, LEGAL)
    got = await export(visitor)
    schema = document(gateway.services.settings)["paths"]["/v1/export"]["get"]["responses"]["200"]
    jsonschema_rs.validate(schema["content"]["application/json"]["schema"], got)
    assert got["subject"] == f"anon:{visitor.keyid}"
    assert [one["question"] for one in got["turns"]] == ["When are you open?"]
    [kept] = got["escalations"]
    assert (kept["contact"], kept["replies"][0]["content"]) == (
        "dana@example.com",
        "Basalt, mostly.",
    )
    assert [one["name"] for one in got["events"]] == ["escalation_status", "human_reply"]
    assert got["feedback"][0]["signal"] == "up"
    assert len(got["receipts"]) == 2
    assert LEGAL not in json.dumps(got)
    assert (await export(await gateway.visitor()))["turns"] == []


async def test_a_target_is_named_by_its_kind_alone() -> None:
    target = Taking("night-desk")
    chosen = settings()
    demo, other = chosen.sites
    chosen = replace(chosen, sites=(replace(demo, targets=(target.name,)), other))
    async with world(chosen=chosen, targets={target.name: target}) as gateway:
        visitor = await gateway.visitor()
        await asked(visitor, LEGAL)
        got = await export(visitor)
    [kept] = got["escalations"]
    assert [one["kind"] for one in kept["deliveries"]] == ["webhook"]
    assert target.name not in json.dumps(got)


async def page(visitor: Visitor, **body: object) -> httpx.Response:
    """A page of it, by its cursor."""
    return await visitor.call("POST", "/v1/export", body)


async def test_pages_together_are_what_the_first_page_of_a_little_is(gateway: World) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    for question in ("When are you open?", LEGAL, "And on Sundays?"):
        await mark(visitor, (await asked(visitor, question))["id"], key=question[:3])
        gateway.time.now += 1
    await asked(other, LEGAL)
    whole = await export(visitor)
    assert whole.pop("next") is None
    schema = document(gateway.services.settings)["paths"]["/v1/export"]["post"]["responses"]["200"]
    together: dict[str, Any] = {}
    cursor, count = None, 0
    while True:
        response = await page(visitor, cursor=cursor, limit=2)
        assert response.status_code == 200, response.text
        got = response.json()
        jsonschema_rs.validate(schema["content"]["application/json"]["schema"], got)
        cursor, count = got.pop("next"), count + 1
        for name, value in got.items():
            together[name] = [*together.get(name, []), *value] if type(value) is list else value
        if cursor is None:
            break
    assert count > 3
    assert {**together, "exported_at": ""} == {**whole, "exported_at": ""}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cursor": "not one"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "turns~1"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"after": "t_1"}, "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_by_its_field(
    gateway: World, body: dict[str, object], field: str
) -> None:
    response = await page(await gateway.visitor(), **body)
    assert (response.status_code, response.json()["field"]) == (400, field)
    assert response.json()["remedy"]


# The end.


async def test_an_erase_leaves_nothing_and_ends_the_sessions(gateway: World) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    second = replace(visitor, token=None, receipt=None)
    await second.open_session()
    turn = await asked(visitor, LEGAL)
    await asked(second)
    await mark(visitor, turn["id"])
    await asked(other, LEGAL)
    response = await erase(visitor)
    assert (response.status_code, response.json()) == (200, {"erased": True})
    scope = anonymous(visitor.site_key, visitor.keyid)
    assert await held(gateway, visitor) == Held(scope)
    assert len((await held(gateway, other)).escalations) == 1
    for one in (visitor, second):
        assert problem(await one.ask("When are you open?")) == "session-ended"
    gateway.time.now += 1
    await visitor.open_session()
    assert (await export(visitor))["turns"] == []
    await asked(visitor)
    assert len((await export(visitor))["turns"]) == 1


async def test_an_erase_sent_again_erases_nothing_that_came_since(gateway: World) -> None:
    visitor = await gateway.visitor()
    await asked(visitor)
    await erase(visitor)
    gateway.time.now += 1
    await visitor.open_session()
    await asked(visitor)
    assert (await erase(visitor)).json() == {"erased": True}
    assert len((await export(visitor))["turns"]) == 1


async def test_what_was_under_way_is_not_stored_after_the_end(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = visitor.chat_body(LEGAL)
    ahead = await visitor.request("POST", "/v1/chat", body, key="c1")
    commit = gateway.truth.commit
    reached, gone = asyncio.Event(), asyncio.Event()

    async def late(work: Any) -> Any:
        if work.turn is not None:
            reached.set()
            await gone.wait()
        return await commit(work)

    gateway.truth.commit = late  # type: ignore[method-assign]
    sending = asyncio.create_task(gateway.client.send(ahead))
    await asyncio.wait_for(reached.wait(), 5)
    assert (await erase(visitor)).status_code == 200
    gone.set()
    assert problem(await asyncio.wait_for(sending, 5)) == "session-ended"
    scope = anonymous(visitor.site_key, visitor.keyid)
    assert await held(gateway, visitor) == Held(scope)


async def test_a_stream_of_an_erased_conversation_ends(gateway: World) -> None:
    visitor = await gateway.visitor()
    body = visitor.chat_body(LEGAL)
    await visitor.call("POST", "/v1/chat", body, key="c1")
    place = f"/v1/conversations/{body['conversation_id']}/events"
    reading = asyncio.create_task(gateway.client.send(await visitor.request("GET", place)))
    await asyncio.sleep(0.1)
    assert not reading.done()
    await erase(visitor)
    told = [name for name, _ in events(await asyncio.wait_for(reading, 5))]
    assert told == ["escalation_status", "reauth"]


async def test_receipts_verify_after_the_end(gateway: World, tmp_path: Path) -> None:
    visitor = await gateway.visitor()
    for _ in range(3):
        await asked(visitor)
    kept = await export(visitor)
    await erase(visitor)
    gateway.time.now += 1
    await visitor.open_session()
    await asked(visitor)
    kept["later"] = {"receipts": (await export(visitor))["receipts"]}
    file, keys = tmp_path / "export.json", tmp_path / "keys.json"
    file.write_text(json.dumps(kept))
    published = await gateway.client.get(visitor.gateway + "/.well-known/fanlight-keys.json")
    keys.write_text(published.text)
    told = await asyncio.to_thread(verified, file, keys)
    assert (told.exit_code, json.loads(told.output)["receipts"]) == (0, 4), told.output
    file.write_text(json.dumps({"receipts": kept["receipts"][::-1]}))
    assert (await asyncio.to_thread(verified, file, keys)).exit_code == 1


def verified(file: Path, keys: Path) -> Result:
    """What the offline check says of these receipts."""
    return CliRunner().invoke(receipts_group, ["verify", str(file), "--keys", str(keys), "--json"])


# A merge.


@pytest.fixture
async def shop() -> AsyncIterator[World]:
    """A gateway whose site_demo names its visitors."""
    async with world(chosen=with_identity(("old", OLD), ("new", NEW))) as made:
        yield made


async def sign_in(visitor: Visitor, consent: dict[str, bool], jti: str = "j1") -> httpx.Response:
    token = await vouch(claims(visitor, jti=jti))
    response = await opened(visitor, await challenge(visitor), identity_jwt=token, consent=consent)
    visitor.token = response.json().get("access_token")
    return response


CONSENT = {"memory": True, "training": False}


async def test_what_was_asked_before_is_the_signed_in_visitors_only_with_consent(
    shop: World,
) -> None:
    visitor = await shop.visitor()
    turn = await asked(visitor, LEGAL)
    scope = signed_in("site_demo", ISSUER, "customer-7")
    for consent, count in ((CONSENT, 0), ({**CONSENT, "merge": False}, 0)):
        shop.time.now += 1
        response = await sign_in(visitor, consent, f"j{shop.time.now}")
        assert "merged" not in response.json()
        assert len((await export(visitor))["turns"]) == count
    response = await sign_in(visitor, {**CONSENT, "merge": True}, "last")
    assert response.json()["merged"] == {"conversations": 1, "stayed": 0}
    got = await export(visitor)
    assert (got["subject"], got["turns"][0]["id"]) == (scope.subject, turn["id"])
    assert [one["question"] for one in got["escalations"]] == [LEGAL]
    assert (await held(shop, visitor)).turns == ()


async def test_only_this_browsers_own_is_merged(shop: World) -> None:
    visitor, other = await shop.visitor(), await shop.visitor()
    await asked(other, LEGAL)
    response = await sign_in(visitor, {**CONSENT, "merge": True})
    assert response.json()["merged"] == {"conversations": 0, "stayed": 0}
    assert len((await held(shop, other)).turns) == 1


async def test_a_merge_without_anyone_signed_in_is_refused(shop: World) -> None:
    visitor = shop.stranger()
    response = await opened(visitor, await challenge(visitor), consent={**CONSENT, "merge": True})
    assert (response.status_code, response.json()["field"]) == (400, "consent.merge")


async def test_the_open_tab_of_before_goes_on_with_another_conversation(shop: World) -> None:
    before = await shop.visitor()
    body = before.chat_body("When are you open?")
    await before.call("POST", "/v1/chat", body, key="c1")
    after = replace(before, token=None)
    await sign_in(after, {**CONSENT, "merge": True})
    again = before.chat_body("Hello?", conversation_id=body["conversation_id"])
    response = await before.call("POST", "/v1/chat", again, key="c2")
    assert problem(response) == "not-found"
    assert (await before.ask("When are you open?")).status_code == 200


async def test_an_erase_in_another_process_is_noticed_within_seconds(gateway: World) -> None:
    visitor = await gateway.visitor()
    await asked(visitor)
    scope = anonymous(visitor.site_key, visitor.keyid)
    await gateway.truth.revocations.end_subject(scope, gateway.time.now)
    gateway.time.now += FRESH_S
    assert problem(await mark(visitor, visitor.new_id("t"))) == "session-ended"
