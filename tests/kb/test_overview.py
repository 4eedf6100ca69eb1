from dataclasses import asdict

import pytest

import kb
from kb.check import UNTRAINED
from kb.evaluate import Labelled
from kb.overview import NOT_SIMULATED, THRESHOLDS, Overview, look_over

QUERIES = [Labelled(f"how do I return a product {n}", "returns") for n in range(6)]
STRANGE = [Labelled("where is the moon", "moon"), Labelled("why", "", answerable=False)]


@pytest.fixture(scope="module")
def simulated(shop_index: kb.Index) -> Overview:
    return look_over(shop_index, threshold=0.55, seed=3)


def test_without_questions_visitors_are_simulated(simulated: Overview) -> None:
    assert not simulated.asking.own
    assert simulated.asking.count > 100
    assert sum(asdict(simulated.shares).values()) == pytest.approx(1)
    answered = simulated.shares.right + simulated.shares.wrong + simulated.shares.stranger
    assert simulated.at.answered == pytest.approx(answered)
    assert [one.threshold for one in simulated.steps] == sorted({*THRESHOLDS, 0.55})


def test_languages_are_counted(simulated: Overview) -> None:
    assert [name for name, _, _ in simulated.languages] == ["en", "es", "he"]
    assert sum(count for _, count, _ in simulated.languages) == simulated.entries


def test_the_same_seed_gives_the_same_overview(simulated: Overview, shop_index: kb.Index) -> None:
    assert look_over(shop_index, threshold=0.55, seed=3) == simulated


def test_own_questions_are_counted_as_they_are(shop_index: kb.Index) -> None:
    view = look_over(shop_index, threshold=0.55, queries=[*QUERIES, *STRANGE])
    assert view.asking.own
    assert (view.asking.count, view.asking.strange) == (8, 1)
    assert view.asking.out_of_scope == 0.25
    assert [one.entry_id for one in view.fates] == ["returns"]


def test_marks_correct_the_confidence_and_are_not_counted(shop_index: kb.Index) -> None:
    wrong = [Labelled(f"how do I return a product {n}", "payment") for n in range(40)]
    bold = look_over(shop_index, threshold=0.55, queries=wrong)
    view = look_over(shop_index, threshold=0.55, queries=wrong, marks=30)
    assert (view.asking.count, view.asking.marks) == (10, 30)
    assert view.ece < bold.ece - 0.2


def test_marks_that_leave_no_question_are_refused(shop_index: kb.Index) -> None:
    with pytest.raises(ValueError, match="only 6 questions, and 6 are marked"):
        look_over(shop_index, threshold=0.55, queries=QUERIES, marks=6)


def test_advice_keeps_wrong_answers_few(simulated: Overview) -> None:
    assert simulated.advice is None or simulated.advice.wrong <= 0.06


def test_a_trained_index_without_its_trainer_is_not_simulated(wise_index: kb.Index) -> None:
    view = look_over(wise_index, threshold=0.55)
    assert view.notes == (NOT_SIMULATED, UNTRAINED)
    assert view.asking.count == 0
    assert view.report.risks


def test_progress_names_each_step(shop_index: kb.Index) -> None:
    told: list[str] = []
    look_over(
        shop_index, threshold=0.55, queries=QUERIES, progress=lambda step, _: told.append(step)
    )
    assert list(dict.fromkeys(told)) == [
        "asking your questions",
        "reading",
        "asking",
        "holding out",
    ]
