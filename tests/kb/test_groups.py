"""Which questions of visitors are one: the same words, or the same meaning in the same language."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.bundled import load_bundled
from kb.groups import group_questions

ASKED = [
    ("How do I cancel my order?", "en"),
    ("do you ship to Peru", "en"),
    ("how do I cancel my order", "en"),
    ("¿Cómo cancelo mi pedido?", "es"),
    ("How can I cancel my order please", "en"),
    ("…?!", "en"),
    ("HOW DO I CANCEL MY ORDER", "en"),
]


def test_the_same_words_are_one_whatever_their_case_and_punctuation() -> None:
    assert group_questions(ASKED) == [[0, 2, 6], [1], [3], [4]]


@pytest.mark.skipif(load_bundled() is None, reason="no embedding is bundled")
def test_with_an_embedding_nearly_the_same_words_are_one() -> None:
    groups = group_questions(ASKED, load_bundled())
    assert groups[0] == [0, 2, 6, 4], "another language stays by itself, and so does another matter"
    assert [1] in groups
    assert [3] in groups


def test_the_most_asked_come_first() -> None:
    asked = [("a one", "en"), ("b two", "en"), ("b two", "en"), ("c three", "en")]
    assert group_questions(asked) == [[1, 2], [0], [3]]


@given(st.lists(st.tuples(st.text(max_size=12), st.sampled_from(["en", "es"])), max_size=30))
def test_every_question_with_a_word_is_in_one_group(asked: list[tuple[str, str]]) -> None:
    places = [at for group in group_questions(asked) for at in group]
    assert len(places) == len(set(places))
    assert {at for at, (text, _) in enumerate(asked) if any(map(str.isalnum, text))} <= {
        *places,
        *(at for at, (text, _) in enumerate(asked) if not text.isascii()),
    }


def test_more_groups_than_are_compared_are_all_given() -> None:
    chance = Random(1)
    asked = [("".join(chance.choices("abcdefghij", k=9)), "en") for _ in range(700)]
    assert sum(map(len, group_questions(asked, load_bundled()))) == 700
