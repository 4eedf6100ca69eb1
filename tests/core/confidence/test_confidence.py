"""The confidence of a reply: what raises it, what lowers it, and how turns are read and paired."""

import json

import pytest

from core.confidence import FITTED, Closeness, Fitted, Scorer
from core.confidence.measure import auroc, figures
from core.confidence.pairing import Corpus
from core.confidence.quality import coherence
from core.confidence.refusal import only_refuses
from core.confidence.turns import BadTurns, read_turns
from kb.bundled import load_bundled

SCORER = Scorer(Closeness(load_bundled()), FITTED)
BY_WORDS = Scorer(Closeness(None), FITTED)
PASSAGES = (
    "How long does delivery take? Delivery takes two working days within the country.",
    "How do I return something? Unused items can be returned within 30 days. Print the label.",
    "May I bring my dog? Dogs are welcome. Cats are not allowed in the rooms.",
)


def sure(question: str, reply: str, passages: tuple[str, ...] = PASSAGES) -> float:
    return SCORER.look(question, passages, reply).confidence


ORDERED = {
    "a number that stands nowhere": (
        "How long does delivery take?",
        "Delivery takes two working days.",
        "Delivery takes nine working days.",
    ),
    "a number of another entry": (
        "Within how many days can I return it?",
        "Within 30 days.",
        "Within two days.",
    ),
    "the contrary": (
        "Can I bring my cat?",
        "No, cats are not allowed.",
        "Yes, cats are allowed in the rooms.",
    ),
    "another entry": (
        "How long does delivery take?",
        "Two working days within the country.",
        "Unused items can be returned within 30 days.",
    ),
    "invented": (
        "Can I bring my dog?",
        "Yes, dogs are welcome.",
        "Yes, for a fee of 40 euros paid to Mr Fox.",
    ),
    "a link that stands nowhere": (
        "How do I return something?",
        "Unused items can be returned within 30 days.",
        "Unused items can be returned at https://refund.example.",
    ),
    "doubt": (
        "Can I bring my dog?",
        "Dogs are welcome.",
        "I think perhaps dogs are welcome.",
    ),
    "across languages": (
        "¿Cuánto tarda la entrega?",
        "La entrega tarda dos días laborables.",
        "La entrega tarda nueve días laborables.",
    ),
    "in Hebrew": (
        "אפשר להביא חתול?",
        "לא, חתולים אינם מותרים בחדרים.",
        "כן, תמורת 900 שקלים ליום.",
    ),
}


@pytest.mark.parametrize("case", ORDERED)
def test_what_is_wrong_is_believed_less(case: str) -> None:
    question, right, wrong = ORDERED[case]
    assert sure(question, right) > sure(question, wrong)


@pytest.mark.parametrize("case", [case for case in ORDERED if not case.startswith(("acr", "in H"))])
def test_it_holds_by_words_alone_within_a_language(case: str) -> None:
    question, right, wrong = ORDERED[case]
    there, not_there = (BY_WORDS.look(question, PASSAGES, reply) for reply in (right, wrong))
    assert there.confidence > not_there.confidence


def test_a_short_fact_of_the_world_is_believed_more_than_an_invention_about_the_site() -> None:
    assert sure("What is the capital of France?", "The capital of France is Paris.") > 0.5
    assert sure("Do you have a pool?", "Yes, we have a pool with palms.") < 0.3
    assert sure("Tell me of a fox", "Once a fox went to a wood and saw many things there.") < 0.3


@pytest.mark.parametrize(
    "reply",
    [
        *("", "  ", "…", "I don't know.", "I'm not sure about that.", "No sé.", "אני לא יודע"),
        *("No puedo ayudar", "I have no idea. I can't answer that; a person can help you."),
    ],
)
def test_a_refusal_or_nothing_is_no_answer(reply: str) -> None:
    look = SCORER.look("How long does delivery take?", PASSAGES, reply)
    assert (look.confidence, look.quality.relevance) == (0.0, 0.0)


def test_who_says_what_he_knows_and_what_not_does_not_only_refuse() -> None:
    reply = "Delivery takes two working days within the country, from the moment that we have the \
parcel in our hands. I don't know about other countries."
    assert not only_refuses(reply)
    assert sure("How long does delivery take?", reply) > 0


def test_a_models_own_doubt_moves_the_number_within_bounds() -> None:
    def at(logprob: float | None) -> float:
        reply = "Delivery takes two working days."
        return SCORER.look("delivery?", PASSAGES, reply, logprob=logprob).confidence

    assert at(-0.01) > at(None) > at(-1.2) > 0
    assert at(-9.0) == at(-90.0)


