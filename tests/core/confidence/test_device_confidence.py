"""The confidence of a reply of a model on the device."""

import json
from dataclasses import replace

import pytest

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.device import (
    FILE,
    SIGNALS,
    BadWeights,
    DeviceScorer,
    Ground,
    Written,
    read_weights,
    signals,
)
from core.confidence.repetition import repeated
from scripts.stage_worker import ROOT

TEXT = (ROOT / "core" / FILE).read_text(encoding="utf-8")
WEIGHTS = read_weights(TEXT)
SCORER = Scorer(Closeness(None), FITTED)
PASSAGES = ["How do I return an order?\nSend it back within 30 days; the label is in the box."]
QUESTION = "how many days do I have to send it back?"
RIGHT = Written("Send it back within 30 days.", (-0.1,) * 8)


SENTENCE = "Send it back within 30 days; the label is in the box."


def sure(written: Written, retrieval: float = 0.5, speaks: float = 0.5) -> float:
    ground = Ground(PASSAGES, retrieval, speaks, SENTENCE)
    return DeviceScorer(SCORER, WEIGHTS).confidence(QUESTION, ground, written)


def test_every_signal_is_known_and_bounded() -> None:
    seen = signals(SCORER, QUESTION, Ground(PASSAGES, 0.5, 0.5, SENTENCE), RIGHT)
    assert set(seen) == SIGNALS
    assert all(-6 <= value <= 6 for value in seen.values())


def test_an_engine_without_log_probabilities_is_judged_without() -> None:
    assert 0 < sure(replace(RIGHT, logprobs=())) < 1


def test_what_says_the_same_again_is_told() -> None:
    assert repeated(["a", "b", "c", "d", "e", "f"]) == 0
    assert repeated(["no", "it", "is"] * 5) > 0.5
    assert repeated([]) == 0


def test_more_support_makes_surer() -> None:
    assert sure(RIGHT, 0.9) >= sure(RIGHT, 0.1)
    assert sure(RIGHT) > sure(replace(RIGHT, text="Pay 90 euros at the embassy of France."))


def test_what_the_sentence_that_speaks_for_the_question_says_is_pointed_at() -> None:
    pointed = signals(SCORER, QUESTION, Ground(PASSAGES, 0.5, 0.5, SENTENCE), RIGHT)["pointed"]
    elsewhere = signals(SCORER, QUESTION, Ground(PASSAGES, 0.5, 0.5, "Pay here."), RIGHT)["pointed"]
    nothing = signals(SCORER, QUESTION, Ground(PASSAGES, 0.5), RIGHT)["pointed"]
    assert pointed > elsewhere == nothing == 0


def test_a_large_models_reply_is_judged_as_any_models() -> None:
    large = replace(RIGHT, parameters=8_000_000_000)
    look = SCORER.look(QUESTION, PASSAGES, RIGHT.text, logprob=-0.1)
    assert sure(large) == sure(large, 0.1) == look.confidence


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"form": 9}', '{"form": 1, "told": 1, "untold": 1}',
        json.dumps({"form": 1, "told": {"bias": 0, "weights": []}, "untold": {}}),
        json.dumps({"form": 1, "told": {"bias": 0, "weights": {"x": 1}}, "untold": {}}),
    ],
)  # fmt: skip
def test_weights_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(BadWeights, match="weights"):
        read_weights(text)
