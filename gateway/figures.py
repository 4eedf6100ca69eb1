"""Figures for operators: a range cut into hours or days, each counted, and put together.

It decides where an hour or a day begins (on the clocks of the time zone that was asked for, so that
a day has 23, 24 or 25 hours), and that what is over for a while is counted once in ten minutes: an
outcome may still come. It refuses ranges of more pieces than `MOST_SPANS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from core.encoding import timestamp
from core.figures import (
    BINS,
    Certainty,
    FigureStore,
    Group,
    Sums,
    Tally,
    quantile,
    together,
)
from core.ports import Clock
from gateway.days import zone_of

By = Literal["hour", "day"]

MOST_SPANS: Final = 200
"""Eight days of hours, or half a year of days."""

MOST_KEPT: Final = 2_000
"""Counted pieces that are remembered: ten sites' ninety days, and room for hours."""

KEPT_S: Final = 600.0
OVER_S: Final = 3_600.0
"""A piece is over once it ended this long ago; a turn may be stored late."""

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a range: from `since` on and before `until`, in Unix seconds."""

    since: float
    until: float


def spans(since: float, until: float, by: By, zone: str) -> list[Span]:
    """The hours or days of a time zone (IANA's name) from `since` on and before `until`.

    The first and the last one are as long as the range lets them be. Raises `ValueError` where they
    are more than `MOST_SPANS`.
    """
    found: list[Span] = []
    start = since
    while start < until:
        if len(found) == MOST_SPANS:
            raise ValueError(f"more than {MOST_SPANS} pieces")
        end = min(_next(start, by, zone), until)
        found.append(Span(start, end))
        start = end
    return found


def _next(at: float, by: By, zone: str) -> float:
    """When the next hour or day begins."""
    if by == "hour":
        # Half and quarter hours of a zone are those of its offset, which `at` has.
        local = datetime.fromtimestamp(at, zone_of(zone))
        into = local.minute * 60 + local.second + local.microsecond / 1e6
        return at - into + 3600.0
    day = datetime.fromtimestamp(at, zone_of(zone)).date() + timedelta(days=1)
    begins = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone))
    return begins.timestamp()


class Figures:
    """Counts ranges of turns over a store, and remembers what was counted."""

    def __init__(self, store: FigureStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: dict[tuple[tuple[str, ...], Span], tuple[float, Tally]] = {}

    async def counted(self, sites: tuple[str, ...], pieces: Sequence[Span]) -> list[Tally]:
        """What is counted of the sites' turns, piece by piece; raises `Unavailable`."""
        return [await self._counted(sites, piece) for piece in pieces]

    async def _counted(self, sites: tuple[str, ...], piece: Span) -> Tally:
        now = self._clock()
        at, kept = self._kept.get((sites, piece), (0.0, None))
        if kept is not None and now - at < KEPT_S:
            return kept
        tally = await self._store.tally(sites, piece.since, piece.until)
        if piece.until <= now - OVER_S:
            self._keep((sites, piece), (now, tally))
        return tally

    def _keep(self, key: tuple[tuple[str, ...], Span], value: tuple[float, Tally]) -> None:
        self._kept.pop(key, None)
        self._kept[key] = value
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]


def document(pieces: Sequence[Span], tallies: Sequence[Tally]) -> Document:
    """The figures as the console reads them: of the whole range, and of each piece."""
    whole = together(tallies)
    return {
        "total": _summary(whole),
        "spans": [
            {"from": timestamp(piece.since), "to": timestamp(piece.until), **_summary(tally)}
            for piece, tally in zip(pieces, tallies, strict=True)
        ],
        "models": _models(whole),
        "confidence": [_bin(place, whole) for place in range(BINS)],
        "reasons": _ranked(whole.reasons),
        "choices": _ranked(whole.choices),
    }


def _summary(tally: Tally) -> Document:
    sums = tally.sums()
    handed = sum(sums.turns for group, sums in tally.groups.items() if group.escalated)
    return {
        "turns": sums.turns,
        "escalated": handed,
        "prompt_tokens": sums.prompt_tokens,
        "completion_tokens": sums.completion_tokens,
        "cost_micros": sums.cost_micros,
        "answered": _answered(tally.groups),
        "tiers": _tiers(tally.groups),
        "total_ms": _times(tally.total_ms),
        "first_token_ms": _times(tally.first_token_ms),
    }


def _answered(groups: Mapping[Group, Sums]) -> dict[str, int]:
    """How many turns each source answered without a person."""
    answered: dict[str, int] = {}
    for group, sums in groups.items():
        if not group.escalated:
            answered[group.source] = answered.get(group.source, 0) + sums.turns
    return dict(sorted(answered.items()))


def _tiers(groups: Mapping[Group, Sums]) -> list[Document]:
    """Turns for which a model was asked, by its tier; None where the settings have none."""
    tiers: dict[str | None, Sums] = {}
    for group, sums in groups.items():
        if group.model is not None or group.tier is not None:
            tiers[group.tier] = tiers.get(group.tier, Sums()) + sums
    return [{"tier": tier, **_sums(sums)} for tier, sums in sorted(tiers.items(), key=_by_name)]


def _models(tally: Tally) -> list[Document]:
    """Turns by the model that was asked, the dearest first."""
    models: dict[tuple[str, str | None], Sums] = {}
    for group, sums in tally.groups.items():
        if group.model is not None:
            key = (group.model, group.tier)
            models[key] = models.get(key, Sums()) + sums
    dearest = sorted(
        models.items(), key=lambda item: (-item[1].cost_micros, -item[1].turns, item[0][0])
    )
    return [{"model": model, "tier": tier, **_sums(sums)} for (model, tier), sums in dearest]


def _sums(sums: Sums) -> Document:
    return {
        "turns": sums.turns,
        "prompt_tokens": sums.prompt_tokens,
        "completion_tokens": sums.completion_tokens,
        "cost_micros": sums.cost_micros,
    }


def _times(times: Mapping[int, int]) -> Document:
    """The median and what 95 of 100 took at most, in milliseconds; None where there are none."""
    return {"median": quantile(times, 0.5), "p95": quantile(times, 0.95)}


def _bin(place: int, tally: Tally) -> Document:
    certain = tally.certainty.get(place, Certainty())
    return {
        "from": place / BINS,
        "to": (place + 1) / BINS,
        "turns": certain.turns,
        "mean": round(certain.confidence / certain.turns, 4) if certain.turns else None,
        "judged": certain.judged,
        "good": certain.good,
    }


def _ranked(counts: Mapping[str, int]) -> list[Document]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": reason, "turns": turns} for reason, turns in ranked]


def _by_name(item: tuple[str | None, Sums]) -> str:
    return item[0] or ""
