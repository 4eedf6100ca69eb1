from math import exp, inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.choice import SIGNALS, Choice, Prior, Signals, Situation, fit_choice, logit
from kb.evidence import HEARINGS, SILENT, USUAL, Hearing, entries, fit_hearings, situation, weigh
from kb.find import Clue

signal = st.floats(0, 1)
signals = st.tuples(*[signal] * len(SIGNALS))
situations = st.lists(
    st.builds(
        lambda candidates, right, weight: Situation(
            candidates, right if right is not None and right < len(candidates) else None, weight
        ),
        st.lists(signals, max_size=4),
        st.none() | st.integers(0, 3),
        st.floats(0, 5),
    ),
    max_size=12,
)
PRIOR = USUAL["all"]


@given(st.lists(st.tuples(*[st.floats(-50, 50)] * len(SIGNALS)), max_size=8), st.floats(-30, 30))
def test_probabilities_sum_to_at_most_one_with_none(candidates: list[Signals], none: float) -> None:
    choice = Choice((4.0, 2.0, 4.0, 2.0, 1.0, 1.0), none)
    found = choice.probabilities(candidates)
    assert len(found) == len(candidates)
    assert all(0 <= one <= 1 for one in found)
    assert sum(found) <= 1 + 1e-9


def test_what_is_missing_to_one_is_none_of_them() -> None:
    choice = Choice((1.0,), 2.0)
    assert choice.probabilities([(3.0,)]) == [pytest.approx(exp(3) / (exp(3) + exp(2)))]


def test_without_situations_the_prior_stands() -> None:
    for hearing in HEARINGS:
        assert fit_choice([], USUAL[hearing]) == USUAL[hearing].choice


def test_fitted_weights_recover_a_known_conditional_logit() -> None:
    rng = Random(3)
    truth = Choice((3.0, 2.0, 4.0, 1.5, 1.0, 2.0), 6.0)
    drawn = []
    for _ in range(1500):
        candidates = [tuple(rng.random() for _ in SIGNALS) for _ in range(4)]
        shares = truth.probabilities(candidates)
        right = rng.choices(range(5), [*shares, 1 - sum(shares)])[0]
        drawn.append(Situation(candidates, right if right < 4 else None, 1.0))
    fitted = fit_choice(drawn, PRIOR)
    assert fitted.weights == pytest.approx(truth.weights, abs=0.6)
    assert fitted.none == pytest.approx(truth.none, abs=0.6)


@given(situations)
def test_weights_are_never_negative(seen: list[Situation]) -> None:
    assert min(fit_choice(seen, PRIOR).weights) >= 0


def slopes(seen: list[Situation], fitted: Choice, prior: Prior) -> tuple[list[float], float]:
    """Give the log posterior's slope along each weight, "none of them" last, and what rounding to
    three decimals may make of a slope of 0."""
    values = (*fitted.weights, fitted.none)
    centre = (*prior.choice.weights, prior.choice.none)
    found = [(c - v) / s**2 for v, c, s in zip(values, centre, prior.spread, strict=True)]
    for one in seen:
        shares = fitted.probabilities(one.candidates)
        columns = [*one.candidates, SILENT]
        spread = [*shares, 1 - sum(shares)]
        right = len(shares) if one.right is None else one.right
        for at in range(len(SIGNALS)):
            mean = sum(share * row[at] for share, row in zip(spread, columns, strict=True))
            found[at] += one.weight * (columns[right][at] - mean)
        found[-1] += one.weight * ((one.right is None) - spread[-1])
    # No covariance of two numbers in [0, 1] is over 1/4.
    bend = len(values) * sum(one.weight for one in seen) / 4 + max(s**-2 for s in prior.spread)
    return found, 0.0005 * bend + 1e-4


@given(situations)
def test_no_weight_could_be_better(seen: list[Situation]) -> None:
    """Karush, Kuhn and Tucker: no slope is left, save one that points below 0 from there."""
    fitted = fit_choice(seen, PRIOR)
    found, rounded = slopes(seen, fitted, PRIOR)
    for value, slope in zip((*fitted.weights, inf), found, strict=True):
        assert slope <= rounded
        assert slope >= -rounded or value == 0


def against_one_signal() -> list[Situation]:
    """Visitors who mean what has the words, and the less the nearer its nearest phrasing is."""
    rng = Random(7)
    drawn = []
    for _ in range(600):
        candidates = []
        for _ in range(4):
            words = rng.random()
            near = min(1.0, max(0.0, words + rng.uniform(-0.3, 0.3)))
            candidates.append((words, near, *[rng.random() for _ in SIGNALS[2:]]))
        shares = Choice((12.0, -8.0, *[1.0] * len(SIGNALS[2:])), 4.0).probabilities(candidates)
        right = rng.choices(range(5), [*shares, 1 - sum(shares)])[0]
        drawn.append(Situation(candidates, right if right < 4 else None, 1.0))
    return drawn


