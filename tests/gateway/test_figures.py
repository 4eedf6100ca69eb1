"""Ranges in hours and days of a time zone, and what is remembered of them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.figures import Tally, tally_of
from core.trajectory import Trajectory
from gateway.figures import KEPT_S, MOST_SPANS, OVER_S, By, Figures, Span, document, spans
from tests.core.test_figures import answered, handed

MADRID = "Europe/Madrid"
HOUR = 3_600.0
NOW = 1_790_000_000.0


def at(text: str, zone: str = MADRID) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-12", MADRID, 24),
        ("2026-03-29", MADRID, 23),
        ("2026-10-25", MADRID, 25),
        ("2026-03-12", "Asia/Kathmandu", 24),
    ],
)
def test_a_day_has_the_hours_that_its_clocks_give_it(day: str, zone: str, hours: int) -> None:
    begins = at(f"{day}T00:00", zone)
    [one] = spans(begins, begins + hours * HOUR, "day", zone)
    assert one == Span(begins, begins + hours * HOUR)
    by_hour = spans(one.since, one.until, "hour", zone)
    assert [each.until - each.since for each in by_hour] == [HOUR] * hours


def test_a_range_that_begins_within_a_day_is_cut_at_its_end() -> None:
    found = spans(at("2026-03-12T18:30"), at("2026-03-14T06:00"), "day", MADRID)
    assert [each.until - each.since for each in found] == [5.5 * HOUR, 24 * HOUR, 6 * HOUR]


@pytest.mark.parametrize("by", ["hour", "day"])
def test_a_range_of_too_many_pieces_is_refused(by: By) -> None:
    step = HOUR if by == "hour" else 24 * HOUR
    assert len(spans(0, MOST_SPANS * step, by, "UTC")) == MOST_SPANS
    with pytest.raises(ValueError, match="pieces"):
        spans(0, MOST_SPANS * step + 1, by, "UTC")


class Counting:
    """A store of some turns that knows how often it was asked."""

    def __init__(self, *turns: Trajectory) -> None:
        self.turns = turns
        self.asked = 0

    async def tally(self, sites: tuple[str, ...], since: float, until: float) -> Tally:
        self.asked += 1
        return tally_of(turn for turn in self.turns if since <= turn.at < until)

    async def answered(self, site: str, conversation_id: str) -> list[Trajectory]:
        return []


async def test_what_is_over_is_counted_once_in_ten_minutes() -> None:
    now = [NOW]
    store = Counting(answered(1, at=NOW - 3 * HOUR), answered(2, at=NOW - 1))
    figures = Figures(store, lambda: now[0])
    pieces = [Span(NOW - 4 * HOUR, NOW - OVER_S), Span(NOW - OVER_S, NOW)]
    first = await figures.counted(("site_a",), pieces)
    assert [each.sums().turns for each in first] == [1, 1]
    assert await figures.counted(("site_a",), pieces) == first
    assert store.asked == 3
    now[0] += KEPT_S
    await figures.counted(("site_a",), pieces[:1])
    assert store.asked == 4
    await figures.counted(("site_b",), pieces[:1])
    assert store.asked == 5


def test_the_document_tells_the_whole_and_each_piece() -> None:
    turns = [
        answered(1, at=10.0, outcome=1.0),
        answered(2, at=20.0, tier="large", model="giant", cost_micros=9_000),
        answered(3, at=110.0, source="kb", tier=None, model=None, reason=None, cost_micros=0),
        handed(4, "low_confidence", "always"),
        handed(5, "low_confidence"),
    ]
    tallies = [tally_of(turns[:2]), tally_of(turns[2:])]
    told = document([Span(0, 100), Span(100, 200)], tallies)
    total = told["total"]
    assert (total["turns"], total["escalated"], total["cost_micros"]) == (5, 2, 9_300)
    assert total["answered"] == {"cloud": 2, "kb": 1}
    assert [(each["tier"], each["turns"]) for each in total["tiers"]] == [
        ("large", 1),
        ("small", 1),
    ]
    assert [each["turns"] for each in told["spans"]] == [2, 3]
    assert told["spans"][0]["from"] == "1970-01-01T00:00:00.000Z"
    assert total["total_ms"]["median"] == pytest.approx(1_000, rel=0.01)
    assert told["spans"][1]["first_token_ms"]["p95"] == pytest.approx(200, rel=0.01)
    assert [each["model"] for each in told["models"]] == ["giant", "qwen"]
    assert told["confidence"][7] == {
        "from": 0.7, "to": 0.8, "turns": 3, "mean": 0.75, "judged": 1, "good": 1,
    }  # fmt: skip
    assert told["confidence"][0]["mean"] is None
    assert told["reasons"] == [
        {"reason": "low_confidence", "turns": 2},
        {"reason": "always", "turns": 1},
    ]
    assert told["choices"] == [{"reason": "complexity", "turns": 2}]


def test_where_nobody_asked_there_is_nothing_but_noughts() -> None:
    told = document([Span(0, 100)], [Tally()])
    assert told["total"]["turns"] == 0
    assert told["total"]["total_ms"] == {"median": None, "p95": None}
    assert told["models"] == told["reasons"] == []
