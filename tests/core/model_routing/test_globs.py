"""Patterns of names: what they take in, and what two lists have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model_routing.globs import common, covers, is_glob, matches, matches_any

PATTERNS = st.text("ab*?/", max_size=5)
NAMES = st.text("ab/", max_size=5)
LISTS = st.lists(PATTERNS, max_size=3)


@pytest.mark.parametrize(
    ("pattern", "name", "taken"),
    [
        ("*", "", True),
        ("openai/*", "openai/gpt", True),
        ("openai/*", "openaix/gpt", False),
        ("gpt-?", "gpt-4", True),
        ("gpt-?", "gpt-4o", False),
        ("a[bc]", "ab", False),
        ("a[bc]", "a[bc]", True),
        ("A", "a", False),
        ("a.c", "abc", False),
        ("*", "two\nlines", True),
    ],
)
def test_only_stars_and_question_marks_are_wild(pattern: str, name: str, taken: bool) -> None:
    assert matches(pattern, name) is taken


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("*", "a*b?", True),
        ("a*", "ab*", True),
        ("ab*", "a*", False),
        ("a?", "ab", True),
        ("a?", "a*", False),
        ("a*b", "a*b*b", True),
        ("", "", True),
        ("", "*", False),
    ],
)
def test_a_pattern_covers_another(wide: str, narrow: str, covered: bool) -> None:
    assert covers(wide, narrow) is covered


@given(PATTERNS, PATTERNS, NAMES)
def test_what_is_covered_is_taken_in_too(wide: str, narrow: str, name: str) -> None:
    if covers(wide, narrow) and matches(narrow, name):
        assert matches(wide, name)


@given(LISTS, LISTS, NAMES)
def test_what_is_common_is_never_more_than_either(
    ours: list[str], theirs: list[str], name: str
) -> None:
    if matches_any(common(ours, theirs), [name]):
        assert matches_any(ours, [name])
        assert matches_any(theirs, [name])


@given(LISTS)
def test_a_list_below_everything_stays_as_it_is(ours: list[str]) -> None:
    assert common(ours, ["*"]) == tuple(dict.fromkeys(ours))


def test_a_name_is_no_glob() -> None:
    assert [is_glob(text) for text in ("kb.search", "kb.*", "kb.?", "kb.[a]")] == [
        False, True, True, True,
    ]  # fmt: skip
