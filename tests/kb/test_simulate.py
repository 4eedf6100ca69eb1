from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.bench import Bench, make_bench
from kb.build import background
from kb.choice import Situation
from kb.features import text_key
from kb.simulate import (
    HIDDEN_PART,
    IN_SCOPE,
    OUT_OF_SCOPE,
    _effort,
    _split,
    _weigh,
    misspell,
    reword,
    shares,
    simulate,
    spoil,
)

seeds = st.integers(0, 1_000_000)
STRANGERS = background(["en"])[:40]


@pytest.fixture(scope="module")
def bench(shop_entries: list[kb.Entry]) -> Bench:
    return make_bench(shop_entries[1:], STRANGERS, None, None)


@given(st.text(), st.integers())
def test_spoiling_is_total(text: str, seed: int) -> None:
    for change in (spoil, reword):
        assert isinstance(change(text, Random(seed), ["filler"]), str)


@given(st.integers())
def test_a_spoiled_question_keeps_most_of_its_words(seed: int) -> None:
    text = "please deliver three wooden tables tomorrow"
    kept = set(spoil(text, Random(seed), ["filler"]).split()) & set(text.split())
    assert len(kept) >= 5


@given(st.integers())
def test_a_reworded_question_keeps_a_word_that_matters(seed: int) -> None:
    kept = set(reword("how long is the warranty", Random(seed), ["filler"]).split())
    assert kept & {"long", "warranty"}


@given(st.text(alphabet="abcdefg", min_size=4), st.integers())
def test_a_misspelling_changes_at_most_one_letter_in_length(word: str, seed: int) -> None:
    assert abs(len(misspell(word, Random(seed))) - len(word)) <= 1
    assert misspell("abc", Random(seed)) == "abc"


@given(seeds)
def test_hidden_entries_are_never_expected(bench: Bench, seed: int) -> None:
    kept, cases = _split(bench, STRANGERS, Random(seed), 400)
    shown = {bench.unit_ids[bench.unit_of[number]] for number in kept}
    assert shown != set(bench.unit_ids)
    assert {case.expected for case in cases if case.expected is not None} <= shown
    assert all((case.expected is None) == (case.kind in OUT_OF_SCOPE) for case in cases)


@given(seeds)
def test_hidden_entries_are_hidden_in_every_language(bench: Bench, seed: int) -> None:
    kept, cases = _split(bench, STRANGERS, Random(seed), 400)
    shown = {bench.unit_ids[bench.unit_of[number]] for number in kept}
    asked = {case.text for case in cases if case.kind == "hidden"}
    owners = {bench.unit_ids[unit] for unit, text in _located(bench) if text in asked}
    assert asked
    assert owners.isdisjoint(shown)


@given(seeds)
def test_a_phrasing_that_is_asked_is_not_one_that_is_known(bench: Bench, seed: int) -> None:
    kept, cases = _split(bench, STRANGERS, Random(seed), 400)
    known = {bench.texts[number] for number in kept}
    assert known.isdisjoint(case.text for case in cases if case.kind == "clean")


@given(seeds)
def test_every_unit_that_is_not_hidden_keeps_a_phrasing(bench: Bench, seed: int) -> None:
    kept, _ = _split(bench, STRANGERS, Random(seed), 400)
    shown = {bench.unit_ids[bench.unit_of[number]] for number in kept}
    units = {unit for unit, entry in enumerate(bench.unit_ids) if entry in shown}
    assert {bench.unit_of[number] for number in kept} == units


def test_each_kind_of_question_is_sampled(bench: Bench) -> None:
    _, cases = _split(bench, STRANGERS, Random(1), 3)
    counts = [sum(case.kind == kind for case in cases) for kind in (*IN_SCOPE, *OUT_OF_SCOPE)]
    assert max(counts) == 3


def test_one_entry_alone_is_not_hidden() -> None:
    alone = make_bench(
        [kb.Entry("a", "en", "where are you", "A", ("your address",))], [], None, None
    )
    kept, cases = _split(alone, [], Random(1), 400)
    assert kept
    assert all(case.kind != "hidden" for case in cases)


def test_without_background_a_filler_is_still_there() -> None:
    plain = make_bench(
        [kb.Entry(n, "en", f"where is the {n}", "A") for n in "abcd"], [], None, None
    )
    found = simulate(plain, [], seed=1, out_of_scope=0.25)
    assert found


@pytest.mark.parametrize("share", [0.05, 0.25, 0.9])
def test_situations_out_of_scope_have_the_declared_share(share: float) -> None:
    seen = {
        "clean": _situations(0.1, 7), "reworded": _situations(0.2, 3),
        "hidden": _situations(0.3, 4), "background": _situations(0.4, 11),
    }  # fmt: skip
    weights = dict.fromkeys((0.1, 0.2, 0.3, 0.4), 0.0)
    for one in _weigh(seen, 30.0, share):
        weights[one.candidates[0][0]] += one.weight
    assert weights[0.1] == pytest.approx(weights[0.2])
    assert weights[0.1] + weights[0.2] == pytest.approx(30 * (1 - share))
    assert weights[0.3] == pytest.approx(30 * share * HIDDEN_PART)
    assert weights[0.3] + weights[0.4] == pytest.approx(30 * share)


@pytest.mark.parametrize("alone", OUT_OF_SCOPE)
def test_a_kind_that_is_alone_has_the_whole_share(alone: str) -> None:
    assert shares({"clean", alone}, 0.25) == pytest.approx({"clean": 0.75, alone: 0.25})


def test_all_situations_weigh_what_the_knowledge_base_is_worth(bench: Bench) -> None:
    found = simulate(bench, STRANGERS, seed=1, out_of_scope=0.25)
    expected = 2.0 * len(bench.unit_ids) + 0.5 * len(bench.texts)
    assert sum(one.weight for one in found) == pytest.approx(expected)


def test_what_the_site_answers_is_no_stranger(bench: Bench) -> None:
    own = [text.upper() for text in bench.texts]
    assert {text_key(text) for text in own} == {text_key(text) for text in bench.texts}
    with_own = simulate(bench, [*STRANGERS, *own], seed=1, out_of_scope=0.25)
    assert with_own == simulate(bench, STRANGERS, seed=1, out_of_scope=0.25)


def test_the_same_seed_asks_the_same(bench: Bench) -> None:
    first, second, other = (
        simulate(bench, STRANGERS, seed=seed, out_of_scope=0.25) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_progress_is_told_in_order(bench: Bench) -> None:
    told: list[float] = []
    simulate(bench, STRANGERS, seed=1, out_of_scope=0.25, progress=told.append)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] < 1


def test_large_knowledge_bases_get_fewer_rounds_of_more_questions() -> None:
    (few, small), (fewer, more), (fewest, most) = map(_effort, (1, 100_000, 10_000_000))
    assert few > fewer > fewest
    assert small < more < most


def _located(bench: Bench) -> list[tuple[int, str]]:
    return list(zip(bench.unit_of, bench.texts, strict=True))


def _situations(mark: float, count: int) -> list[Situation]:
    return [Situation([(mark,)], 0, 1.0)] * count
