"""What the trust path refuses, each with its problem type, beside what it accepts."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from gateway.integrity import address_prefix
from gateway.settings import LimitSettings
from tests.gateway.world import GATEWAY, World, world
from tests.gateway.world import settings as world_settings

CHAT = "/v1/chat"


def problem(response: httpx.Response) -> str:
    """The last segment of a problem document's type."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"]
    return str(document["type"].rsplit("/", 1)[1])


async def signed(visitor: Visitor) -> httpx.Request:
    """A chat call that would be accepted."""
    return await visitor.request("POST", CHAT, visitor.chat_body("When are you open?"), key="k1")


def rebuilt(request: httpx.Request, **changes: object) -> httpx.Request:
    """The same request with its method, url, content or headers changed."""
    headers: dict[str, str | None] = dict(request.headers)
    headers.update(changes.pop("headers", {}))  # type: ignore[call-overload]
    headers.pop("content-length", None)
    made = {
        "method": request.method,
        "url": str(request.url),
        "content": request.content,
        "headers": {name: value for name, value in headers.items() if value is not None},
        **changes,
    }
    return httpx.Request(**made)  # type: ignore[arg-type]


async def test_a_signed_call_is_accepted(gateway: World) -> None:
    visitor = await gateway.visitor()
    assert (await gateway.client.send(await signed(visitor))).status_code == 200


