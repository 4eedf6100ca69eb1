"""Rates that all processes count together, and each by itself while they cannot.

Decides that a turn is never refused because the store of the rates is away: this process goes on
from what it has admitted itself, and says so in a figure.
"""

from __future__ import annotations

from core.errors import Unavailable
from core.model_routing.rates import Rates
from core.model_routing.windows import Limited
from core.telemetry import RATES_ALONE, Telemetry


class SharedRates:
    """A `Rates`: `shared` counts, and `own` where that does not answer."""

    def __init__(self, shared: Rates, own: Rates, telemetry: Telemetry) -> None:
        self._shared = shared
        self._own = own
        self._telemetry = telemetry

    async def take(self, subject: str, limit: int) -> Limited | None:
        """Count a turn of this subject; one that has to wait is not counted."""
        try:
            found = await self._shared.take(subject, limit)
        except Unavailable:
            self._telemetry.count(RATES_ALONE)
            return await self._own.take(subject, limit)
        if found is None:
            # Known here too, for when the others' counts cannot be had.
            await self._own.take(subject, limit)
        return found

    async def look(self, subject: str, limit: int) -> Limited | None:
        """Whether this subject would have to wait now; counts nothing."""
        try:
            return await self._shared.look(subject, limit)
        except Unavailable:
            return await self._own.look(subject, limit)
