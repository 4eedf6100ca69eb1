import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Literal

import httpx
import pytest

from core.encoding import new_id
from core.errors import Unavailable
from core.messages import Escalation
from gateway import sse
from gateway.adapters.memory import MemoryTruth
from gateway.bell import OPERATORS, OUTBOX, Bell, conversation_topic
from gateway.routes import operator_events
from gateway.routes.operator_sessions import OperatorSessions
from gateway.settings import Secret
from tests.gateway.escalation.samples import SCOPE, START, StandingClock, commit
from tests.gateway.routes.console import COOKIE, Console, events, problem
from tests.gateway.world import CONSOLE, GATEWAY, OPERATOR_TOKEN, World, settings, world

UNKNOWN = new_id("e", 1, bytes(10))
SESSION = "/v1/operator/session"


@pytest.fixture
async def console(gateway: World) -> Console:
    """A console that is logged in."""
    made = Console(gateway)
    assert (await made.log_in()).status_code == 204
    return made


async def test_logging_in_gives_a_cookie_that_no_script_and_no_other_site_can_use(
    gateway: World,
) -> None:
    response = await Console(gateway).log_in()
    assert response.status_code == 204
    cookie, *attributes = response.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"{COOKIE}=")
    assert len(cookie) >= len(COOKIE) + 43
    assert {each.lower() for each in attributes} == {
        "httponly",
        "max-age=43200",
        "path=/",
        "samesite=strict",
        "secure",
    }


async def test_the_session_says_who_and_gives_the_csrf_token(console: Console) -> None:
    response = await console.call("GET", SESSION)
    assert response.json() == {"operator": "operator", "csrf": console.headers["x-csrf-token"]}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", ["wrong", "operator-token-for-tests-012345678", "שלום"])
async def test_a_wrong_token_is_refused(gateway: World, token: str) -> None:
    response = await Console(gateway).log_in(token)
    assert problem(response) == (401, "unauthorised", None)
    assert "set-cookie" not in response.headers


async def test_nobody_logs_in_where_no_token_is_set() -> None:
    async with world(chosen=settings(operator_token=Secret(""))) as gateway:
        response = await Console(gateway).call("POST", SESSION, {"token": " "})
        assert problem(response) == (401, "unauthorised", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"token": 5}, "token"),
        ({"token": "x" * 513}, "token"),
        ({"token": "x", "admin": True}, "admin"),
        ([], "body"),
    ],
)
async def test_a_malformed_log_in_is_refused_by_its_field(
    gateway: World, body: object, field: str
) -> None:
    response = await Console(gateway).call("POST", SESSION, body)
    assert problem(response) == (400, "invalid-request", field)


async def test_tries_to_log_in_are_limited_and_the_limit_is_lifted(gateway: World) -> None:
    console = Console(gateway)
    for _ in range(gateway.services.settings.limits.login_tries_per_minute):
        assert (await console.log_in("wrong")).status_code == 401
    gateway.time.now += 20
    refused = await console.log_in()
    assert problem(refused) == (429, "too-many-requests", None)
    assert refused.headers["retry-after"] == "40"
    gateway.time.now += 40
    assert (await console.log_in()).status_code == 204


async def test_another_address_may_still_log_in(gateway: World) -> None:
    for _ in range(6):
        await Console(gateway).log_in("wrong")
    elsewhere = httpx.ASGITransport(Console(gateway).app, client=("2001:db8::1", 1))
    async with httpx.AsyncClient(transport=elsewhere) as client:
        response = await client.post(CONSOLE + SESSION, json={"token": "wrong"})
    assert response.status_code == 401


READS = [
    ("GET", SESSION),
    ("GET", "/v1/escalations"),
    ("GET", f"/v1/escalations/{UNKNOWN}"),
    ("GET", "/v1/events"),
]
CHANGES = [
    ("DELETE", SESSION),
    ("POST", f"/v1/escalations/{UNKNOWN}/replies"),
    ("POST", f"/v1/escalations/{UNKNOWN}/resolve"),
    ("POST", f"/v1/escalations/{UNKNOWN}/resend"),
]


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
@pytest.mark.parametrize("cookie", [None, f"{COOKIE}=", f"{COOKIE}=guess", "other=1"])
async def test_nothing_is_shown_or_done_without_a_session(
    gateway: World, method: str, path: str, cookie: str | None
) -> None:
    headers = {"cookie": cookie} if cookie is not None else {}
    response = await Console(gateway, headers).call(method, path, {"content": "x"})
    assert problem(response) == (401, "unauthorised", None)


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("given", [None, "", "guess"])
async def test_a_change_without_the_csrf_token_is_refused(
    console: Console, method: str, path: str, given: str | None
) -> None:
    del console.headers["x-csrf-token"]
    if given is not None:
        console.headers["x-csrf-token"] = given
    assert problem(await console.call(method, path)) == (403, "csrf", None)