def test_beside_a_signal_that_wants_to_count_against_the_others_are_at_their_best() -> None:
    seen = against_one_signal()
    fitted = fit_choice(seen, PRIOR)
    found, rounded = slopes(seen, fitted, PRIOR)
    assert fitted.weights[1] == 0
    assert found[1] < -10
    assert found[:1] + found[2:] == pytest.approx([0.0] * len(SIGNALS), abs=rounded)
    # Beside a weight of -8 the words would be worth 12; at 0 it takes most of that away.
    assert 2 < fitted.weights[0] < 5


def test_a_fit_stands_whatever_it_started_from() -> None:
    """From the usual weights and from far off: it converges, and does not run out of rounds."""
    seen = against_one_signal()
    wide = (1000.0,) * len(PRIOR.spread)
    near = fit_choice(seen, Prior(PRIOR.choice, wide))
    far = fit_choice(seen, Prior(Choice((30.0,) * len(SIGNALS), -20.0), wide))
    assert far.weights == pytest.approx(near.weights, abs=0.02)
    assert far.none == pytest.approx(near.none, abs=0.02)


def test_a_signal_that_misleads_ends_at_zero() -> None:
    low, high = (0.1,) * 6, (0.1, 0.1, 0.9, 0.1, 0.1, 0.1)
    seen = [Situation([high, low], 1, 20.0)] * 20
    assert fit_choice(seen, PRIOR).weights[2] == 0


@given(situations)
def test_unheard_signals_stay_at_zero(seen: list[Situation]) -> None:
    fitted = fit_hearings(seen)
    assert fitted["words"].weights[2:4] == (0.0, 0.0)
    meaning = fitted["meaning"].weights
    assert meaning[:2] + meaning[4:] == (0.0,) * 4


def test_a_little_evidence_moves_the_weights_a_little() -> None:
    seen = [Situation([(0.0,) * 6], 0, 0.01)]
    fitted = fit_choice(seen, PRIOR)
    assert fitted.none == pytest.approx(PRIOR.choice.none, abs=0.2)


def test_many_strangers_make_none_worth_more() -> None:
    seen = [Situation([(0.6,) * 6], None, 5.0)] * 20
    assert fit_choice(seen, PRIOR).none > PRIOR.choice.none


def test_a_narrow_prior_holds_the_weights() -> None:
    seen = [Situation([(0.6,) * 6], None, 5.0)] * 20
    narrow = Prior(PRIOR.choice, (0.001,) * 7)
    assert fit_choice(seen, narrow).none == pytest.approx(PRIOR.choice.none, abs=0.01)


@given(st.floats(0, 1))
def test_the_logit_is_finite_and_odd(probability: float) -> None:
    assert logit(probability) == pytest.approx(-logit(1 - probability), abs=1e-6)


def clue(unit: int, value: float) -> Clue:
    return Clue(unit, (value,) * 6, 0)


def test_the_loudest_translation_stands_for_its_entry() -> None:
    found = entries([clue(0, 0.2), clue(1, 0.8), clue(2, 0.5)], ["a", "a", "b"], PRIOR.choice)
    assert [one.unit for one in found] == [1, 2]


def test_of_two_as_loud_the_first_stands() -> None:
    assert [
        one.unit for one in entries([clue(1, 0.5), clue(0, 0.5)], ["a", "a"], PRIOR.choice)
    ] == [0]


def test_an_entry_that_nothing_found_is_none_of_the_candidates() -> None:
    clues, ids = [clue(0, 0.9), clue(1, 0.1)], ["a", "b", "c"]
    assert situation(clues, ids, "b").right == 1
    assert situation(clues, ids, "c").right is None
    assert situation(clues, ids, None).right is None


@pytest.mark.parametrize(("hearing", "first"), [("all", "b"), ("words", "a"), ("meaning", "b")])
def test_only_what_is_heard_decides(hearing: Hearing, first: str) -> None:
    by_words = Clue(0, (0.6, 0.6, 0.0, 0.0, 0.0, 0.0), 0)
    by_meaning = Clue(1, (0.0, 0.0, 0.9, 0.9, 0.0, 0.0), 0)
    ids = ["a", "b"]
    found = weigh([by_words, by_meaning], ids, USUAL[hearing].choice, hearing)
    assert ids[found[0].clue.unit] == first
    assert found[0].probability >= found[1].probability
