"""A long conversation in a few of its lines."""

from math import sqrt

from core.prompting.budget import estimate
from core.prompting.distil import LINE_TOKENS, Line, distil

TALK = [
    Line("user", "Good morning"),
    Line("assistant", "Hello, how can I help?"),
    Line("user", "My kettle arrived with a broken lid"),
    Line("assistant", "Sorry; send a photo and we ship a new one on Monday"),
    Line("user", "Also I moved to Elm Street"),
    Line("assistant", "Noted"),
    Line("user", "Do you sell tea?"),
    Line("assistant", "We do, from four growers"),
]


def letters(text: str) -> list[float] | None:
    """A vector of which letters a text has: enough to see what meaning does."""
    counts = [float(text.lower().count(chr(97 + at))) for at in range(26)]
    length = sqrt(sum(count * count for count in counts))
    return [count / length for count in counts] if length else None


def test_what_bears_on_the_question_stays_in_the_order_it_was_said() -> None:
    kept = distil(TALK, "What about the broken kettle?", 40)
    numbers = [line.number for line in kept]
    assert {2, 3} <= set(numbers)
    assert numbers == sorted(numbers)
    assert "user: My kettle arrived with a broken lid" in [line.shown for line in kept]


def test_the_budget_is_kept_to() -> None:
    for budget in (0, 7, 8, 20, 60, 1000):
        kept = distil(TALK, "kettle", budget, embed=letters)
        assert sum(estimate(line.shown) + 1 for line in kept) <= budget


def test_what_is_said_twice_stays_once() -> None:
    said = [Line("user", "where is my kettle"), *TALK, Line("user", "Where is my kettle??")]
    kept = distil(said, "kettle", 1000, embed=letters)
    assert sum("here is my kettle" in line.shown for line in kept) == 1


def test_a_long_line_is_cut_and_says_so() -> None:
    (kept,) = distil([Line("user", "kettle " * 400)], "kettle", 500)
    assert estimate(kept.shown) <= LINE_TOKENS
    assert not kept.whole


def test_a_talk_of_nothing_is_nothing() -> None:
    assert distil([], "kettle", 100) == ()
    assert distil([Line("user", " "), Line("user", "?!")], "", 100, embed=letters)[-1].number == 1
