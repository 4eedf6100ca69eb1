"""Proof of work: what solves a challenge, and what a client refuses to do."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pow import MAX_DIFFICULTY, MAX_SOLUTION, is_solution, leading_zero_bits, solve


@pytest.mark.parametrize(
    ("digest", "bits"),
    [(b"\xff", 0), (b"\x7f", 1), (b"\x00\x01", 15), (b"\x00\x00", 16), (b"\x00\x80\x00", 8)],
)
def test_leading_zero_bits_are_counted(digest: bytes, bits: int) -> None:
    assert leading_zero_bits(digest) == bits


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.integers(0, 8))
def test_a_solution_solves(challenge: str, difficulty: int) -> None:
    solution = solve(challenge, difficulty)
    digest = hashlib.sha256(f"{challenge}:{solution}".encode()).digest()
    assert is_solution(challenge, solution, difficulty)
    assert f"{int.from_bytes(digest):0256b}".startswith("0" * difficulty)
    assert not any(is_solution(challenge, str(n), difficulty) for n in range(int(solution)))


def test_a_solution_holds_for_its_challenge_alone() -> None:
    solution = solve("one", 12)
    assert is_solution("one", solution, 12)
    assert not is_solution("two", solution, 12)
    assert not is_solution("one", solution, 64)


@pytest.mark.parametrize(
    "solution",
    ["", " ", "-1", "+1", "1.0", "0x1", "1e3", "²", "١", "1\n", "a", "9" * (MAX_SOLUTION + 1)],
)
def test_only_short_decimal_text_is_a_solution(solution: str) -> None:
    assert not is_solution("challenge", solution, 0)


def test_the_longest_solution_is_still_one() -> None:
    assert is_solution("challenge", "9" * MAX_SOLUTION, 0)


def test_a_client_refuses_more_work_than_the_cap() -> None:
    with pytest.raises(ValueError, match=f"above {MAX_DIFFICULTY}"):
        solve("challenge", MAX_DIFFICULTY + 1)
