"""Sliding windows: never more than the limit in a minute, no long waits, bounded memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, strategies

from core.model_routing.windows import MOST, PART_S, WINDOW_S, Windows

START = 1_790_000_001.5


def admitted(windows: Windows, times: list[float], limit: int) -> list[float]:
    return [at for at in times if windows.take("somebody", limit, at) is None]


@given(
    gaps=strategies.lists(strategies.floats(0, 70), min_size=1, max_size=120),
    limit=strategies.integers(1, 12),
)
def test_no_minute_has_more_turns_than_the_limit(gaps: list[float], limit: int) -> None:
    times = [START + sum(gaps[:at]) for at in range(1, len(gaps) + 1)]
    let_in = admitted(Windows(), times, limit)
    for at in let_in:
        assert sum(at - WINDOW_S < other <= at for other in let_in) <= limit


@given(
    gaps=strategies.lists(strategies.floats(0, 20), min_size=1, max_size=80),
    limit=strategies.integers(1, 5),
)
def test_nobody_waits_longer_than_said_nor_five_seconds_too_long(
    gaps: list[float], limit: int
) -> None:
    windows, let_in, now = Windows(), list[float](), START
    for gap in gaps:
        now += gap
        limited = windows.take("somebody", limit, now)
        if limited is None:
            let_in.append(now)
            continue
        recent = [at for at in let_in if at > now - WINDOW_S - PART_S]
        assert len(recent) >= limit
        exact = sorted(recent)[-limit] + WINDOW_S
        assert exact <= now + limited.after_s + 1e-5
        assert now + limited.after_s <= exact + PART_S + 1e-5
        assert windows.look("somebody", limit, now + limited.after_s + 1e-5) is None


def test_whose_limit_it_is_is_told() -> None:
    windows = Windows(limit=3)
    assert windows.take("a", 2, START) is None
    assert windows.take("a", 2, START) is None
    own = windows.take("a", 2, START)
    assert own is not None
    assert (own.whose, own.limit) == ("subject", 2)
    assert own.after_s == pytest.approx(63.5)
    assert windows.take("b", 2, START) is None
    everybody = windows.take("c", 2, START)
    assert everybody is not None
    assert (everybody.whose, everybody.limit) == ("everybody", 3)


def test_one_who_has_to_wait_is_not_counted() -> None:
    windows = Windows()
    for _ in range(50):
        windows.take("a", 1, START)
    assert windows.take("a", 1, START + WINDOW_S + PART_S) is None


def test_zero_is_no_limit_and_remembers_nobody() -> None:
    windows = Windows()
    assert all(windows.take(at, 0, START) is None for at in range(1_000))
    assert len(windows) == 0


def test_a_look_counts_nothing() -> None:
    windows = Windows(limit=1)
    assert all(windows.look("a", 1, START) is None for _ in range(9))
    assert windows.take("a", 1, START) is None
    assert windows.look("a", 1, START) is not None


def test_a_clock_that_goes_back_lets_nobody_in_twice() -> None:
    windows = Windows()
    assert windows.take("a", 1, START) is None
    assert windows.take("a", 1, START - 3_600) is not None


def test_the_longest_unseen_is_forgotten_first() -> None:
    windows = Windows(most=2)
    windows.take("a", 1, START)
    windows.take("b", 1, START + 1)
    windows.take("a", 2, START + 2)
    windows.take("c", 1, START + 3)
    assert len(windows) == 2
    assert windows.look("a", 1, START + 4) is not None
    assert windows.look("b", 1, START + 4) is None


def test_memory_is_bounded_however_many_subjects_come_and_whatever_their_names() -> None:
    """A subject takes 240 bytes at most, and there are never more than `MOST`."""
    tracemalloc.start()
    try:
        windows = Windows()
        for number in range(MOST + 1_000):
            windows.take(f"{number}-" + "x" * 300, 60, START + number / 10_000)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(windows) == MOST
    assert taken < 240 * MOST
