"""The labelled turns, and the weights that were fitted on them."""

from collections import Counter

import pytest

from core.confidence import FITTED, Closeness, Fitted, Scorer
from core.confidence.measure import figures
from core.confidence.turns import LabelledTurn
from kb.bundled import load_bundled
from models.confidence.fit import committed_turns, fit, report, unseen, written

TURNS = committed_turns()


@pytest.fixture(scope="module")
def signals() -> list[dict[str, float]]:
    scorer = Scorer(Closeness(load_bundled()), Fitted(0.0, {}))
    return [scorer.signals(turn.question, turn.passages, turn.reply) for turn in TURNS]


def test_the_turns_are_many_of_three_languages_and_both_labels() -> None:
    locales = Counter(turn.locale for turn in TURNS)
    assert len(TURNS) >= 300
    assert min(locales[name] for name in ("en", "es", "he")) >= 80
    assert 0.3 < sum(turn.right for turn in TURNS) / len(TURNS) < 0.6
    keys = [(turn.site, turn.question, turn.reply) for turn in TURNS]
    assert len(set(keys)) == len(keys)


def test_the_committed_weights_are_those_of_the_committed_turns(
    signals: list[dict[str, float]],
) -> None:
    again = fit(signals, [turn.right for turn in TURNS])
    assert again.weights == pytest.approx(FITTED.weights, abs=0.02)
    assert again.bias == pytest.approx(FITTED.bias, abs=0.02)


def test_replies_of_unseen_sites_are_told_apart(signals: list[dict[str, float]]) -> None:
    confidences = unseen(TURNS, signals)
    judged = [(sure, turn.right) for sure, turn in zip(confidences, TURNS, strict=True)]
    found = figures(judged)
    assert found.auroc is not None
    assert found.auroc > 0.85
    assert found.ece < 0.1
    told = report(TURNS, confidences)
    assert set(told["by_locale"]) == {"en", "es", "he"}
    assert told["n"] == len(TURNS)


def test_what_is_written_can_be_read_again() -> None:
    fitted = Fitted(-1.5, {"close": 2.0})
    scope: dict[str, object] = {}
    exec(written(fitted), scope)  # noqa: S102 - what the fit writes is what is tested
    assert scope["FITTED"] == fitted


def test_a_signal_that_would_count_the_other_way_is_held_at_nothing() -> None:
    turns = [LabelledTurn("q", (), "r", right=at % 2 == 0) for at in range(8)]
    names = dict.fromkeys(FITTED.weights, 0.0)
    signals = [{**names, "copied": float(not turn.right)} for turn in turns]
    assert fit(signals, [turn.right for turn in turns]).weights["copied"] == 0.0
