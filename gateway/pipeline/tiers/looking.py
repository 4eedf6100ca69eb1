"""Whether there would be money, without holding any: for whoever asks why a model is chosen."""

from __future__ import annotations

from collections.abc import Callable

from core.model_routing.caller import Caller
from core.model_routing.periods import SiteBudget, accounts_of
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Budgets, Reservation, too_little
from core.ports import Clock


class Looking:
    """Answers as `Holds` would now, from what is spent; nothing is written."""

    def __init__(
        self,
        budgets: Budgets,
        budget_of: Callable[[str], SiteBudget],
        reset_hour: int,
        clock: Clock,
    ) -> None:
        self._budgets = budgets
        self._budget_of = budget_of
        self._reset_hour = reset_hour
        self._clock = clock

    async def hold(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Whether so much could be held; may raise `Unavailable`."""
        budget = self._budget_of(caller.site)
        accounts = accounts_of(caller, allowed, budget, self._clock(), self._reset_hour)
        spent = await self._budgets.spent(accounts)
        return Reservation(key, micros, too_little(accounts, spent, micros))
