"""When a target that did not take an escalation is tried again, and when it is given up.

It decides from one attempt's outcome alone and does no I/O. It refuses to be put off for longer
than `RETRY_AFTER_CAP_S` by a target, because a person is waiting for the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import DeliveryState
from core.ports import Outcome

ATTEMPTS_AT_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds from the first attempt to each one (WIRE, Escalation)."""

JITTER = 0.1
"""A gap is stretched or shrunk by up to this share, so that not all come back at once."""

RETRY_AFTER_CAP_S = 3_600.0
"""The longest that a target's Retry-After can put off the next attempt beyond the schedule."""


@dataclass(frozen=True, slots=True)
class Following:
    """What becomes of a delivery after an attempt; `at` is Unix seconds while it is pending."""

    state: DeliveryState
    at: float | None = None


def following(outcome: Outcome, *, made: int, now: float, fraction: float) -> Following:
    """What follows attempt number `made` (the first is 1), which ended at `now`.

    `fraction` in [0, 1) is the jitter's draw. A target that says it wants no more is disabled;
    after the last attempt, or one that nobody need repeat, the delivery has failed; an operator can
    send either again.
    """
    if outcome.delivered:
        return Following("delivered")
    if outcome.disable:
        return Following("disabled")
    if outcome.give_up or made >= len(ATTEMPTS_AT_S):
        return Following("failed")
    gap = ATTEMPTS_AT_S[made] - ATTEMPTS_AT_S[made - 1]
    planned = gap * (1 + JITTER * (2 * fraction - 1))
    asked = min(outcome.retry_after_s or 0.0, RETRY_AFTER_CAP_S)
    return Following("pending", now + max(planned, asked))


def rested(outcome: Outcome, now: float) -> float:
    """When a target that only asked to wait is tried again, which counts as no attempt."""
    return now + min(outcome.retry_after_s or 0.0, RETRY_AFTER_CAP_S)
