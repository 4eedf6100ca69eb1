"""`POST /v1/slack/events`: what Slack signs is taken once, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from core.encoding import timestamp
from core.errors import Unavailable
from core.messages import Attempt, Delivery, Reply
from core.ports import Outcome, Thread
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_cache import RedisCache
from gateway.app import create_app
from gateway.bell import OPERATORS
from gateway.context import Services
from gateway.escalation.slack_event import is_fresh, is_signed, signature
from gateway.routes.slack import CLAIMED_S, turns_before
from gateway.settings import Secret, SiteSettings, TargetSettings
from tests.gateway.escalation.samples import ScriptedTarget, an_escalation, commit
from tests.gateway.test_escalations import escalation as body_of
from tests.gateway.test_escalations import send as escalate
from tests.gateway.vendors.slack import (
    CHANNEL,
    PERSON,
    SIGNING_SECRET,
    TEAM,
    check_mark,
    envelope,
    reply,
    send,
    signed,
)
from tests.gateway.world import GATEWAY, Time, World, make_services, settings, world
from tests.servers import RedisServer

ROOT = "1789990000.000100"


@dataclass
class Desk:
    """A gateway, and the escalation that stands in the thread `ROOT`."""

    gateway: World
    escalation_id: str
    conversation_id: str

    async def event(self, event: dict[str, Any], event_id: str = "Ev1", **more: Any) -> int:
        at = self.gateway.time()
        document = envelope(event, event_id, **more)
        response = await send(self.gateway.client, GATEWAY, document, at)
        return response.status_code

    async def replies(self) -> list[Reply]:
        return list((await self.gateway.truth.escalation(self.escalation_id)).replies)

    async def status(self) -> str:
        return (await self.gateway.truth.escalation(self.escalation_id)).status


def slack_settings(name: str = "team", **changes: object) -> TargetSettings:
    made = TargetSettings(
        name=name,
        kind="slack",
        url="https://slack.com/api",
        secret=Secret(SIGNING_SECRET),
        token=Secret("xoxb-unused-unused"),
        channel=CHANNEL,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def desk(*targets: TargetSettings) -> AsyncIterator[Desk]:
    chosen = targets or (slack_settings(),)
    site = SiteSettings("site_demo", "Shop", ("http://localhost:8001",), kb=(), targets=("team",))
    taken = Outcome(True, "delivered", 200, thread=Thread(TEAM, CHANNEL, ROOT))
    team = ScriptedTarget((taken,), name="team", kind="slack")
    async with world(
        chosen=settings(sites=(site,), targets=chosen), targets={"team": team}
    ) as gateway:
        visitor = await gateway.visitor()
        body = body_of(visitor)
        made = (await escalate(visitor, body)).json()["escalation_id"]
        async with asyncio.timeout(10):
            with gateway.services.bell.listen(OPERATORS) as ear:
                while (await gateway.truth.escalation(made)).status != "delivered":
                    await ear.wait(0.1)
        yield Desk(gateway, made, body["conversation_id"])


async def test_a_reply_in_the_thread_becomes_a_persons_reply() -> None:
    async with desk() as slack:
        assert await slack.event(reply(ROOT, "It is *basalt* &amp; old.")) == 200
        (stored,) = await slack.replies()
        assert (stored.content, stored.author) == ("It is **basalt** & old.", PERSON)
        assert await slack.status() == "delivered"


@pytest.mark.parametrize(
    ("profile", "author"),
    [
        ({"display_name": "Dana", "real_name": "Dana Levi"}, "Dana"),
        ({"display_name": "", "real_name": "Dana Levi"}, "Dana Levi"),
        ({"display_name": "D\u202ea\nna"}, "Dana"),
        ({"display_name": "\u202e"}, PERSON),
        ({}, PERSON),
        ("Dana", PERSON),
    ],
)
async def test_the_author_is_the_name_that_the_event_has(profile: object, author: str) -> None:
    async with desk() as slack:
        await slack.event(reply(ROOT, "Yes.", user_profile=profile))
        (stored,) = await slack.replies()
        assert stored.author == author


async def test_a_reply_that_was_also_sent_to_the_channel_counts() -> None:
    async with desk() as slack:
        await slack.event(reply(ROOT, "Yes.", subtype="thread_broadcast"))
        assert len(await slack.replies()) == 1


PASSED_OVER: list[tuple[str, dict[str, Any]]] = [
    ("a bot's", reply(ROOT, "x", bot_id="B1")),
    ("a bot's of the old kind", reply(ROOT, "x", subtype="bot_message")),
    ("an edit", {"type": "message", "subtype": "message_changed", "channel": CHANNEL,
                 "message": reply(ROOT, "x"), "ts": "1790000100.000300"}),
    ("an edited message", reply(ROOT, "x", edited={"user": PERSON, "ts": "1"})),
    ("a deletion", reply(ROOT, "x", subtype="message_deleted")),
    ("a join", reply(ROOT, "x", subtype="channel_join")),
    ("no reply", {k: v for k, v in reply(ROOT, "x").items() if k != "thread_ts"}),
    ("the parent itself", reply(ROOT, "x", ts=ROOT)),
    ("another thread", reply("1789990000.000999", "x")),
    ("another channel", reply(ROOT, "x", channel="C0OTHER000")),
    ("another workspace's member", reply(ROOT, "x", user_team="T0OTHER000")),
    ("a source elsewhere", reply(ROOT, "x", source_team="T0OTHER000")),
    ("a file without words", reply(ROOT, "", subtype="file_share")),
    ("blanks", reply(ROOT, "  \n ")),
    ("no user", reply(ROOT, "x", user=None)),
    ("numbers", reply(ROOT, "x", channel=7)),
    ("another reaction", check_mark(ROOT, "eyes")),
    ("a check mark elsewhere", check_mark("1789990100.000200")),
    ("a check mark on a file", check_mark(ROOT, item={"type": "file", "file": "F1"})),
    ("a check mark on nothing", check_mark(ROOT, item=None)),
    ("another event", {"type": "app_mention", "user": PERSON, "text": "resolve"}),
]  # fmt: skip


@pytest.mark.parametrize("event", [row[1] for row in PASSED_OVER], ids=[r[0] for r in PASSED_OVER])
async def test_everything_else_is_passed_over(event: dict[str, Any]) -> None:
    async with desk() as slack:
        assert await slack.event(event) == 200
        assert await slack.replies() == []
        assert await slack.status() == "delivered"
        assert await slack.event(reply(ROOT, "Yes."), "Ev2") == 200
        assert len(await slack.replies()) == 1


async def test_another_workspaces_event_is_passed_over() -> None:
    async with desk() as slack:
        assert await slack.event(reply(ROOT, "x"), team="T0OTHER000") == 200
        assert await slack.replies() == []


@pytest.mark.parametrize(
    "word", ["resolve", "Resolved.", " RESOLVE ", "*resuelto*", "נפתר", "close"]
)
async def test_a_word_closes_it_and_is_no_reply(word: str) -> None:
    async with desk() as slack:
        await slack.event(reply(ROOT, word))
        assert await slack.status() == "resolved"
        assert await slack.replies() == []


@pytest.mark.parametrize("text", ["resolve it please", "we resolved", "to resolve: restart"])
async def test_a_sentence_with_that_word_is_a_reply(text: str) -> None:
    async with desk() as slack:
        await slack.event(reply(ROOT, text))
        assert await slack.status() == "delivered"
        assert len(await slack.replies()) == 1


@pytest.mark.parametrize("name", ["white_check_mark", "heavy_check_mark", "ballot_box_with_check"])
async def test_a_check_mark_on_the_first_message_closes_it(name: str) -> None:
    async with desk() as slack:
        await slack.event(check_mark(ROOT, name))
        assert await slack.status() == "resolved"


async def test_only_those_who_may_answer_do() -> None:
    async with desk(slack_settings(allowed_users=("U0BOSS00000",))) as slack:
        await slack.event(reply(ROOT, "I may not."), "Ev1")
        await slack.event(check_mark(ROOT), "Ev2")
        assert await slack.replies() == []
        assert await slack.status() == "delivered"
        await slack.event(reply(ROOT, "I may.", user="U0BOSS00000"), "Ev3")
        assert [one.content for one in await slack.replies()] == ["I may."]


async def test_a_check_mark_in_a_shared_channel_counts_of_those_who_may_answer() -> None:
    shared = {"is_ext_shared_channel": True}
    async with desk() as slack:
        assert await slack.event(check_mark(ROOT), "Ev1", **shared) == 200
        assert await slack.status() == "delivered"
        assert await slack.event(reply(ROOT, "Yes."), "Ev2", **shared) == 200
        assert len(await slack.replies()) == 1
    async with desk(slack_settings(allowed_users=(PERSON,))) as slack:
        theirs = check_mark(ROOT, user="U0OTHER000")
        assert await slack.event(theirs, "Ev1", **shared) == 200
        assert await slack.status() == "delivered"
        assert await slack.event(check_mark(ROOT), "Ev2", **shared) == 200
        assert await slack.status() == "resolved"


async def test_an_event_that_slack_sends_again_counts_once() -> None:
    async with desk() as slack:
        for _ in range(3):
            assert await slack.event(reply(ROOT, "Yes."), "Ev1") == 200
        assert len(await slack.replies()) == 1


async def test_a_lost_cache_stores_no_reply_twice() -> None:
    async with desk() as slack:
        for number in range(3):
            assert await slack.event(reply(ROOT, "Yes."), f"Ev{number}") == 200
        assert len(await slack.replies()) == 1
        await slack.event(reply(ROOT, "Yes.", ts="1790000100.000201"), "Ev9")
        assert len(await slack.replies()) == 2


class NoCache(MemoryCache):
    """A cache that is down."""

    async def claim(self, key: str, ttl_s: float) -> bool:
        raise Unavailable("the cache is down")


async def post(services: Services, *documents: object) -> list[int]:
    """Send events to an app of these services."""
    app = create_app(services, outbox=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        at = services.clock()
        return [(await send(client, GATEWAY, one, at)).status_code for one in documents]


def clock() -> float:
    return 1_790_000_000.0


def services_of(**changes: object) -> Services:
    chosen = settings(targets=(slack_settings(),))
    return replace(make_services(chosen, clock), **changes)  # type: ignore[arg-type]


async def test_a_cache_that_is_down_keeps_no_reply_out() -> None:
    services = services_of(cache=NoCache(clock=clock))
    assert await post(services, envelope(reply(ROOT, "Yes."))) == [200]


async def test_what_the_store_could_not_take_is_taken_when_slack_sends_it_again() -> None:
    services = services_of(truth=SlowTruth(clock=clock))
    event = envelope(reply(ROOT, "Yes."))
    assert await post(services, event, event, event) == [503, 200, 200]


class Blinking(MemoryCache):
    """A cache that takes nothing back, as of a process that is killed."""

    async def release(self, key: str) -> None:
        raise Unavailable("the cache is down")


async def in_a_thread(services: Services, thread_ts: str = ROOT) -> str:
    """An escalation that stands in a thread; its id."""
    truth, at = services.truth, services.clock()
    made = await commit(truth, targets=("team",), kind="slack", at=at)
    (leased,) = await truth.lease_deliveries(at, at + 20, 1)
    attempt, thread = Attempt(timestamp(at), "delivered"), Thread(TEAM, CHANNEL, thread_ts)
    await truth.finish_delivery(leased.id, attempt, "delivered", None, thread=thread)
    return made


class SlowTruth(MemoryTruth):
    """A store that fails once, then answers; `meanwhile` is what happens when it fails."""

    failures = 1

    def meanwhile(self) -> None:
        """Nothing."""

    async def threaded(self, thread: Thread) -> Any:
        if self.failures:
            self.failures -= 1
            self.meanwhile()
            raise Unavailable("the database is locked")
        return await super().threaded(thread)


async def test_what_a_killed_process_had_claimed_is_taken_a_moment_later() -> None:
    now = Time()
    services = services_of(
        clock=now, truth=SlowTruth(clock=now), cache=Blinking(clock=now, capacity=100)
    )
    made = await in_a_thread(services)
    event = envelope(reply(ROOT, "Yes."))
    assert await post(services, event, event) == [503, 503]
    now.now += CLAIMED_S
    assert await post(services, event, event) == [200, 200]
    now.now += 3_600
    assert await post(services, event) == [200]
    assert [one.content for one in (await services.truth.escalation(made)).replies] == ["Yes."]


@asynccontextmanager
async def over_redis(url: str, services: Services) -> AsyncIterator[Services]:
    """These services in a process of their own, whose cache is in Redis."""
    cache = RedisCache(url, clock=time.time, random=secrets.token_bytes, settle_s=0)
    await cache.start()
    try:
        yield replace(services, cache=cache)
    finally:
        await cache.close()


class Dying(SlowTruth):
    """A store whose process is killed when it is asked."""

    def meanwhile(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


EVENT = envelope(reply(ROOT, "Yes."))


async def die(url: str) -> None:
    """Claim an event, and be killed."""
    async with over_redis(url, services_of(truth=Dying(clock=clock))) as services:
        await post(services, EVENT)


@pytest.mark.needs("redis-server")
async def test_a_reply_outlives_a_process_that_is_killed_while_it_takes_it(
    redis_server: RedisServer,
) -> None:
    program = f"import asyncio; from {__name__} import die; asyncio.run(die({redis_server.url!r}))"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    async with asyncio.timeout(30):
        assert await killed.wait() == -signal.SIGKILL
    services = services_of()
    made = await in_a_thread(services)
    async with over_redis(redis_server.url, services) as second, asyncio.timeout(20):
        said = await post(second, EVENT)
        while said[-1] == 503:
            await asyncio.sleep(0.1)
            said += await post(second, EVENT)
    assert (said[0], said[-1]) == (503, 200)
    assert [one.content for one in (await services.truth.escalation(made)).replies] == ["Yes."]


NEW = f"{int(clock())}.000100"


async def test_a_thread_that_has_just_begun_is_waited_for() -> None:
    services = services_of()
    truth = services.truth
    made = await commit(truth, targets=("team",), kind="slack", at=clock())
    (leased,) = await truth.lease_deliveries(clock(), clock() + 20, 1)
    sending = asyncio.create_task(post(services, envelope(reply(NEW, "Yes."))))
    await asyncio.sleep(0.05)
    attempt, thread = Attempt(timestamp(clock()), "delivered"), Thread(TEAM, CHANNEL, NEW)
    await truth.finish_delivery(leased.id, attempt, "delivered", None, thread=thread)
    services.bell.ring(OPERATORS)
    assert await sending == [200]
    assert len((await truth.escalation(made)).replies) == 1


async def test_a_thread_that_is_not_known_in_time_is_asked_for_again() -> None:
    elsewhere = envelope(reply(NEW, "Yes.", channel="C0OTHER000"), "Ev2")
    assert await post(services_of(), envelope(reply(NEW, "Yes.")), elsewhere) == [503, 200]


OLD = "1789990000.000777"


class Finding(ScriptedTarget):
    """A target that knows one thread which nobody recorded."""

    asked = 0
    found: str | None = None
    fails = False

    async def find(self, thread: Thread, at: float) -> str | None:
        self.asked += 1
        if self.fails:
            raise Unavailable("Slack is down")
        return self.found


async def finding(**changes: object) -> tuple[Services, Finding, str]:
    target = Finding(name="team", kind="slack")
    services = services_of(targets={"team": target})
    made = await commit(services.truth, targets=("team",), kind="slack", at=clock())
    target.found = made
    for name, value in changes.items():
        setattr(target, name, value)
    return services, target, made


async def test_a_thread_that_a_killed_process_did_not_record_is_found_and_kept() -> None:
    services, target, made = await finding()
    first = envelope(reply(OLD, "Yes."), "Ev1")
    second = envelope(reply(OLD, "And more.", ts="1789990500.000100"), "Ev2")
    assert await post(services, first, second) == [200, 200]
    stored = (await services.truth.escalation(made)).replies
    assert [one.content for one in stored] == ["Yes.", "And more."]
    assert target.asked == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"found": None}, 200), ({"found": "e_" + "0" * 32}, 200), ({"fails": True}, 503)],
)
async def test_a_thread_that_is_not_found_is_passed_over_or_asked_for_again(
    changes: dict[str, object], status: int
) -> None:
    services, _, made = await finding(**changes)
    assert await post(services, envelope(reply(OLD, "Yes."))) == [status]
    assert (await services.truth.escalation(made)).replies == ()


async def test_an_escalation_that_went_to_another_target_is_not_answered_here() -> None:
    services, target, _ = await finding()
    target.found = await commit(services.truth, 2, targets=("desk",), at=clock())
    assert await post(services, envelope(reply(OLD, "Yes."))) == [200]
    assert (await services.truth.escalation(target.found)).replies == ()


@pytest.mark.parametrize("ts", [OLD, NEW])
async def test_of_a_thread_that_somebody_else_began_slack_is_not_asked(ts: str) -> None:
    services, target, _ = await finding()
    theirs = envelope(reply(ts, "Yes.", parent_user_id=PERSON))
    mark = envelope(check_mark(ts, item_user=PERSON), "Ev2")
    assert await post(services, theirs, mark) == [200, 200]
    assert target.asked == 0


async def test_slacks_first_call_is_answered_with_its_challenge(gateway: World) -> None:
    async with desk() as slack:
        document = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}
        response = await send(slack.gateway.client, GATEWAY, document, slack.gateway.time())
        assert response.status_code == 200
        assert response.json() == {"challenge": "3eZbrw1aB"}


async def attack(slack: Desk, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    url = f"{GATEWAY}/v1/slack/events"
    response = await slack.gateway.client.post(url, content=body, headers=headers)
    return response.status_code, response.json().get("type", "").rsplit("/", 1)[-1]


async def test_what_slack_did_not_sign_is_refused_and_what_it_signed_is_not() -> None:
    async with desk() as slack:
        now = slack.gateway.time()
        body = json.dumps(envelope(reply(ROOT, "Yes."))).encode()
        good = signed(body, now)
        for headers in (
            {},
            {**good, "x-slack-signature": ""},
            {**good, "x-slack-signature": "v0=" + "0" * 64},
            {**good, "x-slack-signature": good["x-slack-signature"].upper()},
            {**good, "x-slack-signature": good["x-slack-signature"].replace("v0=", "v1=")},
            signed(body, now, "another0123456789secret"),
            signed(body + b" ", now),
            {
                **signed(body, now - 1),
                "x-slack-request-timestamp": good["x-slack-request-timestamp"],
            },
        ):
            status, _ = await attack(slack, body, {"content-type": "application/json", **headers})
            assert status == 401
        assert await slack.replies() == []
        assert (await attack(slack, body, good))[0] == 200
        assert len(await slack.replies()) == 1


@pytest.mark.parametrize(
    ("late_s", "status"), [(0, 200), (299, 200), (-299, 200), (301, 401), (-301, 401)]
)
async def test_a_request_is_good_for_five_minutes(late_s: int, status: int) -> None:
    async with desk() as slack:
        body = json.dumps(envelope(reply(ROOT, "Yes."))).encode()
        got, _ = await attack(slack, body, signed(body, slack.gateway.time() - late_s))
        assert got == status


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-1", "١٢", " 1790000000", "9" * 40])
async def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    assert not is_fresh(timestamp, 1_790_000_000.0)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 100_000])
async def test_a_signed_body_that_is_no_object_is_refused(body: bytes) -> None:
    async with desk() as slack:
        made = signature(SIGNING_SECRET, str(int(slack.gateway.time())), body)
        headers = {"x-slack-request-timestamp": str(int(slack.gateway.time()))}
        status, name = await attack(slack, body, {**headers, "x-slack-signature": made})
        assert (status, name) == (400, "not-json")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    async with desk() as slack:
        body = b"x" * (256 * 1024 + 1)
        assert (await attack(slack, body, signed(body, slack.gateway.time())))[0] == 413


async def test_a_targets_secret_opens_no_other_targets_threads() -> None:
    other = slack_settings("night", secret=Secret("another0123456789secret"))
    async with desk(slack_settings(), other) as slack:
        body = json.dumps(envelope(reply(ROOT, "Yes."))).encode()
        now = slack.gateway.time()
        assert (await attack(slack, body, signed(body, now, "another0123456789secret")))[0] == 200
        assert await slack.replies() == []


async def test_without_a_slack_target_nothing_is_taken(gateway: World) -> None:
    body = json.dumps(envelope(reply(ROOT, "Yes."))).encode()
    headers = signed(body, gateway.time())
    response = await gateway.client.post(
        f"{GATEWAY}/v1/slack/events", content=body, headers=headers
    )
    assert response.status_code == 401


class At(Clock):
    """Slack's library at a time of our choosing."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


