import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.calibrate import Correction
from kb.choice import SIGNALS
from kb.embed import load_embedding
from kb.explain import explain
from kb.normalise import words
from tests.small_embedding import small_embedding

EMBEDDING = load_embedding(small_embedding())
ENTRIES = (
    kb.Entry("open", "en", "When are you open?", "At nine.", ("your opening hours",)),
    kb.Entry("open", "es", "¿Cuándo abrís?", "A las nueve."),
    kb.Entry("return", "en", "How do I return an order?", "By mail.", ("refund", "send it back")),
    kb.Entry("cost", "en", "What does it cost?", "Ten.", ("refund",)),
)
DATA = kb.build_index(ENTRIES, embedding=EMBEDDING)
HEARING = kb.load_index(DATA, EMBEDDING)
DEAF = kb.load_index(DATA)
QUESTIONS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(["how", "do", "return", "refund", "open", "it", "abrís", "מה"])).map(
        " ".join
    ),
    st.sampled_from([text for entry in ENTRIES for text in (entry.question, *entry.variants)]),
)


@given(
    QUESTIONS,
    st.sampled_from([None, "en", "es", "de-AT"]),
    st.sampled_from([HEARING, DEAF, HEARING.corrected(Correction(-0.7, 0.8))]),
)
def test_any_question_is_explained_as_it_is_searched(
    question: str, locale: str | None, index: kb.Index
) -> None:
    found = explain(index, question, locale=locale)
    hits = index.search(question, locale=locale)
    assert found.hits == hits
    assert [one.hit.confidence for one in found.candidates] == pytest.approx(
        [hit.confidence for hit in hits], abs=1e-9
    )
    assert len(found.words) + len(found.dropped) >= len(words(question))


@given(QUESTIONS)
def test_contributions_lead_to_the_probability(question: str) -> None:
    found = explain(HEARING, question, limit=50)
    choice = HEARING.choices[found.hearing]
    for one in found.candidates:
        assert [signal.name for signal in one.signals] == list(SIGNALS)
        assert one.utility == pytest.approx(sum(s.contribution for s in one.signals))
    values = [[s.value * s.heard for s in one.signals] for one in found.candidates]
    shares = choice.probabilities([tuple(own) for own in values])
    if not any(one.is_exact for one in found.candidates):
        asked_for = [one.probability - one.spoken for one in found.candidates]
        assert asked_for == pytest.approx(shares)
        spoken = sum(one.spoken for one in found.candidates)
        assert found.none_probability == pytest.approx(1 - sum(shares) - spoken)


def test_an_exact_match_is_noted_and_shares_its_confidence() -> None:
    found = explain(HEARING, "Refund!")
    assert {one.hit.entry.id for one in found.candidates if one.is_exact} == {"return", "cost"}
    assert found.candidates[0].hit.confidence == pytest.approx(0.97 / 2)
    assert found.candidates[0].phrasing == "refund"


def test_the_nearest_phrasing_and_its_shared_stems_are_given() -> None:
    first = explain(HEARING, "tell me your opening times").candidates[0]
    assert first.hit.entry.id == "open"
    assert first.phrasing == "your opening hours"
    assert {"your", "open"} <= set(first.shared)
    assert first.matched == ENTRIES[0]


def test_words_are_shown_as_they_are_compared() -> None:
    found = explain(HEARING, "What's https://a.example/b the REFUNDS zzz?")
    told = [(word.text, word.stem, word.known, word.everyday) for word in found.words]
    assert told == [
        ("what", "what", True, True),
        ("url", "url", False, False),
        ("the", "the", False, True),
        ("refunds", "refund", True, False),
        ("zzz", "zzz", False, False),
    ]
    assert found.dropped == ("s", "https", "a", "example", "b")
    assert found.words[0].pieces == ("▁what",)
    assert found.words[4].pieces == ("▁", "z", "z", "z")


def test_a_misspelt_word_stands_for_the_nearest_known_ones() -> None:
    word = explain(HEARING, "reefund").words[0]
    assert not word.known
    assert "refund" in word.stands_for


@pytest.mark.parametrize(
    ("index", "question", "hearing", "heard"),
    [
        (HEARING, "how do I get a refund", "all", SIGNALS),
        (DEAF, "how do I get a refund", "words", ("words", "word_best", "odds", "lead")),
        (HEARING, "כמה זה עולה", "meaning", ("meaning", "meaning_best")),
    ],
)
def test_what_is_not_heard_adds_nothing(
    index: kb.Index, question: str, hearing: str, heard: tuple[str, ...]
) -> None:
    found = explain(index, question)
    assert found.hearing == hearing
    for one in found.candidates:
        assert tuple(s.name for s in one.signals if s.heard) == heard
        assert all(s.contribution == 0 for s in one.signals if not s.heard)


def test_without_an_embedding_no_token_is_shown() -> None:
    assert all(word.pieces == () for word in explain(DEAF, "what is it").words)


def test_the_correction_is_told_beside_the_probability_before_it() -> None:
    shy = HEARING.corrected(Correction(-2.0, 1.0))
    plain, found = (
        explain(index, "how to return things").candidates[0] for index in (HEARING, shy)
    )
    assert found.probability == plain.probability
    assert found.hit.confidence < plain.hit.confidence
    assert explain(shy, "return").shift == -2.0


def test_an_empty_index_explains_too() -> None:
    found = explain(kb.load_index(kb.build_index([])), "anything")
    assert found.candidates == ()
    assert found.none_probability == 1
