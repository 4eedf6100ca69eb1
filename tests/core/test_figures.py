"""Tallies: what is counted, how counts come together, and how near a quantile is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures import (
    BINS,
    LONGEST_MS,
    Certainty,
    Group,
    Sums,
    Tally,
    bin_width,
    confidence_bin,
    latency_bin,
    quantile,
    tally_of,
    together,
)
from core.trajectory import Trajectory

MODEL = Group("cloud", "small", "qwen", escalated=False)
HANDED = Group("kb", None, None, escalated=True)


def answered(number: int, **changed: object) -> Trajectory:
    told: dict[str, object] = {
        "turn_id": f"t_{number}",
        "conversation_id": "c_1",
        "at": float(number),
        "request_sha256": "",
        "reply_sha256": "",
        "source": "cloud",
        "confidence": 0.75,
        "escalated": False,
        "reasons": (),
        "channel": "web",
        "locale": "en",
        "total_ms": 1_000.0,
        "tier": "small",
        "model": "qwen",
        "reason": "complexity",
        "cost_micros": 300,
        "prompt_tokens": 90,
        "completion_tokens": 10,
        "first_token_ms": 200.0,
        **changed,
    }
    return Trajectory(**told)  # type: ignore[arg-type]


def handed(number: int, *reasons: str, confidence: float = 0.2) -> Trajectory:
    unasked = {"tier": None, "model": None, "reason": None, "first_token_ms": None}
    counted = {"cost_micros": 0, "prompt_tokens": 0, "completion_tokens": 0}
    given = {"source": "kb", "escalated": True, "reasons": reasons, "confidence": confidence}
    return answered(number, **unasked, **counted, **given)


def test_turns_are_counted_by_how_they_were_answered() -> None:
    turns = [
        answered(1, outcome=1.0),
        answered(2, outcome=-1.0, confidence=0.72),
        handed(3, "low_confidence", "always"),
        handed(4, "low_confidence"),
    ]
    tally = tally_of(turns)
    assert tally.groups == {MODEL: Sums(2, 180, 20, 600), HANDED: Sums(2)}
    assert tally.certainty == {7: Certainty(2, 1.47, 2, 1), 2: Certainty(2, 0.4)}
    assert tally.reasons == {"low_confidence": 2, "always": 1}
    assert tally.choices == {"complexity": 2}
    assert tally.total_ms == {1_000: 4}
    assert tally.first_token_ms == {latency_bin(200): 2}
    assert tally.sums() == Sums(4, 180, 20, 600)


def test_why_a_turn_was_nearly_escalated_is_no_reason() -> None:
    assert tally_of([answered(1, reasons=("clarify",))]).reasons == {}


def test_an_outcome_of_nothing_said_is_judged_and_not_good() -> None:
    assert tally_of([answered(1, outcome=0.0)]).certainty[7] == Certainty(1, 0.75, 1, 0)


def test_a_range_is_the_sum_of_its_pieces() -> None:
    turns = [answered(1), handed(2, "empty"), answered(3, tier="large"), handed(4, "empty")]
    assert together([tally_of(turns[:1]), tally_of(turns[1:])]) == tally_of(turns)
    assert together([]) == Tally()


@pytest.mark.parametrize(
    ("confidence", "place"), [(0.0, 0), (0.0999, 0), (0.1, 1), (0.95, 9), (1.0, BINS - 1)]
)
def test_confidence_has_ten_bins(confidence: float, place: int) -> None:
    assert confidence_bin(confidence) == place


@given(st.floats(0, LONGEST_MS - 1))
def test_a_bin_holds_its_time_and_is_narrow(milliseconds: float) -> None:
    lower = latency_bin(milliseconds)
    assert lower <= milliseconds < lower + bin_width(lower)
    assert bin_width(lower) == 1 or bin_width(lower) <= lower / 64


@given(st.lists(st.floats(0, 600_000), min_size=1, max_size=80), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_off_by_less_than_a_percent(times: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for each in times:
        counts[latency_bin(each)] = counts.get(latency_bin(each), 0) + 1
    exact = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]
    found = quantile(counts, share)
    assert found is not None
    assert abs(found - exact) <= max(1, exact / 100)


def test_where_nothing_was_timed_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
