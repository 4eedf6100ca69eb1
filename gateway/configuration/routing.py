"""`[routing]`, `[[tiers]]`, `[permissions]` and each site's own permissions, as they stand.

Decides what a table of permissions may be called. Whether what they say fits together is
`routing_rules`' question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.model_routing.caller import API, CONSOLE, WIDGET
from core.model_routing.decision import Tier
from core.model_routing.levels import LEVELS
from core.model_routing.merge import Layer
from core.model_routing.resolve import Layers
from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import hint, read_table, read_tables
from gateway.configuration.routing_table import MODES, STRATEGIES
from gateway.settings import RoutingSettings

CHANNELS: Final = (WIDGET, API, CONSOLE)


def read_routing(document: Mapping[str, Any], flaws: list[Flaw]) -> RoutingSettings:
    """Everything that routing is told, with what is wrong with its names and values."""
    values = read_table(document.get("routing", {}), "routing", "routing", flaws)
    tiers = [
        Tier(table["name"], table["models"], table["low"], table["high"])
        for _, table in read_tables(document.get("tiers", []), "tiers", flaws)
    ]
    rules.one_of(values["mode"], MODES, "mode", "routing.mode", flaws)
    rules.one_of(values["strategy"], STRATEGIES, "strategy", "routing.strategy", flaws)
    raw = _table(document.get("permissions", {}), "permissions", flaws)
    _known(raw, (*LEVELS, "users", "channels"), "permissions", flaws)
    channels = _layers(raw.get("channels", {}), "permissions.channels", flaws)
    _known(channels, CHANNELS, "permissions.channels", flaws)
    layers = Layers(
        levels=_levels(raw, "permissions", flaws),
        sites=_sites(document.get("sites", []), flaws),
        users=_layers(raw.get("users", {}), "permissions.users", flaws),
        channels=channels,
        grantable=values["max_grantable_level"],
        escalation=values["escalation"],
    )
    return RoutingSettings(
        mode=values["mode"],
        tiers=tuple(tiers),
        strategy=values["strategy"],
        escalation=values["escalation"],
        fallback_model=values["fallback_model"],
        rate_limit=values["rate_limit"],
        reset_hour_utc=values["reset_hour_utc"],
        alerts=tuple(map(float, values["alerts"])),
        permissions=layers,
    )


def _sites(raw: object, flaws: list[Flaw]) -> dict[str, dict[str, Layer]]:
    """The sites' own permissions; all else of a site has been read by others."""
    found: dict[str, dict[str, Layer]] = {}
    for table in raw if isinstance(raw, list | tuple) else ():
        key = table.get("key") if isinstance(table, Mapping) else None
        if isinstance(key, str) and isinstance(table.get("permissions"), Mapping):
            found[key] = _site(table["permissions"], f"sites[{key}].permissions", flaws)
    return found


def _site(raw: object, where: str, flaws: list[Flaw]) -> dict[str, Layer]:
    table = _table(raw, where, flaws)
    _known(table, LEVELS, where, flaws)
    return _levels(table, where, flaws)


def _levels(raw: Mapping[str, Any], where: str, flaws: list[Flaw]) -> dict[str, Layer]:
    return {name: _layer(raw[name], f"{where}.{name}", flaws) for name in LEVELS if name in raw}


def _layers(raw: object, where: str, flaws: list[Flaw]) -> dict[str, Layer]:
    return {
        name: _layer(table, f"{where}.{name}", flaws)
        for name, table in _table(raw, where, flaws).items()
    }


def _layer(raw: object, where: str, flaws: list[Flaw]) -> Layer:
    """What a table names, and nothing of what it does not."""
    values = read_table(raw, "permissions", where, flaws)
    return {name: value for name, value in values.items() if value is not None}


def _table(raw: object, where: str, flaws: list[Flaw]) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    flaws.append(Flaw(where, "This must be a table.", f"Write tables below it: [{where}.user]."))
    return {}


def _known(names: Mapping[str, Any], known: Sequence[str], where: str, flaws: list[Flaw]) -> None:
    for name in names:
        if name not in known:
            remedy = hint(name, known, f"Known here: {', '.join(known)}.")
            flaws.append(Flaw(f"{where}.{name}", "There is no such table.", remedy))
