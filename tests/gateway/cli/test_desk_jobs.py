"""The knowledge desk's jobs, done in this process: what an order becomes."""

import json
import os
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from core.knowledge import entry_row
from core.workshop import Recipe, recipe_row
from gateway.cli.builders import Tools
from gateway.cli.desk_jobs import perform
from gateway.cli.knowledge import KnowledgeError
from kb import Entry, build_index, load_index
from kb.calibrate import UNCORRECTED
from kb.evaluate import correction_of

NO_TOOLS = Tools(None, b"", lambda: None)
HOURS = Entry("hours", "en", "When are you open?", "From nine to five.", ("opening hours",))
WHERE = Entry("where", "en", "Where are you?", "Here, in the square.", ("opening hours",))


@pytest.fixture
def order(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "faq.jsonl"
    file.write_text(json.dumps(entry_row(HOURS)) + "\n", encoding="utf-8")
    site = {"key": "site_a", "name": "A", "kb": [str(file)], "default_locale": "en"}
    return {"site": site, "data_dir": str(tmp_path / "data"), "private_endpoints": []}


def done(order: dict[str, Any], job: str, **values: Any) -> tuple[dict[str, Any], bytes]:
    steps: list[str] = []
    document, packed = perform(
        {**order, "job": job, **values}, NO_TOOLS, lambda step, _share: steps.append(step)
    )
    return json.loads(json.dumps(document)), packed


def recipe(*entries: Entry, **changes: Any) -> dict[str, Any]:
    edits = {(entry.id, entry.locale): entry for entry in entries}
    return recipe_row(Recipe(**{"edits": edits, "out_of_scope": 0.25, **changes}))


def test_a_check_finds_what_edits_brought_and_keeps_no_index(
    order: dict[str, Any], tmp_path: Path
) -> None:
    found, packed = done(order, "check", recipe=recipe(WHERE), threshold=0.55, today="2026-11-28")
    assert found["findings"][0]["kind"] == "duplicate"
    assert packed == b""
    assert not (tmp_path / "data").exists()


def test_a_check_takes_the_index_that_is_there(order: dict[str, Any]) -> None:
    done(order, "build", recipe=recipe(WHERE))
    found, _ = done(order, "check", recipe=recipe(WHERE), threshold=0.55, today="2026-11-28")
    assert {one["entry_id"] for one in found["findings"]} == {"hours", "where"}


def test_a_preview_weighs_as_it_is_told(order: dict[str, Any]) -> None:
    live = load_index(build_index([HOURS]))
    told = {
        "choices": {name: [one.weights, one.none] for name, one in live.choices.items()},
        "answers": None,
        "correction": [-0.5, 0.75],
        "entries": [entry_row(HOURS), entry_row(WHERE)],
        "has_head": False,
        "has_meaning": False,
    }
    _, packed = done(order, "preview", **told)
    index = load_index(packed)
    assert index.choices == live.choices
    assert (index.correction.shift, index.correction.slope) == (-0.5, 0.75)
    assert index.entries == (HOURS, WHERE)


def test_marks_correct_the_index_that_was_built(order: dict[str, Any]) -> None:
    marks = (("open the square to me", None), ("when do you open in may", "hours"))
    _, plain = done(order, "build", recipe=recipe(WHERE))
    _, marked = done(order, "build", recipe=recipe(WHERE, marks=marks))
    index = load_index(marked)
    assert index.correction == correction_of(load_index(plain), marks) != UNCORRECTED
    assert index.choices == load_index(plain).choices


def test_the_declared_prior_counts(order: dict[str, Any]) -> None:
    _, few = done(order, "build", recipe=recipe(WHERE))
    _, many = done(order, "build", recipe=recipe(WHERE, out_of_scope=0.9))
    asked = "when open in may"
    sure, unsure = (load_index(one).search(asked)[0].confidence for one in (few, many))
    assert unsure < sure


def test_nothing_is_published_where_there_is_no_entry(order: dict[str, Any]) -> None:
    with pytest.raises(KnowledgeError, match="There is no entry to publish"):
        done(order, "build", recipe=recipe(edits={("hours", "en"): None}))
    Path(order["site"]["kb"][0]).write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"There is no entry to publish \(.*not JSON"):
        done(order, "build", recipe=recipe())


def test_an_index_that_is_taken_up_again_outlives_the_next_build(order: dict[str, Any]) -> None:
    folder = Path(order["data_dir"]) / "kb"
    changes = ({"out_of_scope": share} for share in (0.2, 0.3, 0.2))
    for number, change in enumerate(changes):
        done(order, "build", recipe=recipe(**change))
        for path in folder.glob("*.idx"):  # as if each build were long ago
            age = path.stat().st_mtime
            os.utime(path, (age - 100 * (3 - number), age - 100 * (3 - number)))
    served = max(folder.glob("*.idx"), key=lambda path: path.stat().st_mtime)
    done(order, "build", recipe=recipe(out_of_scope=0.4))
    assert served.exists()
    again, _ = done(order, "build", recipe=recipe(out_of_scope=0.2))
    assert load_index(served.read_bytes()).release == again["release"]


def test_what_is_built_is_what_was_read_and_looked_at(order: dict[str, Any]) -> None:
    file = Path(order["site"]["kb"][0])
    opened = file.with_suffix(".pipe.jsonl")
    os.mkfifo(opened)
    order["site"]["kb"].append(str(opened))
    row = json.dumps(entry_row(WHERE)) + "\n"
    found: list[dict[str, Any]] = []
    # A pipe gives its words once: whoever reads it again waits for ever.
    Thread(target=opened.write_text, args=(row,), daemon=True).start()
    building = Thread(
        target=lambda: found.append(done(order, "build", recipe=recipe())[0]), daemon=True
    )
    building.start()
    building.join(20)
    assert [[one["id"] for one in each["files"]] for each in found] == [["hours", "where"]]


def test_an_import_tells_of_what_it_left_only_where_that_differs(order: dict[str, Any]) -> None:
    def by_hand(answer: str) -> list[dict[str, Any]]:
        entry = entry_row(replace(HOURS, answer=answer))
        return [{"entry": entry, "origin": "", "source_hash": ""}]

    content = "## When are you open?\n\nFrom nine to five.\n"
    given = {"source": "a.md", "content": content}
    same, _ = done(order, "gather", known=by_hand("From nine to five."), **given)
    other, _ = done(order, "gather", known=by_hand("Never."), **given)
    assert (same["problems"], same["unchanged"]) == ([], 1)
    assert other["problems"] == ["hours (en): left as it is: written by hand"]
    assert (other["added"], other["changed"]) == ([], [])
