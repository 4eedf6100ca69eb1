"""The knowledge desk's tools: try, what was missed, marks, the prior, findings, imports."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.encoding import timestamp
from gateway.adapters.workshop import ProcessWorkshop
from gateway.bell import OPERATORS
from tests.gateway.routes.console import Console, problem
from tests.gateway.routes.test_knowledge import (
    HOURS_AT,
    MOON_AT,
    ask,
    create,
    listed,
    wait_instead,
    worker_in,
)
from tests.gateway.routes.workshop import ENTRIES, KNOWLEDGE, SITE, desk, publish, site_of
from tests.gateway.website_server import Site, page, serving
from tests.gateway.world import START

TRY, MARKS, IMPORTS = f"{KNOWLEDGE}/try", f"{KNOWLEDGE}/marks", f"{KNOWLEDGE}/imports"
FINDINGS, UNANSWERED = f"{KNOWLEDGE}/findings", f"{KNOWLEDGE}/unanswered"
MOON = "What is the moon made of?"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with desk(tmp_path) as made:
        yield made


async def tried(console: Console, question: str, **more: object) -> dict[str, Any]:
    response = await console.call("POST", TRY, {"question": question, **more})
    assert response.status_code == 200, response.text
    document = response.json()
    assert isinstance(document, dict)
    return document


async def test_a_try_says_what_a_visitor_would_be_told_and_why(console: Console) -> None:
    shown = await tried(console, "can I send my order back?", locale="en")
    assert shown["outcome"] == "answered"
    assert shown["answer"]["text"].startswith("Send it back")
    assert (shown["draft"], shown["built"], shown["threshold"]) == (False, True, 0.55)
    first = shown["candidates"][0]
    assert (first["entry_id"], first["confidence"]) == ("returns", shown["confidence"])
    assert "exact" in first["reasons"]
    assert len(shown["candidates"]) <= 5


async def test_a_draft_is_tried_before_it_is_live(console: Console) -> None:
    unchanged = await tried(console, MOON, draft=True)
    assert (unchanged["built"], unchanged["outcome"]) == (True, "handed_over")
    await create(console)
    on_draft = await tried(console, MOON, draft=True)
    assert (on_draft["outcome"], on_draft["built"]) == ("answered", True)
    assert on_draft["answer"]["entry_id"] == "what-is-the-moon-made-of"
    assert (await tried(console, MOON))["outcome"] == "handed_over"
    await console.call("DELETE", MOON_AT)
    assert (await tried(console, MOON, draft=True))["outcome"] == "handed_over"


async def test_while_a_draft_is_looked_at_a_try_says_so(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(console)
    workshop = console.world.services.workshop
    assert isinstance(workshop, ProcessWorkshop)
    command = workshop._command
    wait_instead(console, tmp_path / "pid")
    with monkeypatch.context() as hasty:
        hasty.setattr("gateway.knowledge.trial.WAIT_S", 0.01)
        waiting = await tried(console, MOON, draft=True)
    assert (waiting["built"], waiting["outcome"], waiting["candidates"]) == (
        False,
        "handed_over",
        [],
    )
    os.kill(await asyncio.to_thread(worker_in, tmp_path / "pid"), signal.SIGKILL)
    assert problem(await console.call("POST", TRY, {"question": MOON, "draft": True}))[0] == 503
    workshop._command = command
    async with asyncio.timeout(60):
        while not (await tried(console, MOON, draft=True))["built"]:
            pass  # each try waits for the build for a while


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    (TRY, {}, "question"),
    (TRY, {"question": " "}, "question"),
    (TRY, {"question": "x" * 8001}, "question"),
    (TRY, {"question": "x", "locale": "?"}, "locale"),
    (TRY, {"question": "x", "draft": 1}, "draft"),
    (MARKS, {"question": "x"}, "entry_id"),
    (MARKS, {"question": "?!", "entry_id": None}, "question"),
    (MARKS, {"question": "x" * 2001, "entry_id": None}, "question"),
    (IMPORTS, {}, "name"),
    (IMPORTS, {"name": "a.csv"}, "content"),
    (IMPORTS, {"url": "/etc/passwd"}, "url"),
    (IMPORTS, {"url": "file:///etc/passwd"}, "url"),
    (IMPORTS, {"url": "https://x.example", "name": "a.csv"}, "url"),
    (IMPORTS, {"url": "x" * 2001}, "url"),
]


async def test_a_malformed_call_is_refused_by_its_field(console: Console) -> None:
    for path, body, field in MALFORMED:
        assert problem(await console.call("POST", path, body)) == (400, "invalid-request", field)


CALLS = [
    ("POST", TRY),
    ("GET", FINDINGS),
    ("POST", FINDINGS),
    ("GET", UNANSWERED),
    ("GET", MARKS),
    ("POST", MARKS),
    ("DELETE", f"{MARKS}/m_1"),
    ("PUT", f"{KNOWLEDGE}/prior"),
    ("POST", IMPORTS),
    ("POST", f"{IMPORTS}/none"),
]


async def test_only_an_operator_may_and_of_a_site_that_is_there(console: Console) -> None:
    stranger = Console(console.world)
    for method, path in CALLS:
        assert problem(await stranger.call(method, path)) == (401, "unauthorised", None)
        unknown = await console.call(method, path.replace(SITE, "site_none"))
        assert problem(unknown)[:2] == (404, "not-found")
    token = console.headers.pop("x-csrf-token")
    for method, path in CALLS:
        if method != "GET":
            assert problem(await console.call(method, path)) == (403, "csrf", None)
    console.headers["x-csrf-token"] = token


async def missed(console: Console, query: str = "") -> list[dict[str, Any]]:
    response = await console.call("GET", UNANSWERED + query)
    assert response.status_code == 200, response.text
    items = response.json()["items"]
    assert isinstance(items, list)
    return items


async def test_what_was_not_answered_is_counted_with_the_most_asked_first(
    console: Console,
) -> None:
    for question in ("Do you sell gift cards?", MOON, "what is the MOON made of", "hola"):
        turn = await ask(console.world, question)
        assert turn["escalate"] is True
        console.world.time.now += 60
    await ask(console.world, "When are you open?")
    first, *others = await missed(console)
    assert (first["question"], first["count"]) == ("what is the MOON made of", 2)
    assert first["similar"] == [MOON]
    assert first["last_at"] == timestamp(START + 120)
    assert first["first_at"] == timestamp(START + 60)
    assert first["nearest"] is None or 0 <= first["nearest"]["confidence"] < 0.55
    for name in first["escalations"]:
        assert (await console.one(name))["question"] in {first["question"], MOON}
    assert {one["question"] for one in others} == {"Do you sell gift cards?", "hola"}
    assert [one["locale"] for one in others if one["question"] == "hola"] == ["en"]


async def test_only_the_last_days_are_looked_at(console: Console) -> None:
    await ask(console.world, MOON)
    console.world.time.now += 3 * 24 * 3600
    await console.log_in()
    assert [one["question"] for one in await missed(console)] == [MOON]
    assert await missed(console, "?days=2") == []
    for days in ("0", "366", "x"):
        refused = await console.call("GET", f"{UNANSWERED}?days={days}")
        assert problem(refused) == (400, "invalid-request", "days")


async def test_what_was_marked_or_is_answered_by_now_is_left_out(console: Console) -> None:
    for question in (MOON, "Do you sell gift cards?"):
        await ask(console.world, question)
    body = {"question": "do you sell gift cards", "entry_id": None}
    assert (await console.call("POST", MARKS, body)).status_code == 201
    assert [one["question"] for one in await missed(console)] == [MOON]
    await create(console)
    assert (await publish(console))["failed"] is None
    assert await missed(console) == []


async def test_a_mark_is_listed_replaced_and_removed(console: Console) -> None:
    first = await console.call("POST", MARKS, {"question": "Hours?", "entry_id": "hours"})
    assert first.status_code == 201
    assert first.json() == {
        "id": first.json()["id"],
        "question": "Hours?",
        "entry_id": "hours",
        "author": "operator",
        "at": timestamp(START),
    }
    second = await console.call("POST", MARKS, {"question": "hours", "entry_id": None})
    assert (await console.call("GET", MARKS)).json() == {"items": [second.json()]}
    assert (await site_of(console))["marks"] == 1
    assert problem(await console.call("DELETE", f"{MARKS}/{first.json()['id']}"))[0] == 404
    assert (await console.call("DELETE", f"{MARKS}/{second.json()['id']}")).status_code == 204
    assert (await site_of(console))["marks"] == 0


async def test_a_mark_names_an_entry_that_is_there(console: Console) -> None:
    response = await console.call("POST", MARKS, {"question": "x", "entry_id": "none"})
    assert problem(response) == (404, "not-found", None)


async def test_marks_have_an_end(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.knowledge.desk.MOST_MARKS", 1)
    for question, status in (("one", 201), ("two", 409), ("One!", 201)):
        response = await console.call("POST", MARKS, {"question": question, "entry_id": None})
        assert response.status_code == status


async def test_marks_and_the_prior_are_part_of_what_is_published(console: Console) -> None:
    question = "please tell me your hours on a sunday"
    before = (await tried(console, question))["confidence"]
    body = {"question": question, "entry_id": None}
    assert (await console.call("POST", MARKS, body)).status_code == 201
    gone = {"question": "another of the kind", "entry_id": "returns"}
    assert (await console.call("POST", MARKS, gone)).status_code == 201
    site = await console.call("PUT", f"{KNOWLEDGE}/prior", {"out_of_scope": 0.6})
    assert (site.json()["out_of_scope"], site.json()["marks"]) == (0.6, 2)
    published = await publish(console)
    assert published["failed"] is None
    assert (await tried(console, question))["confidence"] < before
    stored = await console.world.truth.knowledge.published(SITE)
    assert stored is not None
    assert (stored.out_of_scope, set(stored.marks)) == (
        0.6,
        {(question, None), ("another of the kind", "returns")},
    )


async def test_a_mark_or_a_prior_alone_waits_to_be_published(console: Console) -> None:
    async def waits() -> tuple[bool, int]:
        site = await site_of(console)
        return site["unpublished"], site["changes"]

    assert await waits() == (False, 0)
    mark = {"question": "another of the kind", "entry_id": "returns"}
    made = (await console.call("POST", MARKS, mark)).json()
    assert await waits() == (True, 0)
    await publish(console)
    assert await waits() == (False, 0)
    await console.call("DELETE", f"{MARKS}/{made['id']}")
    assert await waits() == (True, 0)
    await publish(console)
    site = await console.call("PUT", f"{KNOWLEDGE}/prior", {"out_of_scope": 0.6})
    assert (site.json()["unpublished"], site.json()["changes"]) == (True, 0)
    await console.call("PUT", f"{KNOWLEDGE}/prior", {"out_of_scope": 0.25})
    assert await waits() == (False, 0)


async def test_an_edit_waits_to_be_published_until_it_is_taken_back(console: Console) -> None:
    body = {"question": "When are you open?", "answer": "Never."}
    await console.call("PUT", HOURS_AT, body)
    assert (await site_of(console))["unpublished"] is True
    assert (await publish(console))["unpublished"] is False
    await console.call("POST", f"{HOURS_AT}/undo")
    assert (await site_of(console))["unpublished"] is True
    await console.call("PUT", HOURS_AT, body)
    assert (await site_of(console))["unpublished"] is False


async def test_a_prior_is_a_share(console: Console) -> None:
    for share in (-0.1, 0.951, 1, "0.5", None):
        response = await console.call("PUT", f"{KNOWLEDGE}/prior", {"out_of_scope": share})
        assert problem(response) == (400, "invalid-request", "out_of_scope")


async def until_checked(console: Console) -> dict[str, Any]:
    async with asyncio.timeout(60):
        with console.world.services.bell.listen(OPERATORS) as ear:
            while (found := (await console.call("GET", FINDINGS)).json())["running"]:
                await ear.wait(60)
    assert isinstance(found, dict)
    return found


async def test_a_draft_is_checked_beside_the_service(console: Console) -> None:
    nothing: dict[str, Any] = {
        "findings": [],
        "checked_at": None,
        "running": False,
        "failed": None,
    }
    assert (await console.call("GET", FINDINGS)).json() == nothing
    await create(console, question="opening hours", answer="See above, and below, and beyond.")
    begun = await console.call("POST", FINDINGS)
    assert (begun.status_code, begun.json()) == (202, {**nothing, "running": True})
    found = await until_checked(console)
    assert found["checked_at"] == timestamp(START)
    first = found["findings"][0]
    assert (first["kind"], first["severity"]) == ("duplicate", "error")
    assert {first["entry_id"], first["other"]["entry_id"]} == {"hours", "opening-hours"}
    assert first["question"]
    assert first["other"]["question"]
    assert first["text"]
    assert first["remedy"]
    assert "advice" in {one["severity"] for one in found["findings"]}


async def test_a_check_that_failed_leaves_the_last_one_and_says_why(
    console: Console, tmp_path: Path
) -> None:
    await console.call("POST", FINDINGS)
    before = await until_checked(console)
    wait_instead(console, tmp_path / "pid")
    await console.call("POST", FINDINGS)
    os.kill(await asyncio.to_thread(worker_in, tmp_path / "pid"), signal.SIGKILL)
    failed = "The process that worked on it was ended by signal 9. Try again."
    assert await until_checked(console) == {**before, "failed": failed}
    again = await console.call("POST", FINDINGS)
    assert (again.json()["running"], again.json()["failed"]) == (True, None)


async def test_a_check_that_ends_in_a_flaw_of_ours_is_told_too(console: Console) -> None:
    await site_of(console)
    workshop = console.world.services.workshop
    assert isinstance(workshop, ProcessWorkshop)
    # A result that is none of a check's: what reads it raises what nobody foresaw.
    code = (
        "import sys; sys.stdin.readline(); print('{\"document\": 2, \"packed\": 0}\\n{}', end='')"
    )
    workshop._command = (sys.executable, "-c", code)
    await console.call("POST", FINDINGS)
    assert "the gateway's log says what" in (await until_checked(console))["failed"]


PAGE = """<html lang="en"><body><main>
<h2>When are you open?</h2><p>On <b>Mondays</b>.</p>
<h2>Do you ship abroad?</h2><p>Yes.</p></main></body></html>"""


@pytest.fixture
def website() -> Iterator[Site]:
    with serving({"/faq": page(PAGE)}) as made:
        yield made


async def imported(console: Console, body: dict[str, Any]) -> dict[str, Any]:
    response = await console.call("POST", IMPORTS, body)
    assert response.status_code == 200, response.text
    document = response.json()
    assert isinstance(document, dict)
    return document


async def test_a_page_is_imported_in_two_steps_and_again(tmp_path: Path, website: Site) -> None:
    address = {"url": f"{website.url}/faq"}
    async with desk(tmp_path, private_endpoints=(website.authority,)) as console:
        seen = await imported(console, address)
        assert seen["source"] == address["url"]
        assert [row["question"] for row in seen["added"]] == ["Do you ship abroad?"]
        assert [row["entry_id"] for row in seen["changed"]] == ["hours"]
        assert (seen["removed"], seen["unchanged"], seen["problems"]) == ([], 0, [])
        assert (await site_of(console))["changes"] == 0, "nothing is changed yet"
        taken = await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
        assert (taken.status_code, taken.json()["changes"]) == (200, 2)
        again = await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
        assert problem(again) == (404, "not-found", None)
        hours = (await console.call("GET", HOURS_AT)).json()
        assert (hours["answer"], hours["tags"]) == ("On **Mondays**.", ["starter"])

        same = await imported(console, address)
        assert (same["added"], same["changed"], same["unchanged"]) == ([], [], 2)
        await console.call("PUT", HOURS_AT, {"question": hours["question"], "answer": "By hand."})
        first_only = PAGE.split("<h2>Do", maxsplit=1)[0]
        website.pages["/faq"] = page(first_only.replace("Mondays", "Sundays"))
        later = await imported(console, address)
        assert [row["question"] for row in later["removed"]] == ["Do you ship abroad?"]
        assert later["changed"] == []
        [note] = later["problems"]
        assert note == "hours (en): left as it is: edited, and its source changed"
        await console.call("POST", f"{IMPORTS}/{later['import_id']}")
        assert await listed(console) == [("hours", "changed"), ("returns", "live")]


async def test_a_private_address_is_not_read_unless_it_is_listed(
    console: Console, website: Site
) -> None:
    seen = await imported(console, {"url": f"{website.url}/faq"})
    assert (seen["added"], seen["changed"]) == ([], [])
    remedy = f"if that is meant, have {website.authority} added to gateway.private_endpoints"
    assert f"has a private or special address; {remedy}" in seen["problems"][0]
    assert website.asked == []


async def test_a_sitemap_of_too_many_pages_is_told_in_an_operators_words(
    tmp_path: Path, website: Site
) -> None:
    listed = "".join(f"<url><loc>{website.url}/{name}</loc></url>" for name in range(101))
    body = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
    website.pages["/sitemap.xml"] = page(body, "text/xml")
    website.pages["/robots.txt"] = page("User-agent: *\nAllow: /sitemap.xml\nDisallow: /")
    async with desk(tmp_path, private_endpoints=(website.authority,)) as console:
        seen = await imported(console, {"url": f"{website.url}/sitemap.xml"})
    [told] = [problem for problem in seen["problems"] if "more pages" in problem]
    assert told.endswith(
        "1 more pages were not read: import them by themselves, or all of them with "
        "`fanlight kb import`"
    )


async def test_a_body_that_is_too_large_is_told_in_an_operators_words(console: Console) -> None:
    for path, size, remedy in (
        (TRY, 600_000, "Shorten its texts."),
        (IMPORTS, 8_400_000, "Import the file in parts."),
    ):
        response = await console.call("POST", path, {"question": "x" * size})
        assert (response.status_code, response.json()["remedy"]) == (413, remedy)


async def test_a_file_is_imported_as_its_name_says(console: Console) -> None:
    content = 'question,answer,locale\nDo you sell gift cards?,"<script>x</script> Yes.",en\n'
    seen = await imported(console, {"name": "new.csv", "content": content})
    assert [row["question"] for row in seen["added"]] == ["Do you sell gift cards?"]
    other = await imported(console, {"name": "new.exe", "content": "x"})
    assert "must end in" in other["problems"][0]
    empty = await console.call("POST", f"{IMPORTS}/{other['import_id']}")
    assert empty.json()["changes"] == 0
    taken = await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
    assert taken.json()["changes"] == 1


FILE = {"name": "a.md", "content": "## When are you open?\n\nNever.\n\n## Why?\n\nSo.\n"}


async def test_an_import_leaves_what_was_edited_after_it_was_seen(console: Console) -> None:
    seen = await imported(console, FILE)
    assert [row["entry_id"] for row in seen["changed"]] == ["hours"]
    await console.call("PUT", HOURS_AT, {"question": "When are you open?", "answer": "By hand."})
    taken = await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
    assert taken.json()["left_out"] == [{"entry_id": "hours", "locale": "en"}]
    assert (await console.call("GET", HOURS_AT)).json()["answer"] == "By hand."
    assert ("why", "new") in await listed(console)


async def test_an_import_does_not_bring_back_what_a_person_removed(console: Console) -> None:
    await console.call("POST", f"{IMPORTS}/{(await imported(console, FILE))['import_id']}")
    for at in (HOURS_AT, f"{ENTRIES}/why/en"):
        await console.call("DELETE", at)
    seen = await imported(console, FILE)
    assert (seen["added"], seen["changed"]) == ([], [])
    assert seen["problems"] == [
        f"{name} (en): left out: it was removed at the desk; undo that to have it back"
        for name in ("when-are-you-open", "why")
    ]
    await console.call("POST", f"{ENTRIES}/why/en/undo")
    assert (await imported(console, FILE))["unchanged"] == 1


async def test_an_import_brings_back_what_an_import_removed(console: Console) -> None:
    less = {**FILE, "content": FILE["content"].partition("## Why?")[0]}
    await console.call("POST", f"{IMPORTS}/{(await imported(console, FILE))['import_id']}")
    seen = await imported(console, less)
    await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
    assert [row["entry_id"] for row in seen["removed"]] == ["why"]
    again = await imported(console, FILE)
    assert ([row["entry_id"] for row in again["added"]], again["problems"]) == (["why"], [])


async def test_an_import_is_forgotten_after_an_hour(console: Console) -> None:
    seen = await imported(console, {"name": "a.md", "content": "# x\n\n## What?\n\nThat.\n"})
    console.world.time.now += 3600
    late = await console.call("POST", f"{IMPORTS}/{seen['import_id']}")
    assert problem(late) == (404, "not-found", None)


async def test_a_worker_that_fails_is_told_and_changes_nothing(console: Console) -> None:
    await site_of(console)
    workshop = console.world.services.workshop
    assert isinstance(workshop, ProcessWorkshop)
    for command in ((sys.executable, "-c", "raise SystemExit(3)"), ("/nowhere/python",)):
        workshop._command = command
        refused = await console.call("POST", IMPORTS, {"name": "a.md", "content": "x"})
        assert problem(refused) == (503, "work-failed", None)
    assert (await console.call("GET", f"{ENTRIES}?limit=1")).status_code == 200
