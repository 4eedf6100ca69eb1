"""What a gateway says of its own stages: `fanlight_stage_seconds`, read from `/metrics`.

Decides how a middle is made of a histogram: within a bucket times are taken to be spread evenly, as
Prometheus' `histogram_quantile` does; and that what happened between two readings is their
difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from prometheus_client.parser import text_string_to_metric_families

from core.telemetry import STAGE

ORDER: Final = (
    *("gate", "guard", "classify", "route", "assemble", "transport", "score", "learn"),
    *("model", "commit"),
)
MODELS_OWN: Final = frozenset({"transport", "model", "tools"})
"""They wait for a model: `transport` alone, `model` around all the slots."""
AROUND: Final = frozenset({"gate", "guard", "commit"})
"""They are of the gateway, before and after the pipeline."""

type Buckets = Mapping[float, float]
"""How many took at most so many seconds, cumulated."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The histograms of a gateway's stages at one moment."""

    buckets: Mapping[str, Buckets]

    @classmethod
    def read(cls, exposition: str) -> Self:
        """Those in a text of Prometheus' format."""
        found: dict[str, dict[float, float]] = {}
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                if sample.name == f"{STAGE.name}_bucket":
                    buckets = found.setdefault(sample.labels["stage"], {})
                    buckets[float(sample.labels["le"])] = sample.value
        return cls(found)


def middles(before: Stages, after: Stages) -> dict[str, float]:
    """The p50 of each stage in milliseconds of what happened between, in a turn's order."""
    found = {}
    for name in sorted(after.buckets, key=_place):
        earlier = before.buckets.get(name, {})
        now = {le: count - earlier.get(le, 0.0) for le, count in after.buckets[name].items()}
        middle = _middle(now)
        if not math.isnan(middle):
            found[name] = round(1000 * middle, 3)
    return found


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _middle(buckets: Buckets) -> float:
    """The median in seconds; NaN where there is none, the last bound where it is beyond."""
    bounds = sorted(buckets)
    half = buckets[bounds[-1]] / 2
    if half == 0:
        return math.nan
    lower, below = 0.0, 0.0
    for bound, reached in ((bound, buckets[bound]) for bound in bounds):
        if reached >= half:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (half - below) / (reached - below)
        lower, below = bound, reached
    return lower
