"""Which tiers somebody reaches, and which of them a question is for.

Decides by the permissions and the complexity alone: what rests, and what money allows, comes later.
A tier is reached up to `max_tier`, in the order of the settings, the cheapest first; one more where
escalation is allowed to this caller, allowed by the settings, and the question is harder than the
caller's threshold. A `max_tier` that is no tier's name reaches none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.model_routing.decision import Price, Tier
from core.model_routing.globs import matches_any
from core.model_routing.permissions import Permissions

FREE: Final = Price()


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of the settings, by its `name` there and as `full`, which is `provider/model`.

    `resting` says that its breaker is open.
    """

    name: str
    full: str = ""
    price: Price = FREE
    resting: bool = False

    def permitted(self, allowed: Permissions) -> bool:
        """Whether these permissions let it be asked; the denylist wins."""
        names = (self.name, self.full)
        return matches_any(allowed.model_access, names) and not matches_any(
            allowed.model_denylist, names
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """A tier with those of its models that the caller may have; `place` is its place among all."""

    place: int
    tier: Tier
    models: tuple[str, ...]

    def distance(self, complexity: float) -> float:
        """How far the complexity is from what the tier is meant for; 0 within."""
        return max(self.tier.low - complexity, complexity - self.tier.high, 0.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Models that would be asked in this order, and what they cost in millionths of a dollar.

    `micros` is what the dearest of them costs and has to be held, `estimated` what the first does.
    """

    models: tuple[str, ...]
    reason: str
    tier: str | None
    micros: int
    estimated: int


def reached(
    tiers: Sequence[Tier], offers: Mapping[str, Offer], allowed: Permissions
) -> tuple[Reached, ...]:
    """The tiers up to `max_tier` that have a model for this caller, the cheapest first."""
    last = last_place(tiers, allowed.max_tier)
    found = (_with_models(place, tiers, offers, allowed) for place in range(last + 1))
    return tuple(one for one in found if one.models)


def above(
    tiers: Sequence[Tier], offers: Mapping[str, Offer], allowed: Permissions
) -> Reached | None:
    """The tier next above `max_tier`, where it is one and has a model for this caller."""
    last = last_place(tiers, allowed.max_tier)
    if last < 0 or last + 1 >= len(tiers):
        return None
    one = _with_models(last + 1, tiers, offers, allowed)
    return one if one.models else None


def last_place(tiers: Sequence[Tier], name: str) -> int:
    """The place of the tier of this name; -1 where there is none."""
    return next((place for place, tier in enumerate(tiers) if tier.name == name), -1)


def _with_models(
    place: int, tiers: Sequence[Tier], offers: Mapping[str, Offer], allowed: Permissions
) -> Reached:
    models = tuple(
        name
        for name in dict.fromkeys(tiers[place].models)
        if name in offers and offers[name].permitted(allowed)
    )
    return Reached(place, tiers[place], models)


def fitting(among: Sequence[Reached], complexity: float) -> Reached:
    """The dearest tier that is meant for this complexity, else the nearest; of two the dearer."""
    return min(among, key=lambda one: (one.distance(complexity), -one.place))


def outside(
    name: str,
    tiers: Sequence[Tier],
    within: Collection[Reached],
    offer: Offer,
    allowed: Permissions,
) -> bool:
    """Whether a model that was named is beyond what the caller may have.

    One that stands in no tier is judged by the lists of models alone.
    """
    if not offer.permitted(allowed):
        return True
    tiered = any(name in tier.models for tier in tiers)
    return tiered and not any(name in one.models for one in within)
