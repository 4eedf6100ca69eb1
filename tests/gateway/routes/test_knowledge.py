"""The knowledge desk: entries are read, written, taken back, and published."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.encoding import timestamp
from gateway.adapters.workshop import ProcessWorkshop
from gateway.bell import OPERATORS
from tests.gateway.routes.console import Console, events, problem
from tests.gateway.routes.workshop import (
    ENTRIES,
    KNOWLEDGE,
    MOON,
    SITE,
    desk,
    publish,
    site_of,
    until,
)
from tests.gateway.test_documents import configuration
from tests.gateway.world import GATEWAY, START, World

MOON_AT = f"{ENTRIES}/what-is-the-moon-made-of/en"
HOURS_AT = f"{ENTRIES}/hours/en"
HOURS = {"question": "When are you open?", "answer": "Always.", "variants": ["opening hours"]}


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with desk(tmp_path) as made:
        yield made


async def listed(console: Console, query: str = "") -> list[tuple[str, str]]:
    response = await console.call("GET", f"{ENTRIES}{query}")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return [(item["id"], item["state"]) for item in response.json()["items"]]


async def create(console: Console, **changes: Any) -> dict[str, Any]:
    response = await console.call("POST", ENTRIES, {**MOON, **changes})
    assert response.status_code == 201, response.text
    document = response.json()
    assert isinstance(document, dict)
    return document


async def test_a_site_is_shown_as_it_is_served(console: Console) -> None:
    site = await site_of(console)
    assert site["release"] == console.world.services.knowledge[SITE].index.release
    assert site == {
        "site": SITE,
        "name": "Shop",
        "locales": ["en", "es", "he"],
        "default_locale": "en",
        "entries": 2,
        "release": site["release"],
        "published_at": None,
        "changes": 0,
        "unpublished": False,
        "threshold": 0.55,
        "out_of_scope": 0.25,
        "marks": 0,
        "building": None,
        "failed": None,
    }


async def test_a_site_whose_files_cannot_be_read_is_shown_as_it_is_live_with_the_reason(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as console:
        wait_instead(console, tmp_path / "pid")
        reading = asyncio.create_task(site_of(console))
        os.kill(await asyncio.to_thread(worker_in, tmp_path / "pid"), signal.SIGKILL)
        site = await reading
    assert site["failed"] == "The process that worked on it was ended by signal 9. Try again."
    assert (site["entries"], site["changes"], site["unpublished"]) == (2, 0, False)


async def test_an_entry_of_a_file_is_shown_whole(console: Console) -> None:
    response = await console.call("GET", f"{ENTRIES}/returns/en")
    entry = response.json()
    assert entry["file"] == {
        name: entry[name]
        for name in (
            "question",
            "answer",
            "variants",
            "links",
            "tags",
            "escalate",
            "valid_from",
            "valid_until",
        )
    }
    assert entry == {
        "id": "returns",
        "locale": "en",
        "question": "How do I return an order?",
        "answer": "Send it back within **30 days**; the label is in the box.",
        "variants": ["return policy", "can I send my order back?"],
        "links": [{"title": "Returns", "url": "https://shop.example/returns"}],
        "tags": [],
        "escalate": False,
        "valid_from": "",
        "valid_until": "",
        "origin": "file",
        "state": "live",
        "author": None,
        "at": None,
        "number": 0,
        "history": [],
        "file": entry["file"],
    }


async def test_a_new_entry_gets_an_id_of_its_words_and_another_one_its_own(
    console: Console,
) -> None:
    first = await create(console, variants=[" moon ", "moon"], escalate=True)
    assert first["id"] == "what-is-the-moon-made-of"
    assert first["variants"] == ["moon"]
    assert (first["origin"], first["state"], first["author"]) == ("console", "new", "operator")
    assert first["at"] == timestamp(START)
    assert (await create(console))["id"] == "what-is-the-moon-made-of-2"
    translated = await create(console, id=first["id"], locale="es", question="¿La luna?")
    assert (translated["id"], translated["locale"]) == (first["id"], "es")
    assert (await site_of(console))["changes"] == 3


async def test_the_id_of_a_removed_entry_is_not_given_again(console: Console) -> None:
    await create(console)
    assert (await console.call("DELETE", MOON_AT)).status_code == 204
    assert (await create(console))["id"] == "what-is-the-moon-made-of-2"


async def test_what_is_written_is_kept_as_the_text_it_is(console: Console) -> None:
    odd = "<script>alert(1)</script> & **b** \u200f\U0001f319 [x](javascript:1)"
    made = await create(console, answer=odd, question="<b>moon</b>", tags=["a", "a", " "])
    assert (made["answer"], made["question"], made["tags"]) == (odd, "<b>moon</b>", ["a"])


async def test_an_edit_is_undone_and_the_history_keeps_both(console: Console) -> None:
    for answer in ("Always.", "Never."):
        response = await console.call("PUT", HOURS_AT, {**HOURS, "answer": answer})
        assert response.json()["state"] == "changed"
        console.world.time.now += 60
    undone = (await console.call("POST", f"{HOURS_AT}/undo")).json()
    assert (undone["answer"], undone["origin"]) == ("Always.", "console")
    undone = (await console.call("POST", f"{HOURS_AT}/undo")).json()
    assert undone["answer"] == "Monday to Friday, 9 to 17."
    assert (undone["origin"], undone["state"], undone["author"]) == ("file", "live", None)
    refused = await console.call("POST", f"{HOURS_AT}/undo")
    assert problem(refused) == (409, "nothing-to-undo", None)
    history = (await console.call("GET", HOURS_AT)).json()["history"]
    assert [done["action"] for done in history] == ["restored", "restored", "edited", "edited"]
    written = {**history[-1].pop("entry")}
    assert history[-1] == {"at": timestamp(START), "author": "operator", "action": "edited"}
    assert HOURS.items() <= written.items()
    assert [done.get("entry") for done in history[:2]] == [None, None]


async def test_a_save_over_words_that_its_writer_has_not_seen_is_refused(console: Console) -> None:
    seen = (await console.call("GET", HOURS_AT)).json()["number"]
    mine, theirs = ({**HOURS, "answer": words} for words in ("Mine.", "Theirs."))
    first = (await console.call("PUT", HOURS_AT, {**theirs, "based_on": seen})).json()
    assert first["number"] > seen
    refused = await console.call("PUT", HOURS_AT, {**mine, "based_on": seen})
    assert problem(refused) == (409, "entry-changed", "based_on")
    same = await console.call("PUT", HOURS_AT, {**theirs, "based_on": seen})
    assert same.json() == first, "who writes the same loses nothing"
    await console.call("POST", f"{HOURS_AT}/undo")
    again = await console.call("PUT", HOURS_AT, {**mine, "based_on": seen})
    assert (again.status_code, again.json()["answer"]) == (200, "Mine.")
    history = (await console.call("GET", HOURS_AT)).json()["history"]
    assert [one["entry"] and one["entry"]["answer"] for one in history] == [
        "Mine.",
        None,
        "Theirs.",
    ]


async def test_of_two_saves_at_once_over_the_same_words_one_is_refused(console: Console) -> None:
    seen = (await console.call("GET", HOURS_AT)).json()["number"]
    bodies = [{**HOURS, "answer": words, "based_on": seen} for words in ("Mine.", "Theirs.")]
    saved = await asyncio.gather(*(console.call("PUT", HOURS_AT, body) for body in bodies))
    assert sorted(response.status_code for response in saved) == [200, 409]


async def test_the_days_of_an_entry_stay_where_they_are_not_sent(console: Console) -> None:
    await create(console, valid_from="2026-09-01", valid_until="2026-09-30")
    again = await console.call("PUT", MOON_AT, {"question": MOON["question"], "answer": "Rock."})
    days = {"valid_from": "2026-09-01", "valid_until": "2026-09-30"}
    assert days.items() <= again.json().items()
    body = {**HOURS, "valid_until": ""}
    assert (await console.call("PUT", MOON_AT, body)).json()["valid_until"] == ""
    for day, field in (("tomorrow", "valid_from"), ("2026-10-01", "valid_until")):
        sent = {**HOURS, "valid_from": day, "valid_until": "2026-09-30"}
        refused = await console.call("PUT", MOON_AT, sent)
        assert problem(refused) == (400, "invalid-request", field)


async def test_the_same_words_again_are_no_edit(console: Console) -> None:
    for _ in range(2):
        assert (await console.call("PUT", HOURS_AT, HOURS)).status_code == 200
    assert len((await console.call("GET", HOURS_AT)).json()["history"]) == 1


async def test_a_live_entry_that_is_removed_is_shown_and_can_come_back(console: Console) -> None:
    removed = await console.call("DELETE", HOURS_AT)
    assert removed.status_code == 200
    assert (removed.json()["state"], removed.json()["author"]) == ("removed", "operator")
    again = await console.call("DELETE", HOURS_AT)
    assert again.json() == removed.json()
    assert await listed(console) == [("hours", "removed"), ("returns", "live")]
    assert (await site_of(console))["entries"] == 1
    back = (await console.call("PUT", HOURS_AT, HOURS)).json()
    assert back["state"] == "changed"
    history = (await console.call("GET", HOURS_AT)).json()["history"]
    assert [done["action"] for done in history] == ["restored", "removed"]


async def test_a_new_entry_that_is_removed_is_gone_until_that_is_undone(console: Console) -> None:
    await create(console)
    response = await console.call("DELETE", MOON_AT)
    assert (response.status_code, response.content) == (204, b"")
    assert problem(await console.call("GET", MOON_AT)) == (404, "not-found", None)
    assert problem(await console.call("PUT", MOON_AT, HOURS)) == (404, "not-found", None)
    assert (await console.call("POST", f"{MOON_AT}/undo")).json()["state"] == "new"
    assert (await console.call("POST", f"{MOON_AT}/undo")).status_code == 204
    assert problem(await console.call("POST", f"{MOON_AT}/undo")) == (409, "nothing-to-undo", None)
    never = await console.call("POST", f"{ENTRIES}/never/en/undo")
    assert problem(never) == (404, "not-found", None)


async def test_the_list_is_searched(console: Console) -> None:
    await create(console)
    for query, found in (
        ("?q=ORDER", ["returns"]),
        ("?q=opening", ["hours"]),
        ("?q=30%20DAYS", ["returns"]),
        ("?q=%C3%B3rder", ["returns"]),
        ("?q=what-is-the", ["what-is-the-moon-made-of"]),
        ("?q=nothing", []),
        ("?locale=es", []),
        ("?state=unpublished", ["what-is-the-moon-made-of"]),
        ("?state=live", ["hours", "returns"]),
        ("?state=removed", []),
    ):
        assert [name for name, _ in await listed(console, query)] == found, query


async def test_the_list_comes_in_pages_that_go_on_whatever_changes(console: Console) -> None:
    await create(console)
    first = (await console.call("GET", f"{ENTRIES}?limit=1")).json()
    assert ([one["id"] for one in first["items"]], first["total"]) == (["hours"], 3)
    await create(console, question="An earlier one")
    second = (await console.call("GET", f"{ENTRIES}?limit=1&after={first['next']}")).json()
    assert [one["id"] for one in second["items"]] == ["returns"]
    last = (await console.call("GET", f"{ENTRIES}?limit=9&after={second['next']}")).json()
    assert ([one["id"] for one in last["items"]], last["next"]) == ([MOON_AT.split("/")[5]], None)


async def test_a_link_is_kept_whatever_stands_in_its_title_and_address(console: Console) -> None:
    links = [
        {"title": "Mercury", "url": "https://en.wikipedia.org/wiki/Mercury_(planet)"},
        {"title": "Returns [EU]", "url": "https://shop.example/returns?a=[b]"},
        {"title": "Write (to us)", "url": "mailto:help@shop.example"},
    ]
    made = await create(console, links=[*links, links[0]])
    assert made["links"] == links
    assert (await publish(console))["failed"] is None
    shown = await console.call("GET", MOON_AT)
    assert (shown.json()["state"], shown.json()["links"]) == ("live", links)


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({}, "question"),
    ({"question": "x", "answer": "y"}, "locale"),
    ({**MOON, "question": "  "}, "question"),
    ({**MOON, "question": "?!"}, "question"),
    ({**MOON, "question": "x" * 2001}, "question"),
    ({**MOON, "answer": " "}, "answer"),
    ({**MOON, "answer": "x" * 32_001}, "answer"),
    ({**MOON, "answer": None}, "answer"),
    ({**MOON, "locale": "english!"}, "locale"),
    ({**MOON, "variants": ["x"] * 501}, "variants"),
    ({**MOON, "variants": [1]}, "variants.0"),
    ({**MOON, "links": [{"title": "x", "url": "javascript:alert(1)"}]}, "links"),
    ({**MOON, "links": [{"title": "x", "url": "https://x.example/a b"}]}, "links"),
    ({**MOON, "links": [{"title": " ", "url": "https://x.example"}]}, "links.0.title"),
    ({**MOON, "links": [{"title": "x"}]}, "links.0.url"),
    ({**MOON, "escalate": "yes"}, "escalate"),
    ({**MOON, "id": "a/b"}, "id"),
    ({**MOON, "id": ""}, "id"),
    ({**MOON, "colour": "red"}, "colour"),
    ({**MOON, "based_on": 0}, "based_on"),
]


async def test_a_malformed_entry_is_refused_by_its_field(console: Console) -> None:
    for body, field in MALFORMED:
        response = await console.call("POST", ENTRIES, body)
        assert problem(response) == (400, "invalid-request", field)
    assert (await site_of(console))["changes"] == 0


async def test_an_entry_that_is_there_is_not_made_again(console: Console) -> None:
    response = await console.call("POST", ENTRIES, {**MOON, "id": "hours"})
    assert problem(response) == (409, "entry-exists", "locale")
    response = await console.call("POST", ENTRIES, {**MOON, "id": "unknown"})
    assert problem(response) == (404, "not-found", None)


async def test_a_malformed_listing_is_refused_by_its_parameter(console: Console) -> None:
    for query, field in (
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?state=odd", "state"),
        ("?after=!", "after"),
        ("?after=MQ", "after"),
        ("?colour=red", "colour"),
    ):
        assert problem(await console.call("GET", ENTRIES + query))[2] == field


CALLS = [
    ("GET", "/v1/knowledge"),
    ("GET", ENTRIES),
    ("GET", HOURS_AT),
    ("POST", ENTRIES),
    ("PUT", HOURS_AT),
    ("DELETE", HOURS_AT),
    ("POST", f"{HOURS_AT}/undo"),
    ("POST", f"{KNOWLEDGE}/publish"),
]


async def test_only_an_operator_may(console: Console) -> None:
    stranger = Console(console.world)
    for method, path in CALLS:
        assert problem(await stranger.call(method, path)) == (401, "unauthorised", None)
        at_gateway = await console.world.client.request(method, GATEWAY + path)
        assert problem(at_gateway)[:2] == (404, "not-found")
        if method == "GET":
            assert (await console.call(method, path)).status_code == 200
    del console.headers["x-csrf-token"]
    for method, path in CALLS:
        if method != "GET":
            assert problem(await console.call(method, path)) == (403, "csrf", None)


async def test_an_unknown_site_is_not_found(console: Console) -> None:
    for method, path in CALLS[1:]:
        response = await console.call(method, path.replace(SITE, "site_none"), MOON)
        assert problem(response)[:2] == (404, "not-found")


async def test_without_a_workshop_there_is_no_desk(gateway: World) -> None:
    console = Console(gateway)
    await console.log_in()
    assert problem(await console.call("GET", "/v1/knowledge"))[:2] == (404, "not-found")


async def ask(world: World, question: str) -> dict[str, Any]:
    visitor = await world.visitor()
    turn = (await visitor.ask(question)).json()
    assert isinstance(turn, dict)
    return turn


async def test_what_is_published_answers_visitors_without_a_restart(console: Console) -> None:
    world = console.world
    before = (await configuration(world))["kb"]
    assert (await ask(world, "What is the moon made of?"))["escalate"] is True
    await create(console)
    await console.call("DELETE", HOURS_AT)
    published = await publish(console)
    assert (published["changes"], published["failed"], published["entries"]) == (0, None, 2)
    assert published["published_at"] == timestamp(world.time.now)
    turn = await ask(world, "What is the moon made of?")
    assert (turn["reply"], turn["escalate"]) == ("Green **cheese**.", False)
    assert (await ask(world, "When are you open?"))["escalate"] is True
    after = (await configuration(world))["kb"]
    assert after["release"] == published["release"] != before["release"]
    assert after["embedding"] is not None
    for kb in (before, after):
        served = await world.client.get(GATEWAY + kb["url"])
        assert len(served.content) == kb["bytes"], "the panel that was loaded before asks too"
    world.time.now += 3601
    assert problem(await world.client.get(GATEWAY + before["url"]))[:2] == (404, "not-found")


async def test_a_build_is_one_at_a_time_and_tells_how_far_it_is(console: Console) -> None:
    steps: set[str] = set()
    await create(console)
    begun = await console.call("POST", f"{KNOWLEDGE}/publish")
    assert (begun.status_code, begun.json()) == (202, {"building": {"step": "reading", "share": 0}})
    again = await console.call("POST", f"{KNOWLEDGE}/publish")
    assert problem(again) == (409, "publishing", None)

    def over(site: dict[str, Any]) -> bool:
        if site["building"] is not None:
            steps.add(site["building"]["step"])
            assert 0 <= site["building"]["share"] <= 1
        return site["building"] is None

    await until(console, over)
    assert steps <= {"reading", "calibrating", "learning", "writing", "loading"}
    assert "calibrating" in steps


async def test_an_edit_during_a_build_waits_for_the_next_one(console: Console) -> None:
    await create(console)
    await console.call("POST", f"{KNOWLEDGE}/publish")
    await console.call("PUT", HOURS_AT, HOURS)
    site = await until(console, lambda site: site["building"] is None)
    assert (site["changes"], await listed(console, "?state=unpublished")) == (
        1,
        [("hours", "changed")],
    )


WORKER_THAT_WAITS = (
    "import sys, time; order = sys.stdin.readline(); "
    "import pathlib, os; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
)


def worker_in(file: Path) -> int:
    """The id of the process that writes it there; waits until it has."""
    while not (file.exists() and file.read_text()):
        time.sleep(0.02)
    return int(file.read_text())


def wait_instead(console: Console, file: Path) -> None:
    """Let the next worker do nothing but say who it is."""
    workshop = console.world.services.workshop
    assert isinstance(workshop, ProcessWorkshop)
    workshop._command = (sys.executable, "-c", WORKER_THAT_WAITS, str(file))


async def test_a_build_that_is_killed_leaves_what_is_served(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await create(console)
        before = await site_of(console)
        wait_instead(console, tmp_path / "pid")
        await console.call("POST", f"{KNOWLEDGE}/publish")
        os.kill(await asyncio.to_thread(worker_in, tmp_path / "pid"), signal.SIGKILL)
        after = await until(console, lambda site: site["building"] is None)
        assert after["failed"] == "The process that worked on it was ended by signal 9. Try again."
        assert after == {**before, "failed": after["failed"]}
        assert (await ask(console.world, "When are you open?"))["escalate"] is False


async def test_stopping_ends_the_worker(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await site_of(console)
        wait_instead(console, tmp_path / "pid")
        await console.call("POST", f"{KNOWLEDGE}/publish")
        worker = await asyncio.to_thread(worker_in, tmp_path / "pid")
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_a_build_that_is_refused_says_why(console: Console) -> None:
    for at in (HOURS_AT, f"{ENTRIES}/returns/en"):
        await console.call("DELETE", at)
    site = await publish(console)
    assert site["failed"] == "There is no entry to publish. Write one, then publish again."
    begun = await console.call("POST", f"{KNOWLEDGE}/publish")
    assert begun.status_code == 202
    assert (await site_of(console))["failed"] is None, "the next try has not failed yet"


async def test_consoles_hear_of_every_change(console: Console) -> None:
    await site_of(console)
    bell, begun = console.world.services.bell, asyncio.Event()
    stream = asyncio.create_task(console.stream("/v1/events", begun))
    await begun.wait()
    with bell.listen(OPERATORS):
        await create(console)
    await asyncio.sleep(0.3)
    bell.close()
    assert events(await stream) == [("knowledge", {"site": SITE}), ("bye", {})]