@given(body=st.text(), secret=st.text("abcdef0123456789", min_size=16), at=st.integers(0, 2**33))
def test_slacks_library_and_ours_agree(body: str, secret: str, at: int) -> None:
    raw = body.encode("utf-8", "replace")
    ours = signature(secret, str(at), raw)
    theirs = SignatureVerifier(secret, At(at))
    assert theirs.is_valid(raw, str(at), ours)
    assert is_signed(secret, str(at), raw, ours)
    assert not is_signed(secret, str(at), raw + b"x", ours)


@given(body=st.binary(), given_=st.text())
def test_any_body_and_any_signature_are_judged(body: bytes, given_: str) -> None:
    assert is_signed("secret", "1", body, given_) == (given_ == signature("secret", "1", body))


@pytest.mark.parametrize(
    ("ts", "seen"),
    [
        ("1790000099.999999", 1),
        ("1790000100.000000", 2),
        ("1790000150.5", 2),
        ("1790000300", 3),
        ("", 1),
        ("soon", 1),
        ("1e99", 1),
        ("9" * 40, 1),
    ],
)
def test_a_turn_was_before_whoever_wrote_after_it_was_sent_to_that_thread(
    ts: str, seen: int
) -> None:
    def told(at: float, target: str = "team", **more: Any) -> Delivery:
        tried = (Attempt(timestamp(at), "delivered", 200),)
        made = Delivery(target, "slack", "delivered", tried, None, "added")
        return replace(made, **more)

    case = replace(
        an_escalation(),
        deliveries=(
            told(1_790_000_000.0, action="open"),
            told(1_790_000_100.0),
            told(1_790_000_200.0),
            told(1_790_000_000.0, target="other"),
            told(1_790_000_000.0, state="pending"),
            told(1_790_000_000.0, action="reply"),
        ),
    )
    assert turns_before(case, "team", ts) == seen
