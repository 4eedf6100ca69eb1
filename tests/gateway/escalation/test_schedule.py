from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ports import Outcome
from gateway.escalation.schedule import ATTEMPTS_AT_S, JITTER, RETRY_AFTER_CAP_S, following
from tests.gateway.escalation.samples import DELIVERED, REJECTED

MIDDLE = 0.5


def test_ten_attempts_come_at_the_times_of_the_wire() -> None:
    waits = [following(REJECTED, made=made, now=0, fraction=MIDDLE).at for made in range(1, 10)]
    times = list(accumulate([0.0, *(wait for wait in waits if wait is not None)]))
    minute, hour = 60, 3600
    assert times == pytest.approx(
        [0, 5, 5 * minute, 30 * minute, *(h * hour for h in (2, 5, 10, 14, 20, 24))]
    )


@pytest.mark.parametrize("made", [10, 11, 99])
def test_a_delivery_fails_after_its_last_attempt(made: int) -> None:
    after = following(REJECTED, made=made, now=0, fraction=MIDDLE)
    assert (after.state, after.at) == ("failed", None)


@pytest.mark.parametrize("made", [1, 10])
def test_a_success_ends_it(made: int) -> None:
    after = following(DELIVERED, made=made, now=0, fraction=MIDDLE)
    assert (after.state, after.at) == ("delivered", None)


def test_a_target_that_wants_no_more_is_disabled() -> None:
    gone = Outcome(False, "gone", 410, disable=True)
    after = following(gone, made=1, now=0, fraction=MIDDLE)
    assert (after.state, after.at) == ("disabled", None)


@pytest.mark.parametrize(
    ("asked", "made", "wait"),
    [
        (None, 1, 5),
        (2.0, 1, 5),
        (120.0, 1, 120),
        (-5.0, 1, 5),
        (7 * 86_400.0, 1, RETRY_AFTER_CAP_S),
        (float("inf"), 1, RETRY_AFTER_CAP_S),
        (60.0, 4, 5400),
    ],
)
def test_retry_after_can_only_put_off_and_only_so_far(
    asked: float | None, made: int, wait: float
) -> None:
    busy = Outcome(False, "rejected", 503, retry_after_s=asked)
    assert following(busy, made=made, now=1000, fraction=MIDDLE).at == pytest.approx(1000 + wait)


@given(made=st.integers(1, 9), fraction=st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_its_share(made: int, fraction: float) -> None:
    before, after = list(pairwise(ATTEMPTS_AT_S))[made - 1]
    at = following(REJECTED, made=made, now=0, fraction=fraction).at
    assert at is not None
    assert abs(at - (after - before)) <= JITTER * (after - before) + 1e-9
