"""Questions that go on from the one before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.embed import Embedding
from kb.follow import READING, follow_up, leans, points

ENTRIES = (
    kb.Entry(
        "returns", "en", "How do I return a product?",
        "Send it back within 30 days. The refund takes 5 days to reach your card.",
        ("return policy", "sending a product back"),
    ),
    kb.Entry(
        "return-cost", "en", "What does returning a product cost?", "Nothing.",
        ("price of a return",),
    ),
    kb.Entry(
        "repair-cost", "en", "What does a repair cost?", "It depends.", ("price of a repair",)
    ),
    kb.Entry("workshop", "en", "Where is the workshop?", "In the harbour."),
    kb.Entry("guarantee", "en", "How long is the guarantee of a machine?", "Two years."),
)  # fmt: skip


@pytest.fixture(scope="module")
def index(embedding: Embedding) -> kb.Index:
    return kb.load_index(kb.build_index(ENTRIES, embedding=embedding), embedding)


def read_on(index: kb.Index, question: str, *history: str) -> tuple[kb.Hit, ...]:
    return follow_up(index, question, index.search(question, limit=8), history)


@pytest.mark.parametrize(
    "question",
    [
        "and how much is it?", "what about Sundays?", "how long?", "why", "is that safe?",
        "¿y cuánto cuesta?", "¿qué tal en Madrid?", "¿cómo se hace eso?",
        "וכמה זה עולה?", "מה עם שבת?", "גם בחגים?",
    ],
)  # fmt: skip
def test_a_question_that_points_or_joins_leans_on_another(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How do I return a product?",
        "¿Cómo devuelvo un producto dañado?",
        "איך מחזירים מוצר פגום",
        "",
    ],
)
def test_a_whole_question_leans_on_none(question: str) -> None:
    assert not leans(question)


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at(question: str) -> None:
    assert leans(question) in (True, False)


@pytest.mark.parametrize("question", ["Is there a warranty on lamps?", "the return of a product"])
def test_a_word_that_stands_in_any_question_points_at_nothing(question: str) -> None:
    assert not points(question)


def test_what_is_talked_about_is_the_newest_question_that_was_answered(index: kb.Index) -> None:
    history = ["Where is the workshop?", "My product broke, how do I return it?", "hm"]
    read = read_on(index, "and what does it cost?", *history)
    assert read[0].entry.id == "return-cost"


def test_of_a_long_question_before_it_the_new_one_is_still_heard(index: kb.Index) -> None:
    long = "How do I return a product? " + "please " * 200
    read = read_on(index, "and what does it cost?", long)
    assert {hit.entry.id for hit in read} >= {"return-cost"}


def test_the_talk_decides_between_two_that_fit(index: kb.Index) -> None:
    question = "and what does it cost?"
    read = read_on(index, question, "How do I return a product?")
    assert read[0].entry.id == "return-cost"
    assert read[0].reasons[0] == "follow_up"
    alone = {hit.entry.id: hit.confidence for hit in index.search(question)}
    assert read[0].confidence > alone["return-cost"]


def test_the_same_answer_comes_again_where_a_sentence_of_it_fits(index: kb.Index) -> None:
    read = read_on(index, "how long until it reaches my card?", "How do I return a product?")
    again = next(hit for hit in read if hit.entry.id == "returns")
    assert again.sentence is not None
    assert "card" in again.entry.answer[slice(*again.sentence)]


def test_what_has_nothing_to_do_with_it_is_not_answered(index: kb.Index) -> None:
    read = read_on(index, "and the weather?", "How do I return a product?")
    assert all(hit.confidence < 0.3 for hit in read)


@pytest.mark.parametrize(
    ("question", "history"),
    [
        ("Where is the workshop?", ["How do I return a product?"]),
        ("and how long?", []),
        ("and how long?", ["what is the meaning of life"]),
    ],
)
def test_it_is_not_read_so_without_something_to_lean_on(
    index: kb.Index, question: str, history: list[str]
) -> None:
    assert read_on(index, question, *history) == ()


@given(
    st.sampled_from(["and the cost?", "how long?", "why is that?", "¿y eso?", "וזה?"]),
    st.sampled_from([entry.question for entry in ENTRIES]),
)
def test_no_reading_is_surer_than_reading_so_can_be(
    index: kb.Index, question: str, before: str
) -> None:
    read = read_on(index, question, before)
    assert sum(hit.score for hit in read) <= READING + 1e-9
