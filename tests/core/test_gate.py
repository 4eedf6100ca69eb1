"""The gate: when an answer is shown and when a person is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gate import DEFAULT_THRESHOLD, Verdict, judge, must_escalate
from kb import Entry, Hit


def hit(confidence: float, *, escalate: bool = False, entry_id: str = "a") -> Hit:
    entry = Entry(entry_id, "en", f"Question {entry_id}?", "An answer.", escalate=escalate)
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
    verdict = judge((best, hit(0.01, entry_id="b")))
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


def hits(*confidences: float) -> tuple[Hit, ...]:
    return tuple(hit(share, entry_id=f"e{at}") for at, share in enumerate(confidences))


@pytest.mark.parametrize(
    ("confidences", "choices"),
    [
        ((0.4, 0.3), 2),
        ((0.3, 0.2, 0.15, 0.14), 3),
        ((0.4, 0.2), 2),
        ((0.54, 0.01), 0),
        ((0.4, 0.14), 0),
        ((0.3, 0.24), 0),
        ((0.2, 0.15, 0.1, 0.1), 0),
        ((0.5, 0.19, 0.19), 0),
        ((0.56, 0.44), 0),
        ((0.5,), 0),
    ],
)
def test_the_visitor_is_asked_which_of_a_few_close_ones(
    confidences: tuple[float, ...], choices: int
) -> None:
    found = hits(*confidences)
    verdict = judge(found)
    assert verdict.choices == found[:choices]
    if choices:
        assert verdict.reasons == ("clarify",)
        assert not verdict.answers
        assert not verdict.escalate
        assert verdict.confidence == pytest.approx(sum(confidences[:choices]))


def test_nobody_is_asked_to_choose_between_choices_that_read_the_same() -> None:
    twins = tuple(
        Hit(Entry(name, "en", question, "An answer."), 0.45, 0.45, ())
        for name, question in (("a", "Can I get a card?"), ("b", "can i get a card"))
    )
    assert judge(twins).choices == ()


def test_who_means_none_of_them_is_not_asked_again() -> None:
    verdict = judge(hits(0.4, 0.3), may_clarify=False)
    assert verdict.choices == ()
    assert verdict.reasons == ("low_confidence",)
    assert verdict.escalate


@given(st.lists(st.floats(0, 1), max_size=5), st.floats(0, 1))
def test_whatever_is_shown_is_likely_enough(confidences: list[float], threshold: float) -> None:
    verdict = judge(hits(*sorted(confidences, reverse=True)), threshold)
    shown = verdict.answers or bool(verdict.choices)
    assert shown != verdict.escalate
    if shown:
        assert verdict.confidence >= threshold


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
