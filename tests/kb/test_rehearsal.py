import pytest

import kb
from kb.bench import Bench, make_bench
from kb.build import background
from kb.curves import risk_coverage
from kb.evaluate import Labelled
from kb.rehearsal import (
    Confusion,
    Ended,
    Fate,
    ask,
    confusions,
    fates,
    rehearse,
    strangers_answered,
    what_becomes,
)


def ended(
    expected: str | None, first: str | None, sure: float, text: str = "q", weight: float = 0.1
) -> Ended:
    return Ended(text, expected, first, sure, weight)


MIXED = [
    ended("a", "a", 0.9),
    ended("a", "a", 0.2),
    ended("a", "b", 0.8, "x"),
    ended("a", "b", 0.9, "y"),
    ended("b", "a", 0.1),
    ended("b", None, 0.0),
    ended(None, "a", 0.7, "s"),
    ended(None, "a", 0.8, "s"),
    ended(None, "b", 0.1),
    ended("c", "c", 0.6),
]


@pytest.fixture(scope="module")
def bench(shop_index: kb.Index) -> Bench:
    return make_bench(shop_index.entries, background(["en", "es", "he"]), None, None)


@pytest.fixture(scope="module")
def rehearsed(shop_index: kb.Index, bench: Bench) -> tuple[Ended, ...]:
    return rehearse(shop_index, bench, seed=1, out_of_scope=0.4)


def test_what_becomes_of_questions_adds_up() -> None:
    shares = what_becomes(MIXED, 0.55)
    assert (shares.right, shares.wrong, shares.stranger) == pytest.approx((0.2, 0.2, 0.2))
    assert (shares.offered, shares.vain) == (0, 0)
    assert (shares.helped, shares.asked) == pytest.approx((0.1, 0.3))


def test_what_is_asked_back_goes_to_no_person() -> None:
    near = tuple(
        kb.Hit(kb.Entry(name, "en", name, "."), sure, sure, ())
        for name, sure in (("a", 0.4), ("b", 0.3))
    )
    back = [Ended("q", expected, "a", 0.4, 0.25, near) for expected in ("a", "b", "c", None)]
    shares = what_becomes(back, 0.55)
    assert (shares.offered, shares.vain) == pytest.approx((0.5, 0.5))
    assert what_becomes(back, 0.75).asked == pytest.approx(0.75)
    assert what_becomes(back, 0.75).helped == pytest.approx(0.25)


def test_pairs_that_are_mixed_up_come_with_their_surest_examples() -> None:
    assert confusions(MIXED, 0.55) == (
        Confusion("a", "b", 2, 2, ("y", "x")),
        Confusion("b", "a", 1, 0, ("q",)),
    )


def test_an_entrys_questions_end_right_wrong_or_with_a_person() -> None:
    found = fates(MIXED, 0.55)
    assert found == (Fate("b", 2, 0, 0, 2), Fate("a", 4, 1, 2, 1), Fate("c", 1, 1, 0, 0))
    assert [one.risk for one in found] == [1, 0.75, 0]


def test_questions_without_an_answer_that_got_one_are_listed_once() -> None:
    assert [(one.text, one.confidence) for one in strangers_answered(MIXED, 0.55)] == [("s", 0.8)]


def test_simulated_questions_weigh_what_was_declared(rehearsed: tuple[Ended, ...]) -> None:
    assert sum(one.weight for one in rehearsed) == pytest.approx(1)
    outside = sum(one.weight for one in rehearsed if one.expected is None)
    assert outside == pytest.approx(0.4)
    assert risk_coverage([one.shown for one in rehearsed])[-1].answered == pytest.approx(1)


def test_the_same_seed_asks_the_same_and_another_others(
    shop_index: kb.Index, bench: Bench, rehearsed: tuple[Ended, ...]
) -> None:
    assert rehearse(shop_index, bench, seed=1, out_of_scope=0.4) == rehearsed
    assert rehearse(shop_index, bench, seed=2, out_of_scope=0.4) != rehearsed


def test_an_entry_that_is_hidden_is_never_right(rehearsed: tuple[Ended, ...]) -> None:
    assert all(not one.right for one in rehearsed if one.expected is None)
    assert any(one.right for one in rehearsed)


def test_own_questions_are_right_when_their_entry_comes_first(shop_index: kb.Index) -> None:
    queries = [
        Labelled("how do I return a product", "returns"),
        Labelled("how do I return a product", "payment"),
        Labelled("how do I return a product", "no such entry"),
        Labelled("who painted the sistine chapel", "", answerable=False),
    ]
    found = ask(shop_index, queries)
    assert [one.right for one in found] == [True, False, False, False]
    assert [one.expected for one in found] == ["returns", "payment", None, None]
    assert {one.weight for one in found} == {0.25}