@pytest.mark.parametrize(("method", "path"), [("POST", SESSION), *READS, *CHANGES])
@pytest.mark.parametrize("origin", [GATEWAY, "https://evil.example", "null", ""])
async def test_a_call_from_another_origin_is_refused(
    console: Console, method: str, path: str, origin: str
) -> None:
    response = await console.call(method, path, origin=origin)
    assert problem(response) == (403, "wrong-origin", "origin")


async def test_the_consoles_own_origin_is_let_through(console: Console) -> None:
    assert (await console.call("GET", SESSION, origin=CONSOLE)).status_code == 200


async def test_a_session_ends_after_twelve_hours(console: Console) -> None:
    console.world.time.now += 12 * 3600 - 1
    assert (await console.call("GET", SESSION)).status_code == 200
    console.world.time.now += 1
    assert (await console.call("GET", SESSION)).status_code == 401


async def test_logging_out_ends_the_session_even_for_a_stolen_cookie(console: Console) -> None:
    response = await console.call("DELETE", SESSION)
    assert response.status_code == 204
    assert f'{COOKIE}=""; ' in response.headers["set-cookie"]
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert (await console.call("GET", SESSION)).status_code == 401


async def test_another_operator_token_ends_the_sessions_of_the_one_before(gateway: World) -> None:
    sessions = OperatorSessions(gateway.services)
    cookie = await sessions.log_in(OPERATOR_TOKEN)
    changed = replace(gateway.services.settings, operator_token=Secret("another-token"))
    after = OperatorSessions(replace(gateway.services, settings=changed))
    assert await after.find(cookie) is None
    assert await sessions.find(cookie) is not None


async def test_the_operators_api_does_not_exist_on_the_visitors_origin(gateway: World) -> None:
    response = await gateway.client.get(GATEWAY + "/v1/escalations")
    assert response.status_code in {404, 405}
    assert (await gateway.client.get(GATEWAY + SESSION)).status_code == 404


async def test_an_escalation_is_shown_whole(console: Console) -> None:
    escalation = await commit(console.world.truth)
    item = await console.one(escalation)
    assert item["id"] == escalation
    assert item["site"] == "site_demo"
    assert item["question"] == "Where is my parcel?"
    assert item["fallback_text"] == "A person will answer here."
    assert item["reason"] == "low_confidence"
    assert item["status"] == "queued"
    assert [turn["content"] for turn in item["tail"]] == ["Hello", "Hello!"]
    assert item["replies"] == []
    (delivery,) = item["deliveries"]
    assert delivery["target"] == "ops"
    assert delivery["state"] == "pending"


@pytest.mark.parametrize("name", [UNKNOWN, "e_1", "nothing", "e_" + "g" * 32, "e_%00"])
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("POST", "/resolve"), ("POST", "/resend")]
)
async def test_an_unknown_escalation_is_not_found(
    console: Console, name: str, method: str, rest: str
) -> None:
    body = {"seen": 1} if rest == "/resolve" else None
    response = await console.call(method, f"/v1/escalations/{name}{rest}", body)
    assert problem(response)[:2] == (404, "not-found")


async def test_the_list_is_newest_first_in_pages(console: Console) -> None:
    made = [await commit(console.world.truth, number) for number in range(5)]
    newest = list(reversed(made))
    first = (await console.call("GET", "/v1/escalations?limit=2")).json()
    assert ([item["id"] for item in first["items"]], first["next"]) == (newest[:2], newest[1])
    second = (await console.call("GET", f"/v1/escalations?limit=2&before={first['next']}")).json()
    assert [item["id"] for item in second["items"]] == newest[2:4]
    last = (await console.call("GET", f"/v1/escalations?limit=2&before={second['next']}")).json()
    assert ([item["id"] for item in last["items"]], last["next"]) == (newest[4:], None)


async def test_the_list_shows_open_ones_unless_asked_otherwise(console: Console) -> None:
    still_open, resolved = [await commit(console.world.truth, number) for number in (1, 2)]
    await console.world.truth.resolve(resolved, START)
    assert await console.listed() == [still_open]
    assert await console.listed("?status=open") == [still_open]
    assert await console.listed("?status=resolved") == [resolved]
    assert await console.listed("?status=all") == [resolved, still_open]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=new", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("before=t_1", "before"),
        ("page=2", "page"),
    ],
)
async def test_a_malformed_query_is_refused_by_its_parameter(
    console: Console, query: str, field: str
) -> None:
    response = await console.call("GET", f"/v1/escalations?{query}")
    assert problem(response) == (400, "invalid-request", field)