@pytest.mark.parametrize("passages", [(), ("",), ("?",), ("x" * 5_000,)])
def test_any_passages_will_do(passages: tuple[str, ...]) -> None:
    assert 0 <= sure("What is it?", "It is 5 of them, at www.x.example.", passages) <= 1


def test_dimensions_are_shares_and_an_unsafe_reply_has_no_quality() -> None:
    look = SCORER.look("How long does delivery take?", PASSAGES, "Two working days.")
    quality = look.quality
    parts = (quality.accuracy, quality.relevance, quality.completeness, quality.coherence)
    assert all(0 <= part <= 1 for part in (*parts, quality.overall))
    assert quality.accuracy == look.confidence
    assert (quality.unsafe().safety, quality.unsafe().overall) == (0.0, 0.0)


def test_saying_it_again_and_ending_in_the_middle_is_incoherent() -> None:
    whole = "The parcel is sent today and comes to your door in two working days or so."
    assert coherence(whole) == 1.0
    assert coherence(whole[:-1] + " and then the") < 1.0
    assert coherence("so it is, so it is, so it is, so it is.") < 0.6


def test_a_probability_keeps_off_both_ends() -> None:
    fitted = Fitted(0.0, {"x": 1000.0})
    assert 0 < fitted.probability({"x": -1.0}) < 0.01
    assert 0.99 < fitted.probability({"x": 1.0}) < 1


def test_figures_say_how_it_ranks_and_what_the_threshold_means() -> None:
    judged = [(0.9, True), (0.8, True), (0.7, False), (0.2, False), (0.2, True)]
    found = figures(judged)
    assert (found.n, found.coverage, found.right) == (5, 0.6, 0.6)
    assert found.risk == pytest.approx(1 / 3)
    assert found.auroc == pytest.approx(4.5 / 6)
    assert auroc([(0.1, True)]) is None


BAD_ROWS = {
    "not JSON": ("{", "line 1"),
    "no object": ("[]", "an object"),
    "no question": ('{"passages": [], "reply": "", "right": true}', "`question`"),
    "no passages": ('{"question": "", "reply": "", "right": true}', "`passages`"),
    "a passage that is none": (
        '{"question": "", "passages": [5], "reply": "", "right": true}',
        "a passage",
    ),
    "no label": ('{"question": "", "passages": [], "reply": ""}', "`right`"),
    "a bad logprob": (
        '{"question": "", "passages": [], "reply": "", "right": 1, "logprob": "x"}',
        "`logprob`",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_row_that_will_not_do_is_named(case: str) -> None:
    line, named = BAD_ROWS[case]
    with pytest.raises(BadTurns, match=f"^turns, line 1: .*{named}|^turns, {named}"):
        read_turns([line], "turns")


def test_passages_are_texts_or_entries() -> None:
    row = {
        "question": "q",
        "passages": ["a", {"text": "b"}, {"question": "c?", "answer": "d"}],
        "reply": "r",
        "right": 1,
    }
    (turn,) = read_turns(["", json.dumps(row)], "turns")
    assert turn.passages == ("a", "b", "c?\nd")
    assert turn.right is True


def lines(*rows: object) -> list[str]:
    return [json.dumps(row) for row in rows]


def test_questions_are_paired_with_their_answer_and_with_anothers() -> None:
    table = load_bundled()
    assert table is not None
    entries = [{"question": f"What is {x}?", "answer": f"It is {x}."} for x in ("red", "old", "up")]
    faq = Corpus(lines(*entries), "kb", table)
    asked = {"q1": "What is red?", "q2": "tell me of red", "similar": 1, "lang": "en"}
    right, wrong = faq.turns(lines(asked, {**asked, "similar": 0}), "queries")
    assert (right.reply, right.right, wrong.right) == ("It is red.", True, False)
    assert wrong.reply in {"It is old.", "It is up."}
    assert set(right.passages) == {f"{one['question']}\n{one['answer']}" for one in entries}

    passages = [{"id": f"p{at}", "text": text, "lang": "en"} for at, text in enumerate("ab")]
    corpus = Corpus(lines(*passages), "kb", table, "en")
    questions = [
        {"passage": "p0", "question": {"en": f"{x}?"}, "answer": {"en": x}} for x in ("one", "two")
    ]
    made = corpus.turns(lines(*questions, {**questions[0], "passage": "gone"}), "queries")
    assert [(turn.reply, turn.right) for turn in made] == [
        *(("one", True), ("two", False), ("two", True), ("one", False)),
    ]
    with pytest.raises(BadTurns, match="fewer than two"):
        Corpus(lines(*passages), "kb", table, "es")
    with pytest.raises(ValueError, match="'passage'"):
        corpus.turns(lines({"question": "x", "answer": "y"}), "queries")
