import pytest

import kb
from kb.bench import Bench, make_bench
from kb.embed import Embedding
from kb.find import Clue, Finder, starts_of
from kb.head import LIMIT
from kb.vectors import PROMISING
from models.head.trainer import SoftmaxTrainer

ENTRIES = (
    kb.Entry("parcel", "en", "Where is my parcel?", "A",
             ("when will my package arrive", "track the delivery")),
    kb.Entry("refund", "en", "Can I have my money back?", "A",
             ("I want a refund", "return the product")),
    kb.Entry("hours", "en", "When are you open?", "A",
             ("opening hours of the shop", "do you open on sundays")),
    kb.Entry("letters", "en", "Ωμέγα ψυχή", "A", ("λόγος φως", "Ωμέγα φως")),
)  # fmt: skip
STRANGERS = ["who won the war", "how far is the moon", "tell me a joke", "what is love"]


@pytest.fixture(scope="module")
def bench(embedding: Embedding) -> Bench:
    return make_bench(ENTRIES, STRANGERS, embedding, SoftmaxTrainer())


@pytest.fixture(scope="module")
def finder(bench: Bench) -> Finder:
    return bench.finder(range(len(bench.texts)), STRANGERS)


def clues(finder: Finder, question: str) -> dict[int, Clue]:
    _, found = finder.find(question)
    return {clue.unit: clue for clue in found}


def test_words_find_without_any_other_sense(finder: Finder) -> None:
    found = clues(Finder(finder.ranker), "where is the parcel")
    assert found[0].signals[0] > 0
    assert found[0].signals[2:] == (0.0, 0.0, 0.0, 0.0)


def test_meaning_finds_what_shares_no_word(finder: Finder) -> None:
    by_meaning = clues(Finder(finder.ranker, finder.meaning), "reembolso")
    assert clues(Finder(finder.ranker), "reembolso") == {}
    assert max(by_meaning, key=lambda unit: by_meaning[unit].signals[3]) == 1
    assert by_meaning[1].signals[:2] == (0.0, 0.0)


def test_the_head_judges_candidates_and_puts_none_forward(finder: Finder) -> None:
    deaf = Finder(finder.ranker, None, finder.judgement)
    assert clues(deaf, "zzz") == {}
    assert any(clue.signals[4] for clue in clues(deaf, "refund").values())


def test_the_meaning_is_the_mean_of_the_three_nearest_and_the_nearest(
    finder: Finder, embedding: Embedding
) -> None:
    vector, meaning = embedding.vector(["delivery"]), finder.meaning
    assert vector is not None
    assert meaning is not None
    cosines = sorted(meaning.vectors.cosine(vector, row) for row in range(3))
    own = clues(finder, "delivery")[0].signals
    assert own[2] == pytest.approx(sum(cosines) / 3)
    assert own[3] == pytest.approx(cosines[-1])


def test_a_units_far_phrasings_count_too_when_only_some_are_near(embedding: Embedding) -> None:
    things = ("lamp", "table", "river", "doctor", "guitar", "cheese", "window", "horse", "money",
              "garden", "letter", "summer", "engine", "teacher", "pillow", "forest")  # fmt: skip
    mixed = zip(things, things[5:] + things[:5], things[10:] + things[:10], strict=True)
    many = [kb.Entry(a, "en", f"the {a}", "A", (f"{b} price", f"old {c}")) for a, b, c in mixed]
    bench = make_bench([*ENTRIES[:3], *many], [], embedding, None)
    finder = bench.finder(range(len(bench.texts)), [])
    vector, meaning = embedding.vector(["lamp"]), finder.meaning
    assert vector is not None
    assert meaning is not None
    assert len(meaning.vectors) > PROMISING
    for unit, own in clues(finder, "lamp").items():
        rows = range(meaning.starts[unit], meaning.starts[unit + 1])
        cosines = [meaning.vectors.cosine(vector, row) for row in rows]
        assert own.signals[2:4] == pytest.approx((sum(cosines) / 3, max(cosines)))


def test_the_phrasing_is_the_one_that_is_nearest(finder: Finder) -> None:
    found = clues(finder, "cuándo llega mi paquete")
    assert found[0].phrasing == 1


def test_words_name_the_phrasing_when_they_are_nearer(finder: Finder) -> None:
    assert clues(Finder(finder.ranker), "track the delivery")[0].phrasing == 2


def test_a_unit_without_a_known_token_is_found_by_its_words(finder: Finder) -> None:
    found = clues(finder, "refund Ωμέγα")
    assert found[3].signals[0] > 0
    assert found[3].signals[2:4] == (0.0, 0.0)


def test_a_question_without_a_known_token_has_no_meaning(finder: Finder) -> None:
    found = clues(Finder(finder.ranker, finder.meaning), "Ωμέγα")
    assert set(found) == {3}
    assert found[3].signals[2:4] == (0.0, 0.0)


def test_a_question_without_words_has_no_candidate(finder: Finder) -> None:
    assert clues(finder, "?!") == {}


@pytest.mark.parametrize("question", ["where is my parcel", "refund", "the moon", "λόγος", "?!"])
def test_every_signal_is_within_its_bounds(finder: Finder, question: str) -> None:
    for clue in clues(finder, question).values():
        *closeness, odds, lead = clue.signals
        assert all(-1 <= value <= 1 + 1e-6 for value in closeness)
        assert -LIMIT / 4 <= odds <= LIMIT / 4
        assert -LIMIT / 4 <= lead <= 0


def test_exactly_the_favourite_leads_by_nothing(finder: Finder) -> None:
    leads = [clue.signals[5] for clue in clues(finder, "I want a refund").values()]
    assert leads.count(0.0) == 1
    assert clues(finder, "I want a refund")[1].signals[5] == 0.0


def test_a_phrasing_that_is_kept_back_is_not_found(bench: Bench) -> None:
    kept = [n for n, text in enumerate(bench.texts) if "refund" not in text]
    found = clues(bench.finder(kept, STRANGERS), "I want a refund")
    assert found[1].signals[1] < 0.9


def test_a_head_is_not_trained_on_entries_with_hardly_a_variant(embedding: Embedding) -> None:
    bare = [kb.Entry(entry.id, "en", entry.question, "A") for entry in ENTRIES]
    bench = make_bench(bare, STRANGERS, embedding, SoftmaxTrainer())
    assert bench.finder(range(4), STRANGERS).judgement is None


def test_a_head_is_not_trained_on_one_entry(embedding: Embedding) -> None:
    bench = make_bench(ENTRIES[:1], STRANGERS, embedding, SoftmaxTrainer())
    assert bench.finder(range(3), STRANGERS).judgement is None


def test_a_stranger_that_an_entry_could_be_meant_by_is_none(bench: Bench) -> None:
    asked = ["where is my package", "quiero un reembolso", "how far is the moon", "?!"]
    assert bench.strangers(asked, 0.5) == ["how far is the moon", "?!"]


def test_without_meanings_every_background_text_is_a_stranger() -> None:
    assert make_bench(ENTRIES, [], None, None).strangers(["my parcel"]) == ["my parcel"]


def test_a_small_knowledge_base_is_not_drowned_in_strangers(embedding: Embedding) -> None:
    many = [f"everyday question {number}" for number in range(1_000)]
    bench = make_bench(ENTRIES, many, embedding, None)
    assert len(bench.common) == 120
    assert make_bench(ENTRIES, many, embedding, None).common == bench.common


def test_rows_start_where_the_unit_before_ends() -> None:
    assert starts_of([0, 0, 2], 4) == [0, 2, 2, 3, 3]
    assert starts_of([], 0) == [0]
