"""The gate: when an answer is shown and when a person is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gate import DEFAULT_THRESHOLD, Verdict, judge, must_escalate
from kb import Entry, Hit


def hit(confidence: float, *, escalate: bool = False, entry_id: str = "a") -> Hit:
    entry = Entry(entry_id, "en", "A question?", "An answer.", escalate=escalate)
    return Hit(entry, confidence, confidence, ("question",))


def test_nothing_found_asks_a_person() -> None:
    assert judge(()) == Verdict(None, answers=False, escalate=True, reasons=("no_match",))
    assert judge(()).confidence == 0.0


@pytest.mark.parametrize(
    ("confidence", "always", "answers", "escalate", "reasons"),
    [
        (DEFAULT_THRESHOLD, False, True, False, ()),
        (1.0, False, True, False, ()),
        (DEFAULT_THRESHOLD - 0.001, False, False, True, ("low_confidence",)),
        (0.0, False, False, True, ("low_confidence",)),
        (0.9, True, True, True, ("always",)),
        (0.1, True, False, True, ("low_confidence",)),
    ],
)
def test_the_best_hit_is_judged(
    confidence: float, always: bool, answers: bool, escalate: bool, reasons: tuple[str, ...]
) -> None:
    best = hit(confidence, escalate=always)
    verdict = judge((best, hit(1.0, entry_id="b")))
    assert verdict == Verdict(best, answers, escalate, reasons)
    assert verdict.confidence == confidence


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_below_the_threshold_nothing_is_answered(
    confidence: float, threshold: float, always: bool
) -> None:
    verdict = judge((hit(confidence, escalate=always),), threshold)
    assert verdict.answers == (confidence >= threshold)
    assert verdict.escalate == (always or not verdict.answers)
    assert bool(verdict.reasons) == verdict.escalate


@pytest.mark.parametrize(
    ("reply", "confidence", "reasons"),
    [
        ("An answer.", 0.55, ()),
        ("An answer.", 0.54, ("low_confidence",)),
        ("", 1.0, ("empty",)),
        (" \n\t\u00a0", 1.0, ("empty",)),
        ("", 0.0, ("empty",)),
    ],
)
def test_a_finished_reply_is_not_trusted_blindly(
    reply: str, confidence: float, reasons: tuple[str, ...]
) -> None:
    assert must_escalate(reply, confidence, 0.55) == reasons
