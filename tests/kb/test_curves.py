from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.curves import (
    Point,
    Shown,
    at_threshold,
    boldest_for,
    calibration_error,
    reliability,
    risk_coverage,
)
from kb.evaluate import expected_calibration_error

FOUR: list[Shown] = [(0.9, True, 1.0), (0.8, True, 1.0), (0.8, False, 1.0), (0.2, False, 1.0)]
questions = st.lists(
    st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.1, 3)), min_size=1, max_size=60
)


def test_a_threshold_answers_what_reaches_it() -> None:
    assert at_threshold(FOUR, 0.8) == Point(0.8, 0.75, 1 / 3)
    assert at_threshold(FOUR, 0.95) == Point(0.95, 0.0, 0.0)
    assert at_threshold([], 0.5) == Point(0.5, 0.0, 0.0)


def test_a_question_counts_as_much_as_it_weighs() -> None:
    shown = [(0.9, True, 3.0), (0.9, False, 1.0), (0.1, False, 4.0)]
    assert at_threshold(shown, 0.5) == Point(0.5, 0.5, 0.25)


def test_the_curve_has_a_point_for_each_confidence() -> None:
    curve = risk_coverage(FOUR)
    assert [(one.threshold, one.answered) for one in curve] == [(0.9, 0.25), (0.8, 0.75), (0.2, 1)]
    assert curve[0].wrong == 0
    assert risk_coverage([]) == ()


@given(questions)
def test_each_point_of_the_curve_is_what_its_threshold_gives(shown: list[Shown]) -> None:
    curve = risk_coverage(shown)
    assert [one.threshold for one in curve] == sorted({one[0] for one in shown}, reverse=True)
    for point in curve:
        there = at_threshold(shown, point.threshold)
        assert (point.answered, point.wrong) == pytest.approx((there.answered, there.wrong))


def test_the_boldest_threshold_answers_most_with_few_wrong() -> None:
    assert boldest_for(FOUR, 0.1) == Point(0.9, 0.25, 0.0)
    assert boldest_for(FOUR, 0.5) == Point(0.2, 1.0, 0.5)
    assert boldest_for([(0.9, False, 1.0)], 0.1) is None


@given(questions)
def test_bins_hold_every_question_once_and_their_share_lies_in_its_range(
    shown: list[Shown],
) -> None:
    bins = reliability(shown)
    assert sum(one.count for one in bins) == len(shown)
    for one in bins:
        assert one.start - 1e-9 <= one.confidence <= one.start + 0.1 + 1e-9
        assert 0 <= one.low <= one.right + 1e-9
        assert one.right - 1e-9 <= one.high <= 1


def test_more_questions_narrow_the_range() -> None:
    few, many = (reliability([(0.5, bool(n % 2), 1.0) for n in range(size)]) for size in (4, 400))
    assert many[0].high - many[0].low < (few[0].high - few[0].low) / 2
    # Wilson, 1927: 2 of 4 is anything from .15 to .85.
    assert (few[0].low, few[0].high) == pytest.approx((0.15, 0.85), abs=0.005)


def test_with_equal_weights_the_error_is_the_evaluations() -> None:
    rng = Random(1)
    shown = [(rng.random(), rng.random() < 0.4, 0.25) for _ in range(137)]
    expected = expected_calibration_error([(sure, right) for sure, right, _ in shown])
    assert calibration_error(shown) == pytest.approx(expected)
    assert calibration_error([]) == 0