async def test_a_reply_is_stored_shown_and_told_to_the_visitor(console: Console) -> None:
    truth, bell = console.world.truth, console.world.services.bell
    escalation = await truth.escalation(await commit(truth))
    topic = conversation_topic(escalation.site, escalation.conversation_id)
    with bell.listen(topic) as visitor, bell.listen(OPERATORS) as operators:
        response = await console.call(
            "POST", f"/v1/escalations/{escalation.id}/replies", {"content": "It is **on its way**."}
        )
        assert await visitor.wait(0)
        assert await operators.wait(0)
    assert response.status_code == 201
    reply = response.json()
    assert reply["content"] == "It is **on its way**."
    assert reply["author"] == "operator"
    assert reply.pop("resolved") is False
    assert (await console.one(escalation.id))["replies"] == [reply]
    told = (await truth.events(SCOPE, escalation.conversation_id, 0))[-1]
    assert told.name == "human_reply"
    assert told.data["content"] == "It is **on its way**."
    assert (await truth.escalation(escalation.id)).status == "queued"


async def test_a_reply_can_resolve(console: Console) -> None:
    escalation = await commit(console.world.truth)
    body = {"content": "Done.", "resolve": True, "seen": 1}
    response = await console.call("POST", f"/v1/escalations/{escalation}/replies", body)
    assert response.json()["resolved"] is True
    assert (await console.one(escalation))["status"] == "resolved"


async def added(console: Console) -> tuple[str, str]:
    """A case to which a turn was added a moment ago: its id, and its first turn."""
    truth = console.world.truth
    name = await commit(truth)
    await commit(truth, 2, conversation=1)
    case = await truth.escalation(name)
    assert len(case.added) == 1
    return name, case.turn_id


async def test_what_has_a_turn_that_was_not_seen_is_not_resolved_and_says_so(
    console: Console,
) -> None:
    name, _ = await added(console)
    path = f"/v1/escalations/{name}/resolve"
    refused = await console.call("POST", path, {"seen": 1})
    assert problem(refused) == (409, "asked-since", "seen")
    assert refused.json()["remedy"]
    assert (await console.one(name))["status"] == "queued"
    assert (await console.call("POST", path, {"seen": 2})).status_code == 204
    assert (await console.one(name))["status"] == "resolved"


async def test_a_reply_that_would_resolve_it_is_kept_and_it_stays_open(console: Console) -> None:
    name, first = await added(console)
    body = {"content": "Done.", "resolve": True, "seen": 1}
    response = await console.call("POST", f"/v1/escalations/{name}/replies", body)
    assert (response.status_code, response.json()["resolved"]) == (201, False)
    item = await console.one(name)
    assert (item["status"], [one["turn_id"] for one in item["replies"]]) == ("queued", [first])


@pytest.mark.parametrize("body", [{}, {"seen": 0}, {"seen": True}, {"seen": "1"}, {"seen": None}])
async def test_resolving_says_how_much_was_seen(console: Console, body: object) -> None:
    name, _ = await added(console)
    response = await console.call("POST", f"/v1/escalations/{name}/resolve", body)
    assert problem(response) == (400, "invalid-request", "seen")
    assert (await console.one(name))["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": ""}, "content"),
        ({"content": " \n\t"}, "content"),
        ({"content": "x" * 8_001}, "content"),
        ({"content": None}, "content"),
        ({"content": "x", "resolve": "yes"}, "resolve"),
        ({"content": "x", "resolve": True}, "seen"),
        ({"content": "x", "seen": 0}, "seen"),
        ({"content": "x", "author": "The king"}, "author"),
    ],
)
async def test_a_malformed_reply_is_refused_and_nothing_is_stored(
    console: Console, body: object, field: str
) -> None:
    escalation = await commit(console.world.truth)
    response = await console.call("POST", f"/v1/escalations/{escalation}/replies", body)
    assert problem(response) == (400, "invalid-request", field)
    assert (await console.one(escalation))["replies"] == []


async def test_a_reply_may_be_as_long_as_the_limit_in_any_script(console: Console) -> None:
    escalation = await commit(console.world.truth)
    for content in ("x" * 8_000, "ש" * 8_000, "😀" * 8_000):
        response = await console.call(
            "POST", f"/v1/escalations/{escalation}/replies", {"content": content}
        )
        assert response.status_code == 201


