"""Importing again: what follows the source, what stays the owner's, what is only named."""

import json

import pytest

from kb.entry import Entry, Problem
from kb.readers.row import Row
from kb.reconcile import (
    EDITED,
    EDITED_SOURCE_CHANGED,
    EDITED_SOURCE_GONE,
    OWN,
    Imported,
    Joined,
    Kept,
    Outcome,
    Scope,
    imported,
    join,
    read_kept,
    reconcile,
    source_hash,
)

PAGE = "https://shop.example/faq"
READ = Scope(read=frozenset({PAGE}))


def one(question: str, answer: str = "So.", *, id: str = "", origin: str = PAGE) -> Imported:  # noqa: A002
    found = imported(Row(PAGE, 1, id, "en", question, answer, origin=origin))
    assert isinstance(found, Imported)
    return found


def kept(lines: tuple[str, ...]) -> list[Kept]:
    rows = read_kept(lines, "faq.jsonl")
    assert [row for row in rows if isinstance(row, Problem)] == []
    return [row for row in rows if isinstance(row, Kept)]


def run(
    lines: tuple[str, ...], *found: Imported, scope: Scope = READ, prune: bool = False
) -> Outcome:
    return reconcile(kept(lines), join(found)[0], scope, prune=prune)


def edited(line: str, **fields: object) -> str:
    return json.dumps(json.loads(line) | fields, ensure_ascii=False)


def changes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(change.kind, change.note) for change in outcome.changes]


FIRST = run((), one("Why is it?"), one("What is it?", "This."))


def test_new_rows_are_added_with_their_origin_and_hash() -> None:
    assert [json.loads(line) for line in FIRST.lines] == [
        {
            "id": "why-is-it",
            "locale": "en",
            "question": "Why is it?",
            "answer": "So.",
            "origin": PAGE,
            "source_hash": source_hash("Why is it?", "So."),
        },
        {
            "id": "what-is-it",
            "locale": "en",
            "question": "What is it?",
            "answer": "This.",
            "origin": PAGE,
            "source_hash": source_hash("What is it?", "This."),
        },
    ]
    assert changes(FIRST) == [("added", "")] * 2


def test_the_same_import_changes_nothing() -> None:
    again = run(FIRST.lines, one("What is it?", "This."), one("Why is it?"))
    assert again.lines == FIRST.lines
    assert changes(again) == [("unchanged", "")] * 2


def test_a_changed_source_updates_its_row_and_leaves_what_the_owner_added() -> None:
    mine = edited(FIRST.lines[0], id="my-id", variants=["how come"], tags=["x"], escalate=True)
    again = run(
        (mine, FIRST.lines[1]), one("Why is it?", "Therefore."), one("What is it?", "This.")
    )
    assert changes(again) == [("updated", ""), ("unchanged", "")]
    row = json.loads(again.lines[0])
    assert (row["id"], row["answer"], row["variants"]) == ("my-id", "Therefore.", ["how come"])
    assert (row["tags"], row["escalate"]) == (["x"], True)
    assert row["source_hash"] == source_hash("Why is it?", "Therefore.")


def test_an_edited_row_stays_as_it_is() -> None:
    mine = edited(FIRST.lines[0], answer="My own words.")
    lines = (mine, FIRST.lines[1])
    same = run(lines, one("Why is it?"), one("What is it?", "This."))
    assert same.lines == lines
    assert changes(same) == [("kept", EDITED), ("unchanged", "")]
    changed = run(lines, one("Why is it?", "Else."), one("What is it?", "This."))
    assert changed.lines == lines
    assert changes(changed)[0] == ("kept", EDITED_SOURCE_CHANGED)
    gone = run(lines, one("What is it?", "This."), prune=True)
    assert gone.lines == lines
    assert changes(gone)[0] == ("kept", EDITED_SOURCE_GONE)


def test_an_edited_question_is_still_known() -> None:
    mine = edited(FIRST.lines[0], id="x", question="Whatever for?")
    assert changes(run((mine,), one("Why is it?"))) == [("kept", EDITED)]


def test_a_row_written_by_hand_is_not_touched() -> None:
    mine = '{"id": "why-is-it", "locale": "en", "question": "Why?", "answer": "Mine."}'
    again = run((mine,), one("Why is it?"))
    assert again.lines == (mine,)
    assert changes(again) == [("kept", OWN)]
    assert run((mine,), scope=Scope(whole=("",)), prune=True).changes == ()


def test_a_reworded_question_keeps_its_row_by_its_id() -> None:
    first = run((), one("Why is it?", id="why-it"))
    again = run(first.lines, one("Why is it so?", id="why-it"))
    assert changes(again) == [("updated", "")]
    assert json.loads(again.lines[0])["question"] == "Why is it so?"


