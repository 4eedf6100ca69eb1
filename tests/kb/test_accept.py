import io
import json

import pytest

from kb.accept import MOST_CHARACTERS, Accepted, entry_line, merge, provenance, read_accepted
from kb.entry import Entry, Link
from kb.readers import read_entries

ENTRIES = (
    Entry("a", "en", "Where is it?", "Here.", ("find it",)),
    Entry("a", "es", "¿Dónde está?", "Aquí."),
    Entry("b", "en", "When?", "Now."),
)


def row(**fields: object) -> str:
    return json.dumps({"entry_id": "a", "locale": "en", "text": "look for it", **fields})


def test_accepted_lines_are_read_and_other_fields_passed_over() -> None:
    found = read_accepted([row(why="x", text=" look\n for it "), "\n"], "s", ENTRIES)
    assert found == (Accepted("a", "en", "look for it"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(entry_id="z"), "there is no entry 'z' in 'en'"),
        (row(locale="he"), "there is no entry 'a' in 'he'"),
        (row(text="?!"), "text must hold a word"),
        (row(text="x" * (MOST_CHARACTERS + 1)), "300 characters at most"),
        (row(text=None), "the field 'text'"),
        ("[]", "one JSON object"),
        ("no", "not JSON"),
    ],
)
def test_a_line_that_cannot_be_accepted_is_named(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^s:2: .*{reason}"):
        read_accepted([row(), line], "s", ENTRIES)


def test_accepted_texts_stand_behind_the_variants_once() -> None:
    texts = ["look for it", "Look for it!", "where IS it", "when"]
    merged = merge(ENTRIES, [Accepted("a", "en", text) for text in texts])
    assert merged.entries[0].variants == ("find it", "look for it")
    assert merged.entries[1:] == ENTRIES[1:]
    assert [one.text for one in merged.added] == texts[:1]
    assert [one.text for one in merged.known] == texts[1:]


def test_an_entry_is_written_as_it_is_read() -> None:
    link = Link("Help", "https://a.example/b")
    for entry in (
        *ENTRIES,
        Entry("c", "he", "מה?", "*זה*", ("א",), (link,), ("t",), escalate=True),
    ):
        stream = io.StringIO(entry_line(entry))
        assert read_entries(stream, format="jsonl", source="s").entries == (entry,)


def test_where_an_entry_was_imported_from_is_kept() -> None:
    line = json.dumps(
        {
            "id": "a", "question": "Where?", "answer": "Here.",
            "origin": "https://a.example/#x", "source_hash": "12",
        }
    )  # fmt: skip
    other = json.dumps({"id": "b", "locale": "en", "question": "When?", "answer": "Now."})
    found = provenance([line, other, "bad"], "s", "en")
    assert list(found) == [("a", "en")]
    written = json.loads(entry_line(Entry("a", "en", "Where?", "Here."), found["a", "en"]))
    assert (written["origin"], written["source_hash"]) == ("https://a.example/#x", "12")


def test_half_a_character_does_not_stop_the_writing() -> None:
    assert "?" in entry_line(Entry("a", "en", "\ud800", "b"))
