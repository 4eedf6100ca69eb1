"""Places: a bound, and a queue that is judged by its time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from core.errors import Problem
from gateway.capacity import SEVERAL, Capacity

QUEUE_S = 0.5


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_more_than_the_bound_and_again_when_one_leaves() -> None:
    places = Capacity("turns", 2, QUEUE_S)
    with ExitStack() as held:
        held.enter_context(places.place())
        with places.place(), pytest.raises(Problem) as refusal, places.place():
            raise AssertionError("a third place")
        held.enter_context(places.place())
    assert refusal.value.status == 503
    assert int(refusal.value.headers["retry-after"]) > 0
    assert "turns" in str(refusal.value.document()["detail"])


def test_several_that_wait_long_let_no_further_one_in() -> None:
    clock = Clock()
    places = Capacity("turns", 1_000, QUEUE_S, clock)
    with ExitStack() as held:
        waiting = [held.enter_context(places.place()) for _ in range(SEVERAL)]
        clock.now += QUEUE_S
        held.enter_context(places.place())
        clock.now += 0.01
        with pytest.raises(Problem), places.place():
            raise AssertionError("one more in a long queue")
        # One is through: those that have waited long are no longer several.
        waiting[3].through()
        with places.place():
            pass
        waiting[3].through()


def test_what_waits_for_others_is_no_queue() -> None:
    clock = Clock()
    places = Capacity("turns", 1_000, QUEUE_S, clock)
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(places.place()).through()
        clock.now += 60
        held.enter_context(places.place())


def test_a_few_that_hang_shut_nobody_out() -> None:
    clock = Clock()
    places = Capacity("turns", 1_000, QUEUE_S, clock)
    with ExitStack() as held:
        for _ in range(SEVERAL - 1):
            held.enter_context(places.place())
        clock.now += 3_600
        for _ in range(100):
            with places.place():
                pass
        for _ in range(100):
            held.enter_context(places.place())


def test_whoever_leaves_without_being_through_waits_no_longer() -> None:
    clock = Clock()
    places = Capacity("turns", 1_000, QUEUE_S, clock)
    for _ in range(SEVERAL):
        with pytest.raises(RuntimeError, match="inside"), places.place():
            raise RuntimeError("refused inside")
    clock.now += 60
    with places.place():
        pass
