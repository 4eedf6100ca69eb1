"""What a visitor is shown, and who is woken, where nobody is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.attendance import attended, back_at, openings, opens
from gateway.escalation.hours import parse_hours
from gateway.settings import Secret, Settings, SiteSettings, TargetSettings
from tests.gateway.test_escalations import escalation, send
from tests.gateway.world import Time, settings, world

SITE = SiteSettings(
    "site_demo",
    "Shop",
    ("http://localhost:8001",),
    kb=(),
    time_zone="Europe/Madrid",
    targets=("day", "night"),
    hours=parse_hours("Mon-Fri 09:00-17:00"),
)
TARGETS = tuple(
    TargetSettings(name, "webhook", "https://x.example", Secret(""), hours_only=name == "day")
    for name in ("day", "night")
)
SUNDAY = "2026-11-29T12:00"
MONDAY = "2026-11-30T09:00"


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).timestamp()


def chosen(**changes: object) -> Settings:
    site = replace(SITE, targets=(), **changes)  # type: ignore[arg-type]
    return settings(sites=(site,))


@pytest.mark.parametrize(("at", "there"), [(SUNDAY, False), (MONDAY, True)])
def test_a_site_is_attended_in_its_hours(at: str, there: bool) -> None:
    assert attended(SITE, moment(at)) is there
    assert attended(replace(SITE, hours=None), moment(at))


def test_a_target_waits_for_the_hours_only_where_it_is_told_to() -> None:
    when = opens(settings(sites=(SITE,), targets=TARGETS))
    sunday = moment(SUNDAY)
    assert when("day", "site_demo", sunday) == moment(MONDAY)
    assert when("night", "site_demo", sunday) == sunday
    assert when("day", "site_gone", sunday) == sunday
    assert when("day", "site_demo", moment(MONDAY)) == moment(MONDAY)
    always = opens(settings(sites=(replace(SITE, hours=None),), targets=TARGETS))
    assert always("day", "site_demo", sunday) == sunday


@pytest.mark.parametrize(
    ("locale", "question", "words"),
    [
        ("en", "Which stone is the moon made of?", "nobody is here now"),
        ("es", "¿De qué piedra está hecha la luna?", "ahora no hay nadie"),
        ("he", "מאיזו אבן עשוי הירח?", "אין כאן איש כרגע"),
    ],
)
async def test_out_of_hours_the_visitor_reads_another_text(
    locale: str, question: str, words: str
) -> None:
    closed = parse_hours("Mon 00:00-00:01")
    async with world(chosen=chosen(hours=closed)) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask(question, locale=locale)).json()
        (stored,) = await gateway.truth.escalations(status="all", before=None, limit=2)
    assert turn["escalate"]
    assert words in turn["fallback_text"]
    assert stored.fallback_text == turn["fallback_text"]


async def test_in_hours_and_for_what_is_known_there_is_no_other_text() -> None:
    open_ = parse_hours("Mon-Sun 00:00-24:00")
    async with world(chosen=chosen(hours=open_)) as gateway:
        visitor = await gateway.visitor()
        asked = (await visitor.ask("Which stone is the moon made of?")).json()
    assert (asked["escalate"], asked["fallback_text"]) == (True, None)
    closed = parse_hours("Mon 00:00-00:01")
    async with world(chosen=chosen(hours=closed)) as gateway:
        visitor = await gateway.visitor()
        known = (await visitor.ask("How do I return an order?")).json()
    assert (known["escalate"], known["fallback_text"]) == (False, None)


async def test_an_escalation_out_of_hours_is_taken_and_says_when_people_are_back() -> None:
    async with world(chosen=chosen(), time=Time(moment(SUNDAY))) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask("Which stone is the moon made of?")).json()
        taken = await send(visitor, escalation(visitor))
    assert taken.status_code == 202
    assert taken.json()["back_at"] == turn["back_at"] == "2026-11-30T08:00:00.000Z"


@pytest.mark.parametrize("hours", ["Mon-Fri 09:00-17:00", None])
async def test_where_somebody_is_there_nothing_is_said_of_it(hours: str | None) -> None:
    at = Time(moment(MONDAY))
    site = chosen(hours=parse_hours(hours) if hours else None)
    async with world(chosen=site, time=at) as gateway:
        visitor = await gateway.visitor()
        turn = (await visitor.ask("Which stone is the moon made of?")).json()
        taken = await send(visitor, escalation(visitor))
    assert (taken.json()["back_at"], turn["back_at"], turn["escalate"]) == (None, None, True)


def test_a_site_without_hours_has_nobody_back() -> None:
    anywhen = replace(SITE, hours=None)
    assert back_at(anywhen, moment(SUNDAY)) is None
    assert openings(anywhen, moment(SUNDAY)) is None


def test_the_panel_is_told_the_hours_of_two_weeks() -> None:
    told = openings(SITE, moment("2026-11-30T12:00"))
    assert told is not None
    assert told[0] == ("2026-11-30T08:00:00.000Z", "2026-11-30T16:00:00.000Z")
    assert told[-1] == ("2026-12-14T08:00:00.000Z", "2026-12-14T16:00:00.000Z")
    assert len(told) == 11
