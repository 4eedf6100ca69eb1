"""The circuit breaker: it opens after failures in a row, tries one call, and closes again."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, strategies

from core.breaker import Breaker, Rule

RULE = Rule(failures=3, rest_s=1.0, longest_s=4.0)


@dataclass
class Time:
    """A clock that is set by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def opened(time: Time) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(time, RULE)
    for _ in range(RULE.failures):
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(Time(), RULE)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert (breaker.state, breaker.allows()) == ("closed", True)
    assert (opened(Time()).state, opened(Time()).allows()) == ("open", False)


def test_after_a_rest_one_call_is_tried_and_success_closes_it() -> None:
    time = Time()
    breaker = opened(time)
    time.now += RULE.rest_s
    assert str(breaker.state) == "half_open"
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert (str(breaker.state), breaker.allows()) == ("closed", True)
    breaker.failed()
    assert str(breaker.state) == "closed"


def test_a_trial_that_fails_makes_the_rest_longer_up_to_a_bound() -> None:
    time = Time()
    breaker = opened(time)
    rests = []
    for _ in range(4):
        rest = 0.0
        while not breaker.allows():
            time.now += 0.5
            rest += 0.5
        rests.append(rest)
        breaker.failed()
    assert rests == [1.0, 2.0, 4.0, 4.0]


def test_a_trial_that_is_never_told_of_is_followed_by_another() -> None:
    time = Time()
    breaker = opened(time)
    time.now += RULE.rest_s
    assert breaker.allows()
    time.now += RULE.rest_s
    assert breaker.allows()


def test_failures_of_calls_under_way_when_it_opened_lengthen_nothing() -> None:
    time = Time()
    breaker = opened(time)
    for _ in range(50):
        breaker.failed()
    time.now += RULE.rest_s
    assert breaker.allows()


@given(
    strategies.lists(strategies.sampled_from(["succeeded", "failed", "wait", "ask"]), max_size=60)
)
def test_it_never_shuts_anyone_out_for_longer_than_its_longest_rest(steps: list[str]) -> None:
    time = Time()
    breaker = Breaker(time, RULE)
    for step in steps:
        if step == "wait":
            time.now += 0.7
        elif step == "ask":
            breaker.allows()
        else:
            getattr(breaker, step)()
    time.now += RULE.longest_s
    assert breaker.allows()
