"""The figures' API: who may read them, what is asked for wrongly, and what is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.encoding import timestamp
from core.scope import Scope
from tests.congruence.samples import a_request, a_turn, a_work, named, opened
from tests.core.test_figures import answered
from tests.gateway.routes.console import Console, problem
from tests.gateway.world import World

AT = "/v1/operator/figures"
DAY = "from=2026-03-12T00:00:00Z&to=2026-03-13T00:00:00Z"
NOON = 1_773_316_800.0
SITE = "site_demo"


@pytest.fixture
async def console(gateway: World) -> Console:
    made = Console(gateway)
    await made.log_in()
    return made


async def stored(console: Console, site: str, number: int, at: float) -> None:
    turn = answered(1, turn_id=named("t", number), conversation_id="", at=at)
    await console.world.services.truth.learning.add(site, turn)


@pytest.mark.parametrize("path", [f"{AT}?{DAY}", f"/v1/escalations/{named('e', 1)}/answered"])
async def test_nobody_reads_them_without_a_session(gateway: World, path: str) -> None:
    response = await Console(gateway).call("GET", path)
    assert problem(response)[:2] == (401, "unauthorised")


async def test_a_days_turns_are_counted_for_all_sites_or_one(console: Console) -> None:
    await stored(console, SITE, 1, NOON)
    await stored(console, SITE, 2, NOON + 3_600)
    await stored(console, "site_other", 3, NOON)
    await stored(console, SITE, 4, NOON + 86_400)
    response = await console.call("GET", f"{AT}?{DAY}&by=hour")
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert (told["site"], told["by"], told["zone"]) == (None, "hour", "UTC")
    assert told["sites"][0] == {"site": SITE, "name": "Shop"}
    assert (told["from"], told["to"]) == ("2026-03-12T00:00:00.000Z", "2026-03-13T00:00:00.000Z")
    assert told["total"]["turns"] == 3
    assert [each["turns"] for each in told["spans"]] == [0] * 12 + [2, 1] + [0] * 10
    one = (await console.call("GET", f"{AT}?{DAY}&site={SITE}")).json()
    assert (one["site"], one["total"]["turns"], len(one["spans"])) == (SITE, 2, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("to=2026-03-13T00:00:00Z", "from"),
        ("from=2026-03-12&to=2026-03-13T00:00:00Z", "from"),
        ("from=2026-03-12T00:00:00&to=2026-03-13T00:00:00Z", "from"),
        ("from=yesterday..&to=2026-03-13T00:00:00Z", "from"),
        ("from=2026-03-13T00:00:00Z&to=2026-03-12T00:00:00Z", "to"),
        ("from=0001-01-01T00:00:00Z&to=2026-03-12T00:00:00Z", "from"),
        (f"{DAY}&by=week", "by"),
        (f"{DAY}&zone=Atlantis/Centre", "zone"),
        (f"{DAY}&zone=../../etc/passwd", "zone"),
        (f"{DAY}&subject=anna", "subject"),
    ],
)
async def test_what_is_asked_for_wrongly_is_named(console: Console, query: str, field: str) -> None:
    response = await console.call("GET", f"{AT}?{query}")
    assert problem(response) == (400, "invalid-request", field)


async def test_a_site_that_there_is_not_is_not_found(console: Console) -> None:
    response = await console.call("GET", f"{AT}?{DAY}&site=site_nowhere")
    assert problem(response)[:2] == (404, "not-found")


async def test_a_case_says_how_its_turns_were_answered(console: Console) -> None:
    truth = console.world.services.truth
    request = a_request()
    work = a_work(
        "key", scope=Scope(SITE, "anon:anna"), turn=a_turn(), escalation=opened(1, request)
    )
    how = answered(1, turn_id=request.turn_id, conversation_id=request.conversation_id, at=NOON)
    made = await truth.commit(replace(work, trajectory=how))
    assert made is not None
    told = (await console.call("GET", f"/v1/escalations/{made.id}/answered")).json()
    [turn] = told["items"]
    assert turn["turn_id"] == request.turn_id
    assert turn["created_at"] == timestamp(NOON)
    assert (turn["model"], turn["tier"], turn["reason"]) == ("qwen", "small", "complexity")
    assert "reply_sha256" not in turn


@pytest.mark.parametrize("name", ["e_1", named("e", 9), "t_1"])
async def test_a_case_that_there_is_not_is_not_found(console: Console, name: str) -> None:
    response = await console.call("GET", f"/v1/escalations/{name}/answered")
    assert problem(response)[:2] == (404, "not-found")
