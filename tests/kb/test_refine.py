"""The hits of a question in the light of an encoder's cosines."""

from __future__ import annotations

from math import isclose

import pytest

from kb import Entry, Hit, Index, build_index, load_index
from kb.refine import MOST_TEXT, MOST_VARIANTS, REASON, Near, refined, texts

FIRST = Entry("first", "en", "Where is it?", "Here.")
SECOND = Entry("second", "en", "When is it?", "Now.")
SPANISH = Entry("tercero", "es", "¿Dónde está?", "Aquí.")
QUESTION = "When does the shop open in the morning?"


def hit(entry: Entry, score: float, *reasons: str) -> Hit:
    return Hit(entry, score, score, reasons or ("question",))


def near(first: float, second: float, *languages: str) -> Near:
    return Near({"first": first, "second": second}, kb=0.5, near=10.0, languages=languages)


def test_the_nearer_entry_comes_first_and_says_why() -> None:
    found = refined([hit(FIRST, 0.3), hit(SECOND, 0.2)], QUESTION, near(0.2, 0.6))
    assert [one.entry.id for one in found] == ["second", "first"]
    assert all(one.reasons[-1] == REASON for one in found)


def test_what_the_hits_have_together_stays_as_it_was() -> None:
    found = refined([hit(FIRST, 0.3), hit(SECOND, 0.2)], QUESTION, near(0.2, 0.6))
    assert isclose(sum(one.score for one in found), 0.5)
    assert all(one.confidence == one.score for one in found)


def test_a_stranger_stays_one_however_near_it_seems() -> None:
    (best, _) = refined([hit(FIRST, 0.02), hit(SECOND, 0.01)], QUESTION, near(0.99, 0.98))
    assert best.confidence <= 0.03


def test_equal_cosines_leave_the_order() -> None:
    found = refined([hit(FIRST, 0.3), hit(SECOND, 0.2)], QUESTION, near(0.4, 0.4))
    assert [one.entry.id for one in found] == ["first", "second"]


def test_an_entry_that_was_not_compared_is_far() -> None:
    said = Near({"second": 0.5}, kb=0.5, near=10.0)
    (best, _) = refined([hit(FIRST, 0.4), hit(SECOND, 0.3)], QUESTION, said)
    assert best.entry.id == "second"


@pytest.mark.parametrize(
    ("hits", "question", "languages"),
    [
        ([], QUESTION, ()),
        ([hit(FIRST, 0.97, "exact"), hit(SECOND, 0.01)], QUESTION, ()),
        ([hit(FIRST, 0.3), hit(SPANISH, 0.2)], QUESTION, ("en",)),
        ([hit(FIRST, 0.3), hit(SECOND, 0.2)], "¿A qué hora abre la tienda por la mañana?", ("en",)),
    ],
    ids=["nothing", "exact", "an entry's language", "the question's language"],
)
def test_what_the_encoder_may_not_judge_stays_as_it_is(
    hits: list[Hit], question: str, languages: tuple[str, ...]
) -> None:
    assert refined(hits, question, near(0.1, 0.9, *languages)) == tuple(hits)


def test_a_locale_counts_by_its_language() -> None:
    british = hit(Entry("first", "en-GB", "Where is it?", "Here."), 0.3)
    found = refined([british, hit(SECOND, 0.2)], QUESTION, near(0.2, 0.6, "en"))
    assert found[0].entry.id == "second"


def test_ways_to_ask_and_answers_are_encoded_and_site_texts_are_not() -> None:
    many = tuple(f"another way {number}" for number in range(20))
    index: Index = load_index(
        build_index(
            [
                Entry("long", "en-GB", "How?", "x" * 5_000, variants=many),
                Entry("offline", "en", "offline", "Later.", tags=("system:offline",)),
            ]
        )
    )
    found = texts(index)
    assert found[0] == ("long", "en", "How?")
    assert found[-1] == ("long", "en", "x" * MOST_TEXT)
    assert len(found) == MOST_VARIANTS + 2
