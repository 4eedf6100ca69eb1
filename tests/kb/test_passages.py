from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.embed import Embedding
from kb.passages import Passages, make_passages, sentences

TEXTS = (
    "We ship worldwide. A parcel takes three days. Tracking is by mail.",
    "You may return a product within a month. The money comes back to your card.",
    "The workshop opens at nine in the morning! It is closed on sundays.",
    "Our machines carry a guarantee of two years.",
)
WORDS = ("parcel", "return", "machine", "morning", "guarantee", "card")


@pytest.fixture(scope="module")
def passages(embedding: Embedding) -> Passages:
    return made(TEXTS, embedding)


def made(texts: Sequence[str], embedding: Embedding) -> Passages:
    return Passages(make_passages(map(split, texts), embedding), embedding)


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("¿cuánto tarda el paquete?", 0),
        ("quiero que me devuelvan el dinero", 1),
        ("¿a qué hora abre el taller por la mañana?", 2),
        ("garantía de las máquinas", 3),
        ("מתי החבילה מגיעה", 0),
        ("אחריות על המכונות", 3),
    ],
)
def test_a_question_in_another_language_finds_the_passage(
    passages: Passages, question: str, passage: int
) -> None:
    assert passages.search(question)[0].passage == passage


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("how many days for a parcel", "A parcel takes three days."),
        ("when is it closed", "It is closed on sundays."),
        ("¿cuándo me devuelven el dinero a la tarjeta?", "The money comes back to your card."),
    ],
)
def test_the_nearest_sentence_is_where_it_says(
    passages: Passages, question: str, sentence: str
) -> None:
    best = passages.search(question)[0]
    assert best.sentence is not None
    assert [one for text in TEXTS for one in split(text)][best.sentence] == sentence


@given(st.text(max_size=80))
def test_every_question_has_scored_passages_in_order(passages: Passages, question: str) -> None:
    found = passages.search(question, 3)
    assert len(found) <= 3
    assert len({one.passage for one in found}) == len(found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    starts = passages.tables.sentence_starts
    for one in found:
        if one.sentence is None:  # no vector: nothing tells the sentences apart
            continue
        assert starts[one.passage] <= one.sentence < starts[one.passage + 1]


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), min_size=1, max_size=4),
    st.sampled_from(WORDS),
)
def test_saying_the_asked_word_once_more_never_lowers_a_passage(
    embedding: Embedding, spoken: list[list[str]], word: str
) -> None:
    # One passage has every word, so that the vocabulary stays the same.
    rest = [" ".join(WORDS), *(" ".join(own) for own in spoken[1:])]
    first = " ".join(spoken[0])
    before = made([first, *rest], embedding)._by_words([word], across=True)
    after = made([f"{first} {word}", *rest], embedding)._by_words([word], across=True)
    assert after[0] >= before.get(0, 0.0) - 1e-12


def test_a_score_by_words_is_at_most_one(passages: Passages) -> None:
    scores = passages._by_words(["parcel", "days", "morning", "card"], across=True)
    assert all(0 < score <= 1 for score in scores.values())


def test_a_word_that_no_passage_has_takes_from_the_score(passages: Passages) -> None:
    plain = passages._by_words(["parcel"], across=True)[0]
    assert passages._by_words(["parcel", "Ωμέγα"], across=True)[0] < plain


@pytest.mark.parametrize("question", ["", "?!", "🙂"])
def test_a_question_without_a_word_finds_nothing(passages: Passages, question: str) -> None:
    assert passages.search(question) == []


def test_a_word_that_the_embedding_does_not_know_is_found_as_it_is(embedding: Embedding) -> None:
    passages = made(["plain text", "Ωμέγα appears. Here too."], embedding)
    found = passages.search("Ωμέγα")
    assert [one.passage for one in found] == [1]
    assert found[0].sentence is None


def test_no_passages_find_nothing(embedding: Embedding) -> None:
    assert made([], embedding).search("where is it") == []


def test_a_passage_without_a_word_is_still_a_passage(embedding: Embedding) -> None:
    found = made(["🙂", "the parcel"], embedding).search("parcel")
    assert found[0].passage == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One here. Two here? Three!", ["One here.", "Two here?", "Three!"]),
        ("First line\nsecond line", ["First line", "second line"]),
        ('He said "stop." Then went.', ['He said "stop."', "Then went."]),
        ("משפט אחד. משפט שני.", ["משפט אחד.", "משפט שני."]),
        ("... --- !!! word.", ["word."]),
        ("version 1.2 is out", ["version 1.2 is out"]),
        ("?!", ["?!"]),
    ],
)
def test_a_text_is_cut_into_its_sentences(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == parts


@given(st.text(max_size=60))
def test_sentences_are_in_the_text_one_after_another(text: str) -> None:
    spans = sentences(text)
    ends = [0, *(end for _, end in spans)]
    assert spans
    assert all(last <= start <= end for last, (start, end) in zip(ends, spans, strict=False))
    assert ends[-1] <= len(text)
