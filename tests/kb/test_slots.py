"""What changes with the date."""

import json
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.embed import Embedding
from kb.readers import Format
from kb.slots import Slots, holds, slots_in

USUAL = kb.Entry("h1", "en", "usual", "from 9 to 17", tags=("slot:hours",))
FESTIVE = kb.Entry(
    "h2", "en", "festive", "only at noon", tags=("slot:hours",),
    valid_from="2026-12-20", valid_until="2026-12-31",
)  # fmt: skip
OPEN = kb.Entry("open", "en", "When are you open?", "We are open {{hours}}. The door is red.")
ABIERTO = kb.Entry("open", "es", "¿Cuándo abrís?", "Abrimos {{ hours }}.")
SALE = kb.Entry("sale", "en", "Is there a sale?", "20 % off.", valid_until="2026-11-30")
OLD = kb.Entry("shop", "en", "Where is the shop?", "High Street.", valid_until="2026-12-31")
NEW = kb.Entry("move", "en", "Where is the shop now?", "Low Street.", valid_from="2027-01-01")


@pytest.fixture(scope="module")
def index() -> kb.Index:
    return kb.load_index(kb.build_index((USUAL, FESTIVE, OPEN, ABIERTO, SALE, OLD, NEW)))


@pytest.mark.parametrize(
    ("today", "answer"),
    [
        ("2026-12-19", "We are open from 9 to 17. The door is red."),
        ("2026-12-20", "We are open only at noon. The door is red."),
        ("2026-12-31", "We are open only at noon. The door is red."),
        ("2027-01-01", "We are open from 9 to 17. The door is red."),
    ],
)
def test_a_slot_says_what_holds_on_the_day(index: kb.Index, today: str, answer: str) -> None:
    assert index.search("When are you open?", today=today)[0].entry.answer == answer


def test_a_translation_whose_slot_has_no_text_is_not_shown(index: kb.Index) -> None:
    first = index.search("¿Cuándo abrís?", locale="es", today="2026-12-24")[0]
    assert first.entry.locale == "en"
    assert "other_locale" in first.reasons


def test_an_answer_whose_slot_has_no_text_is_not_shown() -> None:
    index = kb.load_index(kb.build_index([OPEN, FESTIVE, SALE]))
    asked = "When are you open?"
    assert index.search(asked, today="2026-12-24")[0].entry.id == "open"
    assert all(hit.entry.id != "open" for hit in index.search(asked, today="2026-12-19"))


@pytest.mark.parametrize(
    ("question", "today", "entries"),
    [
        ("Is there a sale?", "2026-11-30", True),
        ("Is there a sale?", "2026-12-01", False),
        ("Where is the shop now?", "2026-12-31", False),
        ("Where is the shop now?", "2027-01-01", True),
    ],
)
def test_an_entry_is_there_while_it_holds(
    index: kb.Index, question: str, today: str, entries: bool
) -> None:
    hits = index.search(question, today=today)
    assert (bool(hits) and hits[0].reasons[0] == "exact") == entries


def test_without_a_day_everything_holds(index: kb.Index) -> None:
    assert index.search("Is there a sale?")[0].entry == SALE


def test_nobody_can_ask_for_a_slots_text(index: kb.Index) -> None:
    assert {entry.id for entry in index.entries} == {"open", "sale", "shop", "move"}


def test_the_marked_sentence_is_where_it_stands_once_slots_are_filled(
    embedding: Embedding,
) -> None:
    data = kb.build_index((USUAL, OPEN, SALE), embedding=embedding)
    index = kb.load_index(data, embedding)
    hit = index.search("which door is it", today="2026-01-01")[0]
    assert hit.sentence is not None
    assert hit.entry.answer[slice(*hit.sentence)] == "The door is red."


@given(st.text(max_size=40))
def test_a_text_without_a_slot_stays(text: str) -> None:
    if not list(slots_in(text)):
        assert Slots((USUAL,)).fill(text, "en", "2026-01-01") == text