async def test_a_reply_to_an_unknown_escalation_is_not_found(console: Console) -> None:
    path = f"/v1/escalations/{UNKNOWN}/replies"
    assert problem(await console.call("POST", path, {"content": "x"}))[:2] == (404, "not-found")


async def test_an_oversize_body_is_refused(console: Console) -> None:
    escalation = await commit(console.world.truth)
    path = f"/v1/escalations/{escalation}/replies"
    assert problem(await console.call("POST", path, {"content": "x" * 70_000}))[0] == 413


async def test_resolving_twice_is_the_same(console: Console) -> None:
    truth = console.world.truth
    escalation = await truth.escalation(await commit(truth))
    for _ in range(2):
        response = await console.call(
            "POST", f"/v1/escalations/{escalation.id}/resolve", {"seen": 1}
        )
        assert (response.status_code, response.content) == (204, b"")
    assert (await truth.escalation(escalation.id)).status == "resolved"
    assert await truth.open_escalations(SCOPE, escalation.conversation_id) == 0


async def test_resending_makes_what_is_not_delivered_due_and_wakes_the_outbox(
    console: Console,
) -> None:
    escalation = await commit(console.world.truth, at=START + 900)
    with console.world.services.bell.listen(OUTBOX) as outbox:
        response = await console.call("POST", f"/v1/escalations/{escalation}/resend")
        assert await outbox.wait(0)
    assert (response.status_code, response.json()) == (202, {"resent": 1})


async def read_events(console: Console, change: Callable[[], Awaitable[None]]) -> str:
    """The stream's text, from its start to its end; `change` is made once it has begun."""
    begun = asyncio.Event()
    stream = asyncio.create_task(console.stream("/v1/events", begun))
    await begun.wait()
    await change()
    async with asyncio.timeout(10):
        return await stream


async def test_the_event_stream_names_what_is_new_or_changed_and_says_good_bye(
    console: Console,
) -> None:
    truth, bell = console.world.truth, console.world.services.bell
    before, untouched = [await commit(truth, number) for number in (1, 2)]
    after: list[str] = []

    async def change() -> None:
        after.append(await commit(truth, 3))
        await console.call("POST", f"/v1/escalations/{before}/replies", {"content": "Hello"})
        await asyncio.sleep(3 * operator_events.BURST_S)
        bell.close()

    text = await read_events(console, change)
    *told, last = events(text)
    assert last == ("bye", {})
    assert {(name, data["id"]) for name, data in told} == {
        ("escalation", before),
        ("escalation", after[0]),
    }
    assert untouched not in text


async def test_the_event_stream_ends_with_its_session(console: Console) -> None:
    async def change() -> None:
        assert (await console.call("DELETE", SESSION)).status_code == 204

    assert events(await read_events(console, change)) == [("bye", {})]


class Sometimes(MemoryTruth):
    """A store that is down when it is told to be."""

    down = False

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        if self.down:
            raise Unavailable("the store is down")
        return await super().escalations(status=status, before=before, limit=limit)


async def still_logged_in() -> bool:
    return True


async def test_the_event_stream_outlives_a_store_that_is_down() -> None:
    truth, bell = Sometimes(clock=StandingClock()), Bell()
    watch = operator_events.Watch(truth)
    await watch.look()
    stream: AsyncIterator[bytes] = operator_events.changes(bell, watch, still_logged_in)
    escalation = await commit(truth)
    truth.down = True
    assert await anext(stream) == sse.HEARTBEAT
    truth.down = False
    bell.ring(OPERATORS)
    assert await anext(stream) == sse.event("escalation", {"id": escalation})
    bell.close()
    assert [each async for each in stream] == [sse.event("bye", {})]


async def test_a_quiet_stream_beats_and_finds_what_rang_no_bell_here() -> None:
    truth, bell = MemoryTruth(clock=StandingClock()), Bell()
    watch = operator_events.Watch(truth)
    stream = operator_events.changes(bell, watch, still_logged_in, heartbeat_s=0)
    assert await anext(stream) == sse.HEARTBEAT
    escalation = await commit(truth)
    assert await anext(stream) == sse.event("escalation", {"id": escalation})
    await stream.aclose()  # type: ignore[attr-defined]


async def test_an_old_escalation_that_is_resolved_is_told_though_it_leaves_the_look() -> None:
    truth = MemoryTruth(clock=StandingClock())
    old = await commit(truth, 0)
    newer = [await commit(truth, number) for number in range(1, operator_events.NEWEST + 1)]
    watch = operator_events.Watch(truth)
    assert await watch.look() == [old, *newer]
    assert await watch.look() == []
    await truth.resolve(old, START)
    assert await watch.look() == [old]
    assert await watch.look() == []
