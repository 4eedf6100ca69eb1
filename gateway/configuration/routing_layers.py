"""The tables of permissions of a configuration, each with where it stands and what it makes.

Decides nothing: it is what the rules of `routing_rules` and `routing_hints` go through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.model_routing.caller import API, CONSOLE
from core.model_routing.globs import matches_any
from core.model_routing.levels import ADMIN, LEVELS, USER, ZERO_TRUST
from core.model_routing.merge import Layer, merge
from core.model_routing.permissions import Permissions
from core.model_routing.resolve import Resolver
from gateway.settings import ModelSettings, Settings

_OF_CHANNEL: Final = {API: USER, CONSOLE: ADMIN}


@dataclass(frozen=True, slots=True)
class Told:
    """One table: how messages call it, what it says, what it is laid over, and what that makes."""

    where: str
    layer: Layer
    base: Permissions

    @property
    def made(self) -> Permissions:
        """What a caller has by this table, before any later one."""
        return merge(self.base, self.layer)

    def key(self, dimension: str) -> str:
        """How messages call one of its settings."""
        return f"{self.where}.{dimension}"


def tier_names(settings: Settings) -> tuple[str, ...]:
    """The tiers, the cheapest first."""
    return tuple(tier.name for tier in settings.routing.tiers)


def resolver(settings: Settings) -> Resolver:
    """What these settings make of callers."""
    return Resolver(settings.routing.permissions, tier_names(settings))


def tables(settings: Settings) -> Iterator[Told]:
    """Every table of permissions."""
    layers, made = settings.routing.permissions, resolver(settings)
    for number, name in enumerate(LEVELS):
        if name in layers.levels:
            yield Told(f"permissions.{name}", layers.levels[name], made.ceiling(number))
    yield from site_tables(settings)
    for user, layer in layers.users.items():
        yield Told(f"permissions.users.{user}", layer, made.ceiling(layer.get("level", USER)))
    for channel, layer in layers.channels.items():
        level = layer.get("level", _OF_CHANNEL.get(channel, ZERO_TRUST))
        yield Told(f"permissions.channels.{channel}", layer, made.ceiling(level))


def site_tables(settings: Settings) -> Iterator[Told]:
    """Those of the sites, over what the gateway grants."""
    made = resolver(settings)
    for site, levels in settings.routing.permissions.sites.items():
        for name, layer in levels.items():
            where = f"sites[{site}].permissions.{name}"
            yield Told(where, layer, made.ceiling(LEVELS.index(name)))


def names(model: ModelSettings) -> tuple[str, str]:
    """What patterns may match of a model."""
    return model.name, f"{model.dialect}/{model.model}"


def may_use(permissions: Permissions, model: ModelSettings) -> bool:
    """Whether the lists leave this model."""
    return matches_any(permissions.model_access, names(model)) and not matches_any(
        permissions.model_denylist, names(model)
    )