def test_a_new_question_takes_no_row_of_another_with_its_id() -> None:
    first = run((), one("Why?", id="q"))
    again = run(first.lines, one("How?", id="q"), one("Why?", id="q"))
    assert changes(again) == [("unchanged", ""), ("added", "")]
    ids = [json.loads(line)["id"] for line in again.lines]
    assert ids[0] == "q"
    assert ids[1].startswith("q-")
    assert len(set(ids)) == 2
    assert run(again.lines, one("How?", id="q"), one("Why?", id="q")).lines == again.lines


def test_a_moved_row_follows_without_a_change_of_words() -> None:
    again = run(FIRST.lines[:1], one("Why is it?", origin=f"{PAGE}#why"))
    assert changes(again) == [("unchanged", "")]
    assert json.loads(again.lines[0])["origin"] == f"{PAGE}#why"


def test_vanished_rows_are_named_and_deleted_only_when_pruned() -> None:
    named = run(FIRST.lines, one("What is it?", "This."))
    assert named.lines == FIRST.lines
    assert changes(named) == [("vanished", ""), ("unchanged", "")]
    assert run(FIRST.lines, one("What is it?", "This."), prune=True).lines == FIRST.lines[1:]


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(), False),
        (Scope(read=frozenset({PAGE})), True),
        (Scope(gone=frozenset({PAGE})), True),
        (Scope(whole=("https://shop.example/",)), True),
        (Scope(whole=("https://shop.example/es/", "https://other.example/")), False),
        (Scope(whole=("https://shop.example/",), failed=frozenset({PAGE})), False),
        (Scope(read=frozenset({"https://shop.example/other"})), False),
    ],
)
def test_a_row_has_vanished_only_where_it_was_looked_for(scope: Scope, covered: bool) -> None:
    assert scope.covers(f"{PAGE}#x") is covered
    assert changes(run(FIRST.lines[:1], scope=scope)) == [("vanished", "")] * covered


def test_one_question_on_several_pages_is_joined() -> None:
    found = [one("Why?"), one("why?", "Other.", origin="b"), one("How?"), one("How?", origin="c")]
    rows, joined = join(found)
    assert [row.entry.answer for row in rows] == ["So.", "So."]
    assert joined == [
        Joined("why", "en", (PAGE, "b"), differ=True),
        Joined("how", "en", (PAGE, "c"), differ=False),
    ]


def test_two_questions_with_one_id_are_told_apart() -> None:
    long = "how do i change the address of my "
    rows, _ = join([one(f"{long} parcel?"), one(f"{long} invoice?")])
    ids = [row.entry.id for row in rows]
    assert ids[0] == "how-do-i-change-the-address-of-my"
    assert ids[1].startswith(f"{ids[0]}-")


@pytest.mark.parametrize(
    ("row", "origin"),
    [
        (Row("faq.md", 3, "", "en", "Q", "A"), "faq.md:3"),
        (Row("faq.csv", 3, " x ", "en", "Q", "A"), "faq.csv#x"),
        (Row(PAGE, 3, "x", "en", "Q", "A"), PAGE),
        (Row("faq.csv", 3, "x", "en", "Q", "A", origin=PAGE), PAGE),
    ],
)
def test_the_origin_is_the_rows_own_else_its_place(row: Row, origin: str) -> None:
    found = imported(row)
    assert isinstance(found, Imported)
    assert found.origin == origin


def test_a_row_that_is_no_entry_is_a_problem() -> None:
    assert "answer is empty" in str(imported(Row(PAGE, 7, "", "en", "Q", "")))


def test_halves_of_characters_do_not_reach_the_file() -> None:
    found = imported(Row("a", 1, "", "en", "Q \ud800", "A \udfff", ("\ud800",)))
    assert isinstance(found, Imported)
    assert found.entry == Entry("q", "en", "Q \ufffd", "A \ufffd", ("\ufffd",))
    line = edited(run((), found).lines[0], variants=["x"]).replace('"x"', '"\\ud800"')
    changed = imported(Row("a", 1, "", "en", "Q \ufffd", "B"))
    assert isinstance(changed, Imported)
    (updated,) = run((line,), changed).lines
    assert json.loads(updated)["variants"] == ["\ufffd"]
    assert updated.encode()


def test_a_bad_line_is_named() -> None:
    rows = read_kept(['{"id": 7}', "", '{"question": "Q", "locale": "en"}'], "faq.jsonl")
    assert [str(row).split(":")[1] for row in rows] == ["1", "3"]


@pytest.mark.parametrize(
    ("question", "answer", "same"),
    [
        ("Q", " a\r\nb  \n", True),
        ("Q", "a\nb", True),
        ("Q", "a b", False),
        ("q", "a\nb", False),
        ("Qa", "\nb", False),
    ],
)
def test_the_hash_sees_words_and_not_the_form_of_lines(
    question: str, answer: str, same: bool
) -> None:
    assert (source_hash(question, answer) == source_hash("Q", "a\nb")) is same
    assert source_hash("\u00e9", "") == source_hash("e\u0301", "")
