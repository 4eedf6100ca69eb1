"""Figures of how turns were answered: what is counted of them, and how counts come together.

Decides what an operator's charts rest on: counts and sums that can be added up, so that a range is
the sum of its hours, and quantiles are those of the range. Refuses texts: a tally has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from core.messages import Source
from core.trajectory import Trajectory

BINS: Final = 10
"""How many equal bins the confidence, in [0, 1], is counted in."""

EXACT_MS: Final = 128
"""Below this many milliseconds each has a bin of its own; from here on a bin's width doubles with
each doubling of the time, so that it is never wider than 1/64 of what it holds (as in Gil Tene's
HdrHistogram)."""

LONGEST_MS: Final = 2**21
"""Thirty-five minutes: whatever took longer is counted here."""


@dataclass(frozen=True, slots=True)
class Group:
    """Turns that were answered alike; `tier` and `model` as in `Trajectory`."""

    source: Source
    tier: str | None
    model: str | None
    escalated: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """How many turns, the tokens that models read and wrote, and millionths of a US dollar."""

    turns: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.turns + other.turns,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_micros + other.cost_micros,
        )


@dataclass(frozen=True, slots=True)
class Certainty:
    """Turns of one bin of confidence: how many, the sum of their confidences, how many of them
    somebody judged later, and how many of those to be good (an outcome above 0)."""

    turns: int = 0
    confidence: float = 0.0
    judged: int = 0
    good: int = 0

    def __add__(self, other: Certainty) -> Certainty:
        return Certainty(
            self.turns + other.turns,
            self.confidence + other.confidence,
            self.judged + other.judged,
            self.good + other.good,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of some turns.

    `certainty` is by bin of confidence, 0 to `BINS` - 1; `reasons` why a person was asked, of the
    turns that were escalated; `choices` why a model was chosen. `total_ms` and `first_token_ms` are
    how many turns took how long, by the lower bound of `latency_bin`.
    """

    groups: Mapping[Group, Sums] = field(default_factory=dict)
    certainty: Mapping[int, Certainty] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)
    total_ms: Mapping[int, int] = field(default_factory=dict)
    first_token_ms: Mapping[int, int] = field(default_factory=dict)

    def sums(self) -> Sums:
        """Of all turns together."""
        return sum(self.groups.values(), Sums())


class FigureStore(Protocol):
    """Counts stored trajectories; a part of the truth. Every call may raise `Unavailable`."""

    async def tally(self, sites: tuple[str, ...], since: float, until: float) -> Tally:
        """What is counted of these sites' turns in [since, until), in Unix seconds."""

    async def answered(self, site: str, conversation_id: str) -> list[Trajectory]:
        """How each turn of a site's conversation was answered, oldest first."""


def confidence_bin(confidence: float) -> int:
    """The bin of a confidence in [0, 1]."""
    return max(0, min(BINS - 1, int(confidence * BINS)))


def latency_bin(milliseconds: float) -> int:
    """The lower bound, in milliseconds, of the bin that such a time is counted in."""
    whole = max(0, min(LONGEST_MS, int(milliseconds)))
    return whole - whole % bin_width(whole)


def bin_width(lower: int) -> int:
    """How many milliseconds the bin that begins at `lower` holds."""
    return 1 if lower < EXACT_MS else 2 ** (lower.bit_length() - EXACT_MS.bit_length() + 1)


def quantile(times: Mapping[int, int], share: float) -> float | None:
    """The time, in milliseconds, that this share of the turns in (0, 1] took at most.

    By the nearest rank, and the middle of its bin: off by 1/128 at most. None where there are none.
    """
    rank = share * sum(times.values())
    counted = 0
    for lower in sorted(times):
        counted += times[lower]
        if counted and counted >= rank:
            width = bin_width(lower)
            return float(lower) if width == 1 else lower + width / 2
    return None


def tally_of(turns: Iterable[Trajectory]) -> Tally:
    """What is counted of these turns."""
    return together(map(_one, turns))


def together(tallies: Iterable[Tally]) -> Tally:
    """One tally of all of the turns that these are of."""
    groups: dict[Group, Sums] = {}
    certainty: dict[int, Certainty] = {}
    reasons: dict[str, int] = {}
    choices: dict[str, int] = {}
    total_ms: dict[int, int] = {}
    first_token_ms: dict[int, int] = {}
    for tally in tallies:
        for group, sums in tally.groups.items():
            groups[group] = groups.get(group, Sums()) + sums
        for place, certain in tally.certainty.items():
            certainty[place] = certainty.get(place, Certainty()) + certain
        _count(reasons, tally.reasons)
        _count(choices, tally.choices)
        _count(total_ms, tally.total_ms)
        _count(first_token_ms, tally.first_token_ms)
    return Tally(groups, certainty, reasons, choices, total_ms, first_token_ms)


def _one(turn: Trajectory) -> Tally:
    group = Group(turn.source, turn.tier, turn.model, turn.escalated)
    sums = Sums(1, turn.prompt_tokens, turn.completion_tokens, turn.cost_micros)
    judged = turn.outcome is not None
    good = turn.outcome is not None and turn.outcome > 0
    certain = Certainty(1, turn.confidence, int(judged), int(good))
    first = turn.first_token_ms
    return Tally(
        {group: sums},
        {confidence_bin(turn.confidence): certain},
        dict.fromkeys(turn.reasons, 1) if turn.escalated else {},
        {turn.reason: 1} if turn.reason is not None else {},
        {latency_bin(turn.total_ms): 1},
        {latency_bin(first): 1} if first is not None else {},
    )


def _count[Key](counts: dict[Key, int], more: Mapping[Key, int]) -> None:
    for key, number in more.items():
        counts[key] = counts.get(key, 0) + number
