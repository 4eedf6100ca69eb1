"""What a caller may have, from the five layers of the settings.

In this order, each over the one before: the built-in defaults of the caller's level, the gateway's
own word on that level, the site's, the gateway's on this user, the gateway's on this channel. It
decides whose word is held down: a site's is, by what the gateway grants at the same level and by
the highest level that a site may grant. Users and channels are the gateway's own words: only its
operators write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.model_routing.caller import Caller
from core.model_routing.levels import ADMIN, LEVELS, USER, ZERO_TRUST, defaults
from core.model_routing.merge import Layer, bounded, merge
from core.model_routing.permissions import Permissions

Levels = Mapping[str, Layer]
"""Layers by the names of the levels."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What the settings say: of levels, by site of levels, of users and of channels.

    Users are named `<issuer>|<sub>`, as the site's signed identity has them. `escalation` False
    takes it from everybody. `grantable` is the highest level that a site may grant.
    """

    levels: Levels = field(default_factory=dict)
    sites: Mapping[str, Levels] = field(default_factory=dict)
    users: Mapping[str, Layer] = field(default_factory=dict)
    channels: Mapping[str, Layer] = field(default_factory=dict)
    grantable: int = USER
    escalation: bool = True

    @property
    def told(self) -> bool:
        """Whether the settings say anything of permissions."""
        return bool(self.levels or any(self.sites.values()) or self.users or self.channels)


class Resolver:
    """The permissions of callers; `tiers` are the tiers' names, the cheapest first.

    It is given layers whose values are of their types; raises `ValueError` where one is not.
    """

    def __init__(self, layers: Layers, tiers: Sequence[str] = ()) -> None:
        self._layers = layers
        self._tiers = tuple(tiers)
        self._granted = tuple(self._by_gateway(level) for level in range(len(LEVELS)))

    def allowed(self, caller: Caller) -> Permissions:
        """What this caller may have."""
        level = self._level(caller)
        ceiling = self._granted[level]
        held = bounded(merge(ceiling, self._site(caller, level)), ceiling, self._tiers)
        for layer in self._own(caller):
            held = merge(held, layer)
        escalation = held.escalation_allowed and self._layers.escalation
        return replace(held, level=level, escalation_allowed=escalation)

    def ceiling(self, level: int) -> Permissions:
        """What the gateway grants at a level: no site gives more."""
        return self._granted[level]

    def _by_gateway(self, level: int) -> Permissions:
        layer = self._layers.levels.get(LEVELS[level], {})
        return replace(merge(defaults(level, self._tiers), layer), level=level)

    def _site(self, caller: Caller, level: int) -> Layer:
        return self._layers.sites.get(caller.site, {}).get(LEVELS[level], {})

    def _own(self, caller: Caller) -> tuple[Layer, Layer]:
        """The gateway's own words on who this is: the user, then the channel."""
        user = self._layers.users.get(caller.user, {}) if caller.user else {}
        return user, self._layers.channels.get(caller.channel, {})

    def _level(self, caller: Caller) -> int:
        """A site may raise a level up to what is grantable; the gateway's words go last."""
        level = caller.level
        wanted: int = self._site(caller, level).get("level", level)
        level = min(wanted, max(level, self._layers.grantable))
        for layer in self._own(caller):
            level = layer.get("level", level)
        return max(ZERO_TRUST, min(ADMIN, level))
