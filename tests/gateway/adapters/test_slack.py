"""The Slack target against a workspace that answers as Slack documents."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.errors import Unavailable
from core.messages import Consent, DeliveryAction, Escalation, MemoryTurn, Reply
from core.ports import Cache, Outcome, Target, Thread
from core.truth import LeasedDelivery
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.outbound import Outbound
from gateway.adapters.pace import Pace
from gateway.adapters.redis_cache import RedisCache
from gateway.adapters.slack import PASSING, REMEDIES, SlackTarget
from gateway.bell import Bell
from gateway.escalation import slack_message
from gateway.escalation.outbox import OutboxWorker
from gateway.escalation.slack_text import escaped
from gateway.settings import Secret, TargetSettings
from tests.gateway.escalation.samples import StandingClock, an_added_turn, an_escalation, commit
from tests.gateway.vendors.slack import (
    BOT_TOKEN,
    CHANNEL,
    MESSAGE,
    TEAM,
    Workspace,
    refused,
    workspace,
)
from tests.servers import RedisServer

NOW = 1_790_000_000.0
CONSOLE = "https://console.example"


@asynccontextmanager
async def target(
    url: str, *, listed: str = "", cache: Cache | None = None, **changes: Any
) -> AsyncIterator[SlackTarget]:
    values: dict[str, object] = {
        "name": "team",
        "kind": "slack",
        "url": url,
        "secret": Secret(""),
        "token": Secret(BOT_TOKEN),
        "channel": CHANNEL,
    }
    outbound = Outbound([listed or urlsplit(url).netloc], timeout_s=5)
    settings = TargetSettings(**{**values, **changes})
    try:
        yield SlackTarget(
            settings,
            outbound,
            Pace(1.0, f"pace:{urlsplit(url).netloc}", cache),
            site_names={"site_demo": "The Shop"},
            console_url=CONSOLE,
        )
    finally:
        await outbound.close()


async def deliver(*refusals: Response, **changes: Any) -> tuple[Outcome, Workspace]:
    with workspace(*refusals) as slack:
        async with target(slack.url, **changes) as team:
            return await team.deliver(an_escalation(), NOW), slack


async def test_a_question_becomes_a_thread_that_is_known_by_its_place() -> None:
    outcome, slack = await deliver()
    (message,) = slack.posted
    assert outcome.delivered
    assert outcome.thread == Thread(TEAM, CHANNEL, message["ts"])
    assert message["blocks"][1]["text"]["text"] == "Where is my parcel?"
    assert message["metadata"]["event_payload"]["escalation_id"] == an_escalation().id
    link = message["blocks"][-1]["elements"][0]["text"]
    assert link == f"<{CONSOLE}/#{an_escalation().id}|Open in the console>"
    assert message["blocks"][0]["text"]["text"] == "The Shop: a visitor is waiting"


async def test_the_workspace_is_asked_once_who_it_is() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            for second in range(3):
                await team.deliver(an_escalation(), NOW + second)
    assert slack.methods == ["auth.test", *["chat.postMessage"] * 3]


def leased(action: DeliveryAction, about: str = "", thread: Thread | None = None) -> LeasedDelivery:
    given_ = Reply("h_1", an_escalation().id, "t_1", "Dana", "Tomorrow <!here>.", "2026-11-21")
    escalation = replace(an_escalation(), replies=(given_,), added=(an_added_turn(),))
    return LeasedDelivery(1, "team", "slack", escalation, 0, action, about, thread)


async def test_the_thread_hears_of_a_reply_and_of_the_end() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            thread = Thread(TEAM, CHANNEL, "1790000000.000100")
            told = await team.follow(leased("reply", "h_1", thread), NOW)
            ended = await team.follow(leased("resolve", "", thread), NOW + 1)
    assert told.delivered
    assert ended.delivered
    assert told.thread is ended.thread is None
    assert [message["thread_ts"] for message in slack.posted] == ["1790000000.000100"] * 2
    first = slack.posted[0]["blocks"]
    assert first[0]["elements"][0]["text"] == "Dana answered elsewhere:"
    assert first[1]["text"]["text"] == "Tomorrow &lt;!here&gt;."
    assert "Resolved" in slack.posted[1]["text"]


async def test_the_thread_hears_of_a_later_turn_which_pings_nobody() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            thread = Thread(TEAM, CHANNEL, "1790000000.000100")
            told = await team.follow(leased("added", an_added_turn().id, thread), NOW)
            erased = await team.follow(leased("added", "e_gone", thread), NOW + 1)
    assert told.delivered
    assert erased.outcome == "nothing_to_tell"
    [message] = slack.posted
    assert message["thread_ts"] == "1790000000.000100"
    assert "reply_broadcast" not in message
    first, second, facts, shown = message["blocks"]
    assert first["elements"][0]["text"] == "The visitor wrote again:"
    assert second["text"]["text"] == "And my &lt;!here&gt; refund?"
    assert facts["elements"][0]["text"] == "Why: no answer at all"
    assert shown["elements"][0]["text"] == "Shown meanwhile: A person will answer here."


async def test_the_thread_hears_of_a_contact_and_of_what_was_agreed_to() -> None:
    consent = Consent("Write to <!here> me.", "2026-11-21T09:07:00.000Z")
    thread = Thread(TEAM, CHANNEL, "1790000000.000100")
    told = leased("contact", an_escalation().id, thread)
    left = replace(told.escalation, contact="a@example.com", contact_consent=consent)
    with workspace() as slack:
        async with target(slack.url) as team:
            assert (await team.follow(replace(told, escalation=left), NOW)).delivered
            nothing = await team.follow(told, NOW + 1)
    assert nothing.outcome == "nothing_to_tell"
    [message] = slack.posted
    MESSAGE.validate({name: value for name, value in message.items() if name != "ts"})
    first, contact, agreed = message["blocks"]
    assert first["elements"][0]["text"] == "The visitor left a contact:"
    assert contact["text"]["text"] == "a@example.com"
    assert agreed["elements"][0]["text"] == "Agreed to: Write to &lt;!here&gt; me."


async def test_without_a_thread_there_is_nothing_to_tell() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            outcome = await team.follow(leased("resolve"), NOW)
    assert (outcome.delivered, outcome.outcome) == (True, "nothing_to_tell")
    assert slack.posted == []


async def test_a_thread_that_was_lost_sight_of_is_found_by_its_metadata() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            outcome = await team.deliver(an_escalation(), NOW)
            assert outcome.thread is not None
            assert await team.find(outcome.thread, NOW) == an_escalation().id
            elsewhere = replace(outcome.thread, team="T0OTHER000")
            assert await team.find(elsewhere, NOW) is None
            unknown = replace(outcome.thread, ts="1790000000.000999")
            assert await team.find(unknown, NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B0OTHER000"},
        {"metadata": None},
        {"metadata": {"event_type": "another", "event_payload": {"escalation_id": "e_1"}}},
        {"metadata": {"event_type": "fanlight_escalation", "event_payload": []}},
        {"metadata": {"event_type": "fanlight_escalation", "event_payload": {"escalation_id": 7}}},
        {
            "metadata": {
                "event_type": "fanlight_escalation",
                "event_payload": {"escalation_id": "x"},
            }
        },
    ],
)
async def test_what_another_app_says_of_a_thread_is_not_believed(
    changes: dict[str, object],
) -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            outcome = await team.deliver(an_escalation(), NOW)
            assert outcome.thread is not None
            slack.posted[0].update(changes)
            assert await team.find(outcome.thread, NOW) is None


@pytest.mark.parametrize("said", [refused("internal_error"), PlainTextResponse("", 503)])
async def test_a_workspace_that_cannot_say_whose_thread_it_is_is_asked_again(
    said: Response,
) -> None:
    with workspace(said) as slack:
        async with target(slack.url) as team:
            with pytest.raises(Unavailable):
                await team.find(Thread(TEAM, CHANNEL, "1790000000.000100"), NOW)


async def test_without_a_token_nothing_is_found() -> None:
    with workspace() as slack:
        async with target(slack.url, token=Secret("xoxb-wrong-wrong-wrong")) as team:
            assert await team.find(Thread(TEAM, CHANNEL, "1790000000.000100"), NOW) is None


async def test_of_a_reply_that_was_erased_there_is_nothing_to_tell() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            thread = Thread(TEAM, CHANNEL, "1790000000.000100")
            outcome = await team.follow(leased("reply", "h_gone", thread), NOW)
    assert (outcome.delivered, outcome.outcome) == (True, "nothing_to_tell")
    assert slack.posted == []


@pytest.mark.parametrize("error", sorted(REMEDIES))
async def test_an_error_that_stays_is_given_up_with_its_remedy(error: str) -> None:
    outcome, _ = await deliver(refused(error))
    assert (outcome.delivered, outcome.give_up, outcome.outcome) == (False, True, "refused")
    assert error in outcome.detail
    assert len(outcome.detail) > len(f"Slack said {error}.") + 20
    assert "{" not in outcome.detail


@pytest.mark.parametrize("error", [*sorted(PASSING), "something_new"])
async def test_an_error_that_passes_is_tried_again(error: str) -> None:
    outcome, _ = await deliver(refused(error))
    assert (outcome.delivered, outcome.give_up, outcome.disable) == (False, False, False)


async def test_a_wrong_token_names_its_variable_and_not_itself() -> None:
    outcome, _ = await deliver(token=Secret("xoxb-wrong-wrong-wrong"))
    assert outcome.give_up
    assert "FANLIGHT_TARGET_TEAM_TOKEN" in outcome.detail
    assert "xoxb-wrong" not in outcome.detail


async def test_a_missing_scope_is_named() -> None:
    outcome, _ = await deliver(refused("missing_scope", needed="chat:write:bot", provided="x"))
    assert "chat:write:bot" in outcome.detail


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (JSONResponse({"ok": False}), "rejected"),
        (JSONResponse({"ok": False, "error": "<b>Ünknown"}), "rejected"),
        (JSONResponse(["ok"]), "rejected"),
        (PlainTextResponse("busy", 503), "rejected"),
        (PlainTextResponse("<html>", 200), "rejected"),
        (PlainTextResponse("", 302, {"location": "http://127.0.0.1:1/"}), "rejected"),
        (JSONResponse({"ok": False, "error": "ratelimited"}), "rate_limited"),
    ],
)
async def test_what_is_no_answer_of_slacks_is_tried_again(said: Response, expected: str) -> None:
    outcome, _ = await deliver(said)
    assert (outcome.delivered, outcome.outcome, outcome.give_up) == (False, expected, False)


async def test_a_pause_that_slack_asks_for_holds_the_whole_channel() -> None:
    limited = JSONResponse({"ok": False}, 429, {"retry-after": "30"})
    with workspace(limited) as slack:
        async with target(slack.url) as team:
            outcome = await team.deliver(an_escalation(), NOW)
            assert (outcome.outcome, outcome.retry_after_s) == ("rate_limited", 30.0)
            assert team.ready_at(NOW + 1) == NOW + 30
            assert team.ready_at(NOW + 31) == NOW + 31


async def test_a_busy_channel_uses_up_no_attempts() -> None:
    limited = JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "30"})
    clock = StandingClock(NOW)
    truth = MemoryTruth(clock=clock)
    made = await commit(truth, targets=("team",), kind="slack", at=NOW)
    with workspace(*[limited] * 12) as slack:
        async with target(slack.url) as team:
            worker = OutboxWorker(truth, {"team": team}, clock, secrets.token_bytes, Bell())
            for _ in range(12):
                assert await worker.deliver_due() == 1
                assert await truth.next_due() == clock.now + 30
                clock.now += 30
            await worker.deliver_due()
    (delivery,) = (await truth.escalation(made)).deliveries
    assert [one.outcome for one in delivery.attempts] == ["delivered"]


@pytest.mark.needs("redis-server")
async def test_processes_share_the_pace_of_a_channel(redis_server: RedisServer) -> None:
    truths = [MemoryTruth(clock=time.time) for _ in range(2)]
    for truth in truths:
        for number in range(2):
            await commit(truth, number, targets=("team",), kind="slack", at=time.time())
    async with AsyncExitStack() as opened:
        slack = opened.enter_context(workspace(is_strict=True))
        workers = []
        for truth in truths:
            cache = RedisCache(
                redis_server.url, clock=time.time, random=secrets.token_bytes, settle_s=0
            )
            await cache.start()
            opened.push_async_callback(cache.close)
            team = await opened.enter_async_context(target(slack.url, cache=cache))
            targets: dict[str, Target] = {"team": team}
            workers.append(OutboxWorker(truth, targets, time.time, secrets.token_bytes, Bell()))
        async with asyncio.timeout(30):
            while len(slack.posted) < 4:
                await asyncio.gather(*(worker.deliver_due() for worker in workers))
                await asyncio.sleep(0.05)
    assert slack.limited == 0


async def test_a_cache_that_is_down_leaves_each_process_its_own_pace() -> None:
    down = MemoryCache(clock=lambda: NOW, capacity=0)
    with workspace() as slack:
        async with target(slack.url, cache=down) as team:
            assert (await team.deliver(an_escalation(), NOW)).delivered
            assert team.ready_at(NOW + 0.25) == NOW + 1


async def test_what_another_process_wrote_just_now_is_waited_for() -> None:
    cache = MemoryCache(clock=lambda: NOW)
    with workspace() as slack:
        async with target(slack.url, cache=cache) as one, target(slack.url, cache=cache) as other:
            assert (await one.deliver(an_escalation(), NOW)).delivered
            outcome = await other.deliver(an_escalation(), NOW)
            assert (outcome.outcome, outcome.put_off) == ("paced", True)
            assert outcome.retry_after_s == pytest.approx(1.0)
            assert other.ready_at(NOW) == pytest.approx(NOW + 1)
    assert len(slack.posted) == 1


async def test_one_message_a_second() -> None:
    with workspace() as slack:
        async with target(slack.url) as team:
            assert team.ready_at(NOW) == NOW
            await team.deliver(an_escalation(), NOW)
            assert team.ready_at(NOW + 0.25) == NOW + 1


async def test_a_workspace_that_cannot_be_reached_says_why() -> None:
    async with target("http://127.0.0.1:1/api") as team:
        assert (await team.deliver(an_escalation(), NOW)).outcome == "unreachable"
    async with target("https://10.0.0.1/api", listed="127.0.0.1:1") as team:
        assert (await team.deliver(an_escalation(), NOW)).outcome == "refused_address"


ANY_TEXT = st.text(max_size=9_000) | st.text(alphabet="<>&@!#|*_`~:\n a\u202e", max_size=4_000)
TAILS = st.lists(
    st.builds(MemoryTurn, st.sampled_from(["user", "assistant"]), ANY_TEXT), max_size=6
)


@given(question=ANY_TEXT, fallback=ANY_TEXT, contact=st.none() | ANY_TEXT, tail=TAILS)
def test_every_question_fits_slacks_schema_and_its_text_can_do_nothing(
    question: str, fallback: str, contact: str | None, tail: list[MemoryTurn]
) -> None:
    asked = replace(
        an_escalation(question, fallback, tuple(tail)), contact=contact, reason="visitor_asked"
    )
    message = slack_message.question(asked, "<!channel> & co", CONSOLE)
    MESSAGE.validate({"channel": CHANNEL, **message})
    assert_harmless(message, asked)


def assert_harmless(message: dict[str, object], asked: Escalation) -> None:
    """No angle bracket but that of our own link, which is the only mrkdwn there is."""
    blocks = message["blocks"]
    assert isinstance(blocks, list)
    texts = [
        text
        for block in blocks
        for text in ([block["text"]] if "text" in block else block["elements"])
    ]
    own = [text["text"] for text in texts if text["type"] == "mrkdwn"]
    assert own == [f"<{CONSOLE}/#{asked.id}|Open in the console>"]
    others = [text["text"] for text in texts if text["type"] != "mrkdwn"]
    for text in [*others, str(message["text"])]:
        assert "<" not in text
        assert ">" not in text
        assert all(part.startswith(("amp;", "lt;", "gt;")) for part in text.split("&")[1:])
    assert all(text.get("emoji") is False for text in texts if text["type"] != "mrkdwn")
    assert (message["parse"], message["link_names"], message["mrkdwn"]) == ("none", False, False)


@pytest.mark.parametrize(
    "ping", ["<!channel>", "<!here|x>", "<@U123>", "<#C1>", "<http://e|bank.com>", "<!subteam^S1>"]
)
def test_no_ping_and_no_link_can_be_smuggled(ping: str) -> None:
    message = slack_message.question(an_escalation(ping), "The Shop", CONSOLE)
    assert ping not in str(message)
    MESSAGE.validate({"channel": CHANNEL, **message})


@given(text=st.text(), limit=st.integers(10, 60))
def test_an_escaped_text_keeps_to_its_limit_and_its_beginning(text: str, limit: int) -> None:
    made = escaped(text, limit)
    assert len(made) <= limit
    plain = made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    clean = text.encode("utf-8", "replace").decode()
    assert plain == clean or clean.startswith(plain.removesuffix("…"))


@given(author=ANY_TEXT, content=ANY_TEXT)
def test_what_a_thread_is_told_fits_the_schema_too(author: str, content: str) -> None:
    turn = replace(an_added_turn(), question=content, fallback_text=content)
    told = (slack_message.answered(author, content), slack_message.asked_again(turn))
    for message in (*told, slack_message.kept_open(), slack_message.resolved()):
        MESSAGE.validate({"channel": CHANNEL, "thread_ts": "1790000000.000100", **message})
