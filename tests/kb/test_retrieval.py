from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from kb.embed import Embedding
from kb.retrieval import (
    RANKED,
    Item,
    LabelRetriever,
    PassageRetriever,
    measure,
    read_corpus,
    read_questions,
)


class Listed:
    """A retriever whose answers are written down."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self._answers = answers

    def names(self, question: str) -> Sequence[str]:
        return self._answers[question]


def clock_of(*seconds: float) -> Callable[[], float]:
    """A clock by which the questions take so long, one after another."""

    def ticks() -> Iterator[float]:
        now = 0.0
        for took in seconds:
            yield now
            now += took
            yield now

    times = ticks()
    return lambda: next(times)


def test_passages_are_read_with_their_ids() -> None:
    lines = ['{"id": "p1", "text": "One.", "lang": "en"}', "", '{"id": "p2", "text": "Two."}']
    assert read_corpus(lines, "c", None) == ([Item("One.", "p1"), Item("Two.", "p2")], False)


def test_labelled_texts_are_read_with_their_labels() -> None:
    lines = ['{"text": "one", "label": "a", "lang": "en"}', '{"text": "dos", "label": "b"}']
    assert read_corpus(lines, "c", None) == ([Item("one", "a"), Item("dos", "b")], True)


def test_one_language_is_kept_and_rows_that_name_none() -> None:
    lines = [
        '{"id": "1", "text": "a", "lang": "en"}',
        '{"id": "2", "text": "b", "lang": "es"}',
        '{"id": "3", "text": "c"}',
    ]
    items, _ = read_corpus(lines, "c", "es")
    assert [item.name for item in items] == ["2", "3"]


def test_questions_are_read_in_both_shapes() -> None:
    lines = [
        '{"passage": "p1", "question": "why"}',
        '{"text": "how", "label": "a"}',
        '{"passage": "p2", "question": {"en": "who", "es": "quién"}}',
    ]
    found = read_questions(lines, "q", "es")
    assert found == [Item("why", "p1"), Item("how", "a"), Item("quién", "p2")]


def test_questions_without_an_answer_are_left_out() -> None:
    lines = ['{"text": "how", "label": "a", "answerable": false}']
    assert read_questions(lines, "q", None) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ('{"id": "p"}', "'text' must be there"),
        ('{"text": "a"}', "'id' must be there"),
        ('{"text": "a", "label": 3}', "'label' must be there"),
    ],
)
def test_a_bad_row_of_the_corpus_is_named_by_file_and_line(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"c\.jsonl:2: .*{reason}"):
        read_corpus(["", line], "c.jsonl", None)


@pytest.mark.parametrize(
    ("line", "language", "reason"),
    [
        ("nonsense", None, "not JSON"),
        ('{"passage": "p"}', None, "'question' \\(or 'text'\\) must be there"),
        ('{"question": "a"}', None, "'passage' must be there"),
        ('{"passage": "p", "question": {"en": "a", "es": "b"}}', None, "en, es: choose one"),
        ('{"passage": "p", "question": {"en": "a"}}', "he", "'question' .* must be there"),
    ],
)
def test_a_bad_question_is_named_by_file_and_line(
    line: str, language: str | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=rf"q\.jsonl:1: .*{reason}"):
        read_questions([line], "q.jsonl", language)


def test_each_figure_is_counted_as_it_is_defined() -> None:
    answers = {
        "first": ["x", "y"],
        "second": ["y", "x"],
        "seventh": [*"abcdef", "x"],
        "never": ["y"],
    }
    questions = [Item(text, "x") for text in answers]
    found = measure(Listed(answers), questions, clock_of(0.004, 0.001, 0.002, 0.003))
    assert found.n == 4
    assert found.hit1 == 1 / 4
    assert found.hit5 == 2 / 4
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 7) / 4)
    assert found.p50_ms == pytest.approx(3)
    assert found.p95_ms == pytest.approx(4)


def test_no_question_at_all_is_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match="check --query-lang"):
        measure(Listed({}), [], clock_of())


def test_passages_are_found_across_languages(embedding: Embedding) -> None:
    corpus = [
        Item("A parcel takes three days.", "shipping"),
        Item("You may return a product within a month.", "returns"),
    ]
    questions = [Item("devolver un producto", "returns"), Item("מתי החבילה מגיעה", "shipping")]
    ticks = count()
    found = measure(PassageRetriever(corpus, embedding), questions, lambda: next(ticks))
    assert found.hit1 == 1


def test_two_passages_of_one_name_are_one_answer(embedding: Embedding) -> None:
    corpus = [Item("the parcel", "a"), Item("my parcel", "a"), Item("parcel number", "b")]
    names = PassageRetriever(corpus, embedding).names("parcel")
    assert sorted(names) == ["a", "b"]


def test_a_label_is_found_by_its_nearest_texts(embedding: Embedding) -> None:
    corpus = [
        Item("where is my parcel", "shipping"), Item("track the package", "shipping"),
        Item("I want my money back", "refund"), Item("refund the order", "refund"),
    ]  # fmt: skip
    names = LabelRetriever(corpus, embedding).names("quiero un reembolso del pedido")
    assert list(names) == ["refund", "shipping"]


def test_a_question_without_a_known_word_has_no_label(embedding: Embedding) -> None:
    assert LabelRetriever([Item("the parcel", "a")], embedding).names("🙂") == []


def test_no_more_names_are_given_than_are_looked_at(embedding: Embedding) -> None:
    corpus = [Item(f"parcel {number}", f"n{number}") for number in range(30)]
    for retriever in (LabelRetriever(corpus, embedding), PassageRetriever(corpus, embedding)):
        assert len(retriever.names("parcel")) == RANKED
