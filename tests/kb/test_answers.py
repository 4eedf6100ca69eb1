"""Entries that are found by what their answers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.answers import LONGEST, USUAL, Answers, fit_answers, make_answers
from kb.embed import Embedding
from kb.normalise import words
from kb.search import Hit
from kb.wording import Wording

RETURNS = (
    "You can send any item back within 30 days of delivery. **Print the label** from your account. "
    "Refunds reach your card after 5 days."
)
ENTRIES = (
    kb.Entry("returns", "en", "Returns", RETURNS),
    kb.Entry(
        "shipping", "en", "Shipping", "Parcels leave every working day. Express costs 9 euros."
    ),
    kb.Entry("hours", "en", "Opening hours", "On holidays we are closed. The door is on the left."),
    kb.Entry("hours", "es", "Horario", "Los festivos cerramos. La puerta está a la izquierda."),
    kb.Entry("none", "en", "Nothing to say", "🙂"),
)


def told(hit: Hit) -> str:
    assert hit.sentence is not None
    return hit.entry.answer[slice(*hit.sentence)]


@pytest.fixture(scope="module")
def index(embedding: Embedding) -> kb.Index:
    return kb.load_index(kb.build_index(ENTRIES, embedding=embedding), embedding)


@pytest.mark.parametrize(
    ("question", "entry", "sentence"),
    [
        ("when does the refund reach my card?", "returns", "Refunds reach your card after 5 days."),
        ("where do I print a label", "returns", "**Print the label** from your account."),
        ("are you closed on holidays?", "hours", "On holidays we are closed."),
        ("¿está la puerta a la izquierda?", "hours", "La puerta está a la izquierda."),
    ],
)
def test_an_answer_is_found_by_one_of_its_sentences(
    index: kb.Index, question: str, entry: str, sentence: str
) -> None:
    first = index.search(question)[0]
    assert first.entry.id == entry
    assert first.reasons == ("passage",)
    assert told(first) == sentence
    assert first.confidence > 0.3


def test_a_translation_is_shown_without_a_sentence_of_the_other(embedding: Embedding) -> None:
    entries = (
        kb.Entry("hours", "en", "Opening hours", "On holidays we are closed."),
        kb.Entry("hours", "es", "Horario", "Preguntad por correo."),
    )
    index = kb.load_index(kb.build_index(entries, embedding=embedding), embedding)
    hits = index.search("12 closed holidays", locale="es")
    assert hits[0].entry.locale == "es"
    assert hits[0].sentence is None


def test_a_phrasing_goes_before_a_passage(index: kb.Index) -> None:
    first = index.search("Shipping")[0]
    assert first.reasons[0] == "exact"
    assert first.sentence is None


def test_without_the_embedding_the_answers_are_left_aside(embedding: Embedding) -> None:
    data = kb.build_index(ENTRIES, embedding=embedding)
    blind = kb.load_index(data)
    assert blind.answers is None
    hits = blind.search("when does the refund reach my card?")
    assert all("passage" not in hit.reasons for hit in hits)


def test_an_index_built_without_one_knows_the_answers_by_their_words() -> None:
    index = kb.load_index(kb.build_index(ENTRIES))
    first = index.search("where do I print the label")[0]
    assert (first.entry.id, first.reasons) == ("returns", ("passage",))
    assert first.sentence is None


def test_probabilities_stay_probabilities(index: kb.Index) -> None:
    for question in ("refund card", "label", "closed door", "parcels and labels", "zzz"):
        hits = index.search(question, limit=10)
        assert sum(hit.score for hit in hits) <= 1 + 1e-9
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@given(st.text(max_size=60))
def test_every_question_is_looked_at(index: kb.Index, question: str) -> None:
    assert index.answers is not None
    found = index.answers.look(question, across=True)
    assert sum(one.share for one in found) <= 1 + 1e-9
    for one in found:
        answer = index.entries[one.unit].answer
        if one.sentence is None:
            continue
        assert 0 <= one.sentence[0] < one.sentence[1] <= len(answer)


def test_a_long_answer_is_cut_between_its_sentences() -> None:
    answer = " ".join(f"Sentence {n} says something about parcels." for n in range(60))
    tables = make_answers([kb.Entry("long", "en", "Q", answer)], None, Wording())
    assert len(tables.units) > 1
    counts = [0] * len(tables.units)
    starts = tables.passages.sentence_starts
    for number in range(len(tables.units)):
        own = tables.spans[starts[number] : starts[number + 1]]
        counts[number] = sum(len(words(answer[a:b])) for a, b in own)
    assert max(counts) <= LONGEST
    assert sum(counts) == 60 * len(words("Sentence 1 says something about parcels."))


def test_a_sentence_longer_than_a_passage_is_one() -> None:
    tables = make_answers([kb.Entry("a", "en", "Q", "word " * 95)], None, Wording())
    assert tables.units == [0]


def test_without_a_passage_the_usual_choice_stands() -> None:
    entries = [kb.Entry("a", "en", "Q", "🙂")]
    answers = Answers(make_answers(entries, None, Wording()), None, ["a"])
    assert fit_answers(answers, entries, ["anything"], seed=0) == USUAL.choice


def test_the_fit_is_the_same_every_time(embedding: Embedding) -> None:
    first = kb.build_index(ENTRIES, embedding=embedding)
    assert kb.build_index(ENTRIES, embedding=embedding) == first
