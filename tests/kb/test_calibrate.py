from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.calibrate import Calibration, Evidence, Sample, fit, logistic
from kb.simulate import misspell, reword, spoil

unit = st.floats(0, 1)


def test_without_evidence_the_default_stands() -> None:
    assert fit([]) == Calibration()


@given(st.floats(allow_nan=False))
def test_the_logistic_is_total(value: float) -> None:
    assert 0 <= logistic(value) <= 1


def test_a_fitted_curve_means_what_it_says() -> None:
    rng = Random(5)
    truth = Calibration((-4.0, 6.0, 5.0, 0.0))
    drawn = [Evidence(rng.random(), rng.random(), rng.random()) for _ in range(4000)]
    samples = [Sample(e, rng.random() < truth.confidence(e), 1.0) for e in drawn]
    fitted = fit(samples)
    gap = max(abs(fitted.confidence(e) - truth.confidence(e)) for e in drawn)
    assert gap < 0.08


@given(st.lists(st.tuples(unit, unit, unit, st.booleans()), max_size=40))
def test_more_score_lead_or_known_words_never_lower_confidence(
    rows: list[tuple[float, float, float, bool]],
) -> None:
    fitted = fit([Sample(Evidence(a, b, c), right, 1.0) for a, b, c, right in rows])
    base = fitted.confidence(Evidence(0.4, 0.1, 0.5))
    for more in (Evidence(0.5, 0.1, 0.5), Evidence(0.4, 0.2, 0.5), Evidence(0.4, 0.1, 0.6)):
        assert fitted.confidence(more) >= base


@given(st.lists(st.tuples(unit, unit, unit), max_size=20), st.booleans())
def test_samples_that_all_agree_do_not_make_it_certain(
    rows: list[tuple[float, float, float]], right: bool
) -> None:
    fitted = fit([Sample(Evidence(*row), right, 1000.0) for row in rows])
    assert 0 < fitted.confidence(Evidence(1, 1, 1)) < 1


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
