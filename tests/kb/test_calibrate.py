import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.calibrate import UNCORRECTED, Correction, fit_marks, logistic
from kb.choice import logit

marks = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40)


def test_without_marks_nothing_is_corrected() -> None:
    assert fit_marks([]) == UNCORRECTED


@given(st.floats(0, 1))
def test_no_correction_gives_the_very_probability(probability: float) -> None:
    assert UNCORRECTED.apply(probability) == probability


@given(st.floats(allow_nan=False))
def test_the_logistic_is_total(value: float) -> None:
    assert 0 <= logistic(value) <= 1


def test_bold_confidences_are_lowered() -> None:
    correction = fit_marks([(0.9, at % 2 == 0) for at in range(50)])
    assert 0.4 < correction.apply(0.9) < 0.65


def test_shy_confidences_are_raised() -> None:
    assert fit_marks([(0.3, True)] * 30).apply(0.3) > 0.6


@given(marks, st.floats(0, 1), st.floats(0, 1))
def test_the_order_never_turns_around(
    given_marks: list[tuple[float, bool]], one: float, other: float
) -> None:
    correction = fit_marks(given_marks)
    low, high = sorted((one, other))
    assert correction.apply(low) <= correction.apply(high)


@given(marks)
def test_a_corrected_confidence_is_a_probability(given_marks: list[tuple[float, bool]]) -> None:
    correction = fit_marks(given_marks)
    assert all(0 <= correction.apply(value) <= 1 for value in (0.0, 0.2, 0.9, 1.0))


def test_marks_against_all_sense_flatten_but_do_not_reverse() -> None:
    reversing = [(0.95, False), (0.05, True)] * 200
    correction = fit_marks(reversing)
    assert correction.slope == pytest.approx(0.1)
    assert correction.apply(0.05) < correction.apply(0.95)


@pytest.mark.parametrize("shift", [-2.0, -1.0, 1.0])
def test_fifty_marks_recover_a_known_shift_roughly(shift: float) -> None:
    found = []
    for seed in range(20):
        rng = Random(seed)
        shown = [rng.uniform(0.05, 0.95) for _ in range(50)]
        drawn = [(p, rng.random() < logistic(shift + logit(p))) for p in shown]
        found.append(fit_marks(drawn).shift)
    assert sum(found) / len(found) == pytest.approx(shift, abs=0.4)
    assert all(math.copysign(1, one) == math.copysign(1, shift) for one in found)


def test_a_corrected_index_shows_the_corrected_probability(shop_index: kb.Index) -> None:
    question = "when does my parcel arrive"
    before = shop_index.search(question)
    correction = Correction(-1.5, 0.8)
    after = shop_index.corrected(correction).search(question)
    assert after[0].score == pytest.approx(correction.apply(before[0].score))
    assert after[0].confidence == pytest.approx(after[0].score)
    assert [hit.entry for hit in after] == [hit.entry for hit in before]
    assert shop_index.search(question) == before


@given(st.floats(-4, 4), st.floats(0.1, 3))
def test_a_correction_never_makes_the_second_surer_than_the_first(
    shop_index: kb.Index, shift: float, slope: float
) -> None:
    hits = shop_index.corrected(Correction(shift, slope)).search("return my data or parcel")
    assert len(hits) > 2
    assert all(a.score >= b.score for a, b in pairwise(hits))
    assert sum(hit.score for hit in hits) <= 1 + 1e-9


def test_the_correction_is_kept_in_the_file(shop_entries: list[kb.Entry]) -> None:
    correction = Correction(-0.5, 0.75)
    index = kb.load_index(kb.build_index(shop_entries[1:3], correction=correction))
    assert index.correction == correction


def test_correcting_what_has_no_hit_is_no_hit(shop_index: kb.Index) -> None:
    assert shop_index.corrected(Correction(1.0, 1.0)).search("?!") == ()


@pytest.mark.parametrize("variants", [0, 3])
def test_confidence_spreads_with_or_without_variants(variants: int) -> None:
    words = ("invoice", "parcel", "warranty", "password", "refund", "opening", "voucher", "colour")
    entries = [
        kb.Entry(
            word, "en", f"what should i know about the {word}", "A",
            tuple(f"{start} {word}" for start in ("my", "tell me of the", "where is a")[:variants]),
        )
        for word in words
    ]  # fmt: skip
    index = kb.load_index(kb.build_index(entries))
    known = index.search("something about a parcel")[0].confidence
    unknown = index.search("what should i know about the moon")[0].confidence
    assert unknown < 0.5 < known