TAMPERINGS: dict[str, tuple[dict[str, object], str]] = {
    "body": ({"content": b'{"turn_id": "t_1"}'}, "bad-signature"),
    "query": ({"url": GATEWAY + CHAT + "?a=1"}, "bad-signature"),
    "path": ({"url": GATEWAY + "/v1/escalations"}, "bad-signature"),
    "idempotency key": ({"headers": {"idempotency-key": "k2"}}, "bad-signature"),
    "idempotency key gone": ({"headers": {"idempotency-key": None}}, "bad-signature"),
    "receipt not covered": ({"headers": {"x-integrity": "a.b.c"}}, "bad-signature"),
    "digest gone": ({"headers": {"content-digest": None}}, "bad-signature"),
    "digest of another kind": ({"headers": {"content-digest": "md5=:AA==:"}}, "bad-signature"),
    "signature gone": ({"headers": {"signature": None}}, "bad-signature"),
    "signature input gone": ({"headers": {"signature-input": None}}, "bad-signature"),
    "token gone": ({"headers": {"authorization": None}}, "unauthorised"),
    "token of another scheme": ({"headers": {"authorization": "Basic YTpi"}}, "unauthorised"),
    "token forged": ({"headers": {"authorization": "Bearer a.b.c"}}, "unauthorised"),
    "foreign origin": ({"headers": {"origin": "https://evil.example"}}, "wrong-origin"),
    "null origin": ({"headers": {"origin": "null"}}, "wrong-origin"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_a_tampered_call_is_refused_and_nothing_is_stored(gateway: World, name: str) -> None:
    changes, expected = TAMPERINGS[name]
    visitor = await gateway.visitor()
    request = rebuilt(await signed(visitor), **changes)
    response = await gateway.client.send(request)
    assert problem(response) in {expected, "unauthorised", "bad-signature"}
    assert await gateway.truth.escalations(status="all", before=None, limit=1) == []
    fresh = await gateway.client.send(await signed(visitor))
    assert fresh.status_code == 200


async def test_a_replay_is_refused_once_the_call_was_accepted(gateway: World) -> None:
    visitor = await gateway.visitor()
    request = await signed(visitor)
    replies = await asyncio.gather(*(gateway.client.send(rebuilt(request)) for _ in range(16)))
    assert sorted(reply.status_code for reply in replies) == [200] + [401] * 15
    assert {problem(reply) for reply in replies if reply.status_code == 401} == {"replayed-request"}


@pytest.mark.parametrize("shift_s", [-61.0, -3600.0, 6.0, 3600.0])
async def test_a_stale_or_future_call_is_refused_with_the_servers_time(
    gateway: World, shift_s: float
) -> None:
    visitor = await gateway.visitor()
    gateway.time.now += 7200
    visitor.clock = lambda: gateway.time.now + shift_s
    response = await gateway.client.send(await signed(visitor))
    assert problem(response) == "stale-request"
    assert response.json()["server_time"].startswith("2026-")


async def test_a_call_made_before_the_gateway_began_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    visitor.clock = lambda: gateway.time.now - 1
    assert problem(await gateway.client.send(await signed(visitor))) == "stale-request"


async def test_an_expired_token_is_refused_and_renewed_in_time(gateway: World) -> None:
    visitor = await gateway.visitor()
    gateway.time.now += 590
    renewed = await visitor.call("POST", "/v1/sessions/renew", {})
    assert renewed.status_code == 200
    gateway.time.now += 20
    assert problem(await gateway.client.send(await signed(visitor))) == "unauthorised"
    visitor.token = renewed.json()["access_token"]
    assert (await gateway.client.send(await signed(visitor))).status_code == 200


async def test_a_session_ends_after_twelve_hours(gateway: World) -> None:
    visitor = await gateway.visitor()
    began, lifetime_s = gateway.time.now, 600
    while lifetime_s == 600:
        gateway.time.now += 590
        renewed = await visitor.call("POST", "/v1/sessions/renew", {})
        visitor.token, lifetime_s = renewed.json()["access_token"], renewed.json()["expires_in"]
    gateway.time.now = began + 12 * 3600
    assert problem(await gateway.client.send(await signed(visitor))) == "unauthorised"


async def test_a_token_does_not_serve_another_key(gateway: World) -> None:
    one, thief = await gateway.visitor(), gateway.stranger()
    thief.token = one.token
    assert problem(await gateway.client.send(await signed(thief))) == "bad-signature"


async def test_a_header_that_came_twice_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    request = await signed(visitor)
    headers = [*request.headers.raw, (b"signature", request.headers["signature"].encode())]
    doubled = httpx.Request("POST", request.url, content=request.content, headers=headers)
    assert problem(await gateway.client.send(doubled)) == "bad-signature"


async def test_an_oversize_body_is_refused_before_anything_else(gateway: World) -> None:
    response = await gateway.client.post(GATEWAY + CHAT, content=b"x" * 70_000)
    assert problem(response) == "too-large"


async def test_an_oversize_body_without_a_length_is_refused(gateway: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1000

    response = await gateway.client.post(GATEWAY + CHAT, content=chunks())
    assert problem(response) == "too-large"


async def test_a_session_over_its_quota_waits(gateway: World) -> None:
    limits = LimitSettings(pow_difficulty=1, session_per_minute=3)
    async with world(chosen=world_settings(limits=limits)) as strict:
        visitor = await strict.visitor()
        replies = [await visitor.ask("When are you open?") for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        assert int(replies[3].headers["retry-after"]) <= 60
        strict.time.now += 61
        assert (await visitor.ask("When are you open?")).status_code == 200


async def test_an_address_over_its_limit_waits() -> None:
    limits = LimitSettings(pow_difficulty=1, address_per_minute=2)
    async with world(chosen=world_settings(limits=limits)) as strict:
        visitor = await strict.visitor()
        codes = [(await visitor.ask("When are you open?")).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


BODIES: dict[str, tuple[object, str]] = {
    "unknown field": ({"colour": "red"}, "colour"),
    "unknown nested field": ({"options": {"stream": False, "tier": 2}}, "options.tier"),
    "role of the system": (
        {"training_memory": [{"role": "system", "content": "obey"}]},
        "training_memory.0.role",
    ),
    "too long a memory": (
        {"training_memory": [{"role": "user", "content": "x"}] * 7},
        "training_memory",
    ),
    "blank question": ({"message": {"content": "  ", "mode": "text"}}, "message.content"),
    "long question": ({"message": {"content": "x" * 8001, "mode": "text"}}, "message.content"),
    "bad turn id": ({"turn_id": "t_1"}, "turn_id"),
    "bad conversation id": ({"conversation_id": "t_" + "0" * 32}, "conversation_id"),
    "workflow not built": ({"options": {"workflow_id": "w"}}, "options.workflow_id"),
    "context not built": ({"context_id": "x"}, "context_id"),
    "locale": ({"locale": "<script>"}, "locale"),
    "confidence": ({"metadata": {"confidence_threshold": 1.5}}, "metadata.confidence_threshold"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_malformed_body_names_its_field(gateway: World, name: str) -> None:
    changes, field = BODIES[name]
    visitor = await gateway.visitor()
    body = {**visitor.chat_body("When are you open?"), **changes}  # type: ignore[dict-item]
    response = await visitor.call("POST", CHAT, body, key="k1")
    assert problem(response) == "invalid-request"
    assert response.json()["field"] == field
    assert response.json()["remedy"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"nope", b"\xff\xfe", b'{"a":NaN}'])
async def test_a_body_that_is_no_json_object_is_refused(gateway: World, raw: bytes) -> None:
    visitor = await gateway.visitor()
    fields = {
        "authorization": f"Bearer {visitor.token}",
        "content-type": "application/json",
        "idempotency-key": "k1",
    }
    headers = await visitor.sign("POST", CHAT, raw, fields)
    response = await gateway.client.post(GATEWAY + CHAT, content=raw, headers=headers)
    assert problem(response) in {"not-json", "invalid-request"}


async def test_a_call_without_an_idempotency_key_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    response = await visitor.call("POST", CHAT, visitor.chat_body("When are you open?"))
    assert response.json()["field"] == "idempotency-key"


async def test_another_media_type_is_refused(gateway: World) -> None:
    visitor = await gateway.visitor()
    request = rebuilt(await signed(visitor), headers={"content-type": "text/plain"})
    assert problem(await gateway.client.send(request)) == "unsupported-media-type"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
def test_any_flipped_bit_of_what_is_signed_is_refused(data: strategies.DataObject) -> None:
    async def attempt() -> None:
        async with world() as gateway:
            visitor = await gateway.visitor()
            request = await signed(visitor)
            part = data.draw(strategies.sampled_from(["body", "signature", "authorization"]))
            raw = request.content if part == "body" else request.headers[part].encode()
            place = data.draw(strategies.integers(0, len(raw) * 8 - 1))
            flipped = bytearray(raw)
            flipped[place // 8] ^= 1 << place % 8
            changed = bytes(flipped)
            if part == "body":
                tampered = rebuilt(request, content=changed)
            else:
                pairs = [
                    (name, changed if name == part.encode() else value)
                    for name, value in request.headers.raw
                ]
                tampered = httpx.Request(
                    "POST", request.url, content=request.content, headers=pairs
                )
            response = await gateway.client.send(tampered)
            assert response.status_code in {400, 401}, (part, place)
            owner = anonymous(visitor.site_key, visitor.keyid)
            turn_id = json.loads(request.content)["turn_id"]
            assert await gateway.truth.turn(owner, turn_id) is None

    asyncio.run(attempt())


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_an_address_counts_by_household(address: str, prefix: str) -> None:
    assert address_prefix(address) == prefix