def test_braces_that_no_entry_is_tagged_with_are_the_text_they_are() -> None:
    entry = kb.Entry("how", "en", "How do I greet?", "Write {{ user }} where the name goes.")
    index = kb.load_index(kb.build_index([entry, USUAL]))
    assert index.search("How do I greet?", today="2026-01-01")[0].entry == entry


@pytest.mark.parametrize(
    ("today", "answer"),
    [("2026-11-30", "On request."), ("2026-12-25", "On request."), ("2026-12-24", "Closed.")],
)
def test_what_does_not_hold_takes_nothing_from_what_does(today: str, answer: str) -> None:
    entries = (
        kb.Entry("a", "en", "When do you open on Sunday?", "On request.", valid_until="2026-12-23"),
        kb.Entry(
            "b", "en", "When do you open on Sunday?", "Closed.",
            valid_from="2026-12-24", valid_until="2026-12-24",
        ),
        kb.Entry("c", "en", "When do you open on Sunday?", "On request.", valid_from="2026-12-25"),
    )  # fmt: skip
    index = kb.load_index(kb.build_index(entries))
    first, *others = index.search("When do you open on Sunday?", today=today)
    assert first.entry.answer == answer
    assert first.confidence > 0.9
    assert others == []


def test_a_site_text_knows_days_and_slots() -> None:
    offline = kb.Entry("o", "en", "o", "Back {{hours}}.", tags=("system:offline",))
    over = kb.Entry("g", "en", "g", "Merry!", tags=("system:greeting",), valid_until="2026-12-26")
    index = kb.load_index(kb.build_index([offline, over, USUAL, OPEN]))
    assert index.text("offline", "en", today="2026-01-01") == "Back from 9 to 17."
    assert index.text("greeting", "en", today="2026-12-26") == "Merry!"
    assert index.text("greeting", "en", today="2026-12-27") != "Merry!"


def test_a_slot_in_a_slot_stays_as_it_is_written() -> None:
    nested = kb.Entry("n", "en", "n", "see {{hours}}", tags=("slot:more",))
    assert Slots((USUAL, nested)).fill("{{more}}", "en", None) == "see {{hours}}"


@pytest.mark.parametrize(
    ("today", "held"), [("2026-12-19", False), ("2026-12-20", True), (None, True)]
)
def test_an_entry_holds_from_its_first_day(today: str | None, held: bool) -> None:
    assert holds(FESTIVE, today) == held


def read(**fields: str) -> kb.Reading:
    row = {"id": "a", "locale": "en", "question": "Q", "answer": "A", **fields}
    return kb.read_entries(StringIO(json.dumps(row)), format="jsonl", source="f", locale="en")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"valid_from": "24.12.2026"},
            "valid_from is '24.12.2026': write a day such as 2026-12-24",
        ),
        ({"valid_until": "2026-02-30"}, "valid_until is '2026-02-30'"),
        ({"valid_until": "20261224"}, "valid_until is '20261224'"),
        ({"valid_from": "2026-12-24", "valid_until": "2026-12-23"}, "valid_until is before"),
    ],
)
def test_a_day_that_is_none_is_refused(fields: dict[str, str], reason: str) -> None:
    (problem,) = read(**fields).problems
    assert reason in str(problem)


def test_every_reader_knows_the_days() -> None:
    days = {"valid_from": "2026-12-24", "valid_until": "2026-12-26"}
    markdown = "## Q {#a}\n- valid_from: 2026-12-24\n- valid_until: 2026-12-26\n\nA"
    table = "id,question,answer,valid_from,valid_until\na,Q,A,2026-12-24,2026-12-26"
    expected = kb.Entry(
        "a", "en", "Q", "A", valid_from=days["valid_from"], valid_until=days["valid_until"]
    )
    formats: tuple[tuple[str, Format], ...] = ((markdown, "markdown"), (table, "csv"))
    for text, form in formats:
        reading = kb.read_entries(StringIO(text), format=form, source="f", locale="en")
        assert reading.entries == (expected,)
    assert read(**days).entries == (expected,)
