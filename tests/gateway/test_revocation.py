"""Ended sessions: nothing more is taken from them, wherever they were ended; others go on."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette

from core.revocation import REVOCATION_KEPT_S
from core.scope import Scope, anonymous
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.cli.sessions import sessions_group
from gateway.context import Services
from gateway.front import build_front
from gateway.revocation import FRESH_S, Revocations
from gateway.routes.events import event_routes
from tests.gateway.test_chat import events
from tests.gateway.test_escalations import answer, escalation, send
from tests.gateway.test_integrity import problem, rebuilt, signed
from tests.gateway.world import START, Time, World


async def test_a_visitor_ends_the_session_and_it_takes_no_more_calls(gateway: World) -> None:
    visitor, other = await gateway.visitor(), await gateway.visitor()
    ahead = await signed(visitor)
    response = await visitor.call("POST", "/v1/sessions/revoke", {})
    assert (response.status_code, response.json()) == (200, {"revoked": True})
    assert problem(await gateway.client.send(ahead)) == "session-ended"
    assert problem(await visitor.call("POST", "/v1/sessions/renew", {})) == "session-ended"
    assert problem(await visitor.call("POST", "/v1/sessions/revoke", {})) == "session-ended"
    assert (await other.ask("When are you open?")).status_code == 200
    await visitor.open_session()
    assert (await visitor.ask("When are you open?")).status_code == 200


async def test_an_unsigned_or_unruly_end_ends_nothing(gateway: World) -> None:
    visitor = await gateway.visitor()
    request = await visitor.request("POST", "/v1/sessions/revoke", {})
    assert problem(await gateway.client.send(rebuilt(request, content=b"{ }"))) == "bad-signature"
    unruly = await visitor.call("POST", "/v1/sessions/revoke", {"sid": "another"})
    assert problem(unruly) == "invalid-request"
    assert (await visitor.ask("When are you open?")).status_code == 200


async def test_a_lost_cache_does_not_bring_a_session_back(gateway: World) -> None:
    visitor = await gateway.visitor()
    await visitor.call("POST", "/v1/sessions/revoke", {})
    # A process that starts anew over the same truth and keys, with nothing in its memory.
    fresh = MemoryCache(clock=gateway.time)
    restarted: Services = replace(gateway.services, cache=fresh)
    claims = await build_front(restarted).tokens.read("fanlight-access+jwt", visitor.token or "")
    scope = anonymous(visitor.site_key, visitor.keyid)
    revocations = build_front(restarted).revocations
    assert await revocations.ended(scope, claims["sid"], claims["began"])


async def test_an_end_by_another_process_is_noticed_within_seconds(gateway: World) -> None:
    visitor = await gateway.visitor()
    assert (await visitor.ask("When are you open?")).status_code == 200
    scope = anonymous(visitor.site_key, visitor.keyid)
    await gateway.truth.revocations.end_subject(scope, gateway.time.now)
    gateway.time.now += FRESH_S
    assert problem(await visitor.ask("When are you open?")) == "session-ended"
    await visitor.open_session()
    assert (await visitor.ask("When are you open?")).status_code == 200


async def test_a_stream_under_an_ended_session_asks_for_another(
    gateway: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sse.HEARTBEAT_S", 0.02)
    visitor = await gateway.visitor()
    asked = visitor.chat_body("I want to make a legal complaint")
    await visitor.call("POST", "/v1/chat", asked, key="k")
    place = f"/v1/conversations/{asked['conversation_id']}/events"
    reading = asyncio.create_task(gateway.client.send(await visitor.request("GET", place)))
    await asyncio.sleep(0.1)
    assert not reading.done()
    await visitor.call("POST", "/v1/sessions/revoke", {})
    response = await asyncio.wait_for(reading, 10)
    assert response.text.strip().splitlines()[-2] == "event: reauth"


async def test_a_reply_after_the_end_does_not_reach_the_ended_sessions_stream(
    gateway: World,
) -> None:
    visitor = await gateway.visitor()
    made, place = await escalated(visitor)
    reading = await listening(visitor, place)
    await visitor.call("POST", "/v1/sessions/revoke", {})
    await answer(gateway, made, "It is basalt.", resolve=False)
    before = [name for name, _ in events(await asyncio.wait_for(reading, 5))]
    assert before == ["escalation_status", "reauth"]
    await visitor.open_session()
    again = await listening(visitor, place)
    await answer(gateway, made, "That is all.", resolve=True)
    told = [data.get("content") for _, data in events(await asyncio.wait_for(again, 5))]
    assert [text for text in told if text] == ["It is basalt.", "That is all."]


async def test_a_stream_says_nothing_while_nobody_knows_whether_its_session_was_ended(
    gateway: World, tmp_path: Path
) -> None:
    truth = SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=gateway.time)
    await truth.start()
    front = build_front(gateway.services)
    front = replace(front, revocations=Revocations(truth.revocations, gateway.time))
    transport = httpx.ASGITransport(Starlette(routes=list(event_routes(front))))
    visitor = await gateway.visitor()
    made, place = await escalated(visitor)
    async with httpx.AsyncClient(transport=transport, timeout=20) as client:
        reading = asyncio.create_task(client.send(await visitor.request("GET", place)))
        await asyncio.sleep(0.1)
        await truth.close()
        gateway.time.now += FRESH_S
        await answer(gateway, made, "It is basalt.", resolve=True)
        await asyncio.sleep(0.1)
        assert not reading.done(), "the reply would have ended it"
        await truth.start()
        gateway.services.bell.wake_all()
        told = events(await asyncio.wait_for(reading, 5))
    assert "human_reply" in [name for name, _ in told]
    await truth.close()


async def escalated(visitor: Visitor) -> tuple[str, str]:
    """The id of a new escalation, and where its stream is."""
    body = escalation(visitor)
    made = (await send(visitor, body)).json()["escalation_id"]
    return made, f"/v1/conversations/{body['conversation_id']}/events"


async def listening(visitor: Visitor, place: str) -> asyncio.Task[httpx.Response]:
    """A stream that is open."""
    reading = asyncio.create_task(visitor.call("GET", place))
    await asyncio.sleep(0.1)
    assert not reading.done()
    return reading


async def test_while_the_truth_is_away_nobody_is_let_through(tmp_path: Path) -> None:
    truth = SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=Time())
    time = Time()
    revocations = Revocations(truth.revocations, time)
    await truth.start()
    scope = Scope("site_demo", "anon:x")
    assert not await revocations.ended(scope, "s", START)
    await truth.close()
    time.now += FRESH_S
    with pytest.raises(Exception, match="not open"):
        await revocations.ended(scope, "s", START)


async def test_ends_survive_a_restart_and_are_dropped_when_nothing_is_left(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/truth.db"
    scope = Scope("site_demo", "anon:x")
    truth = SqlTruth(url, clock=Time())
    await truth.start()
    await truth.revocations.end_session("s", START)
    await truth.close()
    truth = SqlTruth(url, clock=Time())
    await truth.start()
    assert await truth.revocations.ended(scope, "s", START)
    from gateway.adapters.sql import revocations

    await truth._write(
        lambda connection: revocations.drop_old(connection, START + REVOCATION_KEPT_S + 1)
    )
    assert not await truth.revocations.ended(scope, "s", START)
    await truth.close()


def test_however_many_sessions_are_asked_for_few_are_remembered() -> None:
    async def ask() -> int:
        world = MemoryRevocationsCounter()
        revocations = Revocations(world, Time())
        for number in range(16_400):
            await revocations.ended(Scope("s", "a"), str(number), START)
            await revocations.ended(Scope("s", "a"), str(number), START)
        assert world.asked == 16_400
        return len(revocations._ran_at)

    assert asyncio.run(ask()) == 16_384


class MemoryRevocationsCounter:
    """A store that has nothing, and counts how often it is asked."""

    asked = 0

    async def end_session(self, sid: str, at: float) -> None:
        """Nothing to end."""

    async def end_subject(self, scope: Scope, at: float) -> None:
        """Nothing to end."""

    async def ended(self, scope: Scope, sid: str, began: float) -> bool:
        self.asked += 1
        return False


# The command.

FILE = """
[[sites]]
key = "site_shop"
name = "Shop"
origins = ["https://www.example.com"]
kb = ["kb.md"]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings in it."""
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "a-token-that-is-long-enough-1")
    (tmp_path / "kb.md").write_text("## Hours?\n\nNine.\n")
    (tmp_path / "fanlight.toml").write_text(FILE)
    return tmp_path


def revoked(folder: Path, *options: str) -> Result:
    arguments = ["revoke", "--config", str(folder / "fanlight.toml"), *options]
    return CliRunner().invoke(sessions_group, arguments)


def test_the_command_ends_sessions_in_the_truth(shop: Path) -> None:
    assert revoked(shop, "--sid", "s1").exit_code == 0
    named = ("--site", "site_shop", "--subject", "anon:x", "--json")
    assert json.loads(revoked(shop, *named).stdout) == {"revoked": True}

    async def look() -> list[bool]:
        truth = SqlTruth(f"sqlite:///{shop}/.fanlight/fanlight.db", clock=Time())
        await truth.start()
        try:
            return [
                await truth.revocations.ended(Scope("site_shop", subject), sid, START)
                for subject, sid in (("anon:y", "s1"), ("anon:x", "s2"), ("anon:y", "s2"))
            ]
        finally:
            await truth.close()

    assert asyncio.run(look()) == [True, True, False]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Name one session"),
        (("--sid", "s", "--site", "site_shop", "--subject", "x"), "Name one session"),
        (("--subject", "anon:x"), "Name one session"),
        (("--site", "site_shop"), "Name one session"),
        (("--site", "site_nobody", "--subject", "anon:x"), "no site 'site_nobody'"),
    ],
)
def test_the_command_refuses_what_it_cannot_tell(
    shop: Path, options: tuple[str, ...], told: str
) -> None:
    result = revoked(shop, *options)
    assert result.exit_code in {1, 2}
    assert told in result.output
