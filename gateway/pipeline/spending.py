"""The money of turns: held before a model is asked, settled once it has answered, or given back.

Decides from whose budgets a turn is paid, and how long is waited for the store. A turn that asks
models again, because they called tools, holds what that may cost on top before each of its rounds.
A store that does not answer in time holds nothing, and no model that costs anything is asked then.
Who hears of budgets that run low is `budget_alerts`' decision. Settling is a task of its own:
nothing that happens to the turn ends it, and it is tried again until the store would have given the
money back by itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.errors import FanlightError, Unavailable
from core.model_routing.caller import Caller
from core.model_routing.periods import SiteBudget, accounts_of, subject_accounts
from core.model_routing.permissions import Permissions
from core.model_routing.spend import HELD_S, Account, Budgets, Reservation
from core.ports import Cache, Clock, Random
from core.scope import Scope
from core.telemetry import SILENT, Telemetry
from gateway.pipeline.bill import Bill
from gateway.pipeline.budget_alerts import BudgetAlerts
from gateway.pipeline.budget_marks import Marks
from gateway.pipeline.budget_use import BudgetUse, Callers

DEADLINE_S: Final = 1.0
"""Of the time until a visitor hears something so much may go to the store."""

SWEEP_S: Final = 60.0
FIRST_AGAIN_S: Final = 0.25
LONGEST_AGAIN_S: Final = 30.0
ALERTS: Final = (0.5, 0.8, 0.95)
_NAME_BYTES: Final = 20

_log = logging.getLogger(__name__)

_Turn = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class SpendingRules:
    """What the settings say: budgets by the sites' keys, the hour of UTC at which days begin, and
    the shares of a budget, in (0, 1], that are told of."""

    sites: Mapping[str, SiteBudget] = field(default_factory=dict)
    reset_hour: int = 0
    alerts: Sequence[float] = ALERTS


@dataclass(frozen=True, slots=True)
class _Held:
    """What is held for a turn, and its name at the store; 0 while the store has not said."""

    name: str
    accounts: tuple[Account, ...]
    micros: int


class Spending:
    """Holds and settles over one store of budgets; `use` reads it.

    `ring` wakes the operators' consoles, and `cache` is what all processes know together of what
    is used up. `callers` says what callers may have, where permissions hold them; `random` makes
    names of reservations, and what operators tell callers apart by.
    """

    def __init__(
        self,
        budgets: Budgets,
        clock: Clock,
        rules: SpendingRules | None = None,
        telemetry: Telemetry = SILENT,
        *,
        cache: Cache | None = None,
        callers: Callers | None = None,
        random: Random = secrets.token_bytes,
        ring: Callable[[], None] = lambda: None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._budgets = budgets
        self._clock = clock
        self._rules = rules = rules or SpendingRules()
        self._alerts = BudgetAlerts(rules.alerts, rules.reset_hour, clock, telemetry, cache, ring)
        self.use = BudgetUse(
            budgets,
            clock,
            self._budget,
            rules.reset_hour,
            rules.alerts,
            self._alerts,
            Marks(cache, random),
            callers,
        )
        self._deadline_s = deadline_s
        self._random = random
        self._held: dict[_Turn, _Held] = {}
        self._unpaid: dict[_Turn, Account] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._swept = -math.inf

    async def hold(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Hold `micros` for this caller's turn, `key` being its id; may raise `Unavailable`.

        One that is refused holds nothing, so that less may be asked for under the same key. What
        costs nothing is always granted.
        """
        if micros <= 0:
            return Reservation(key, 0)
        now, turn = self._clock(), _turn(caller, key)
        budget = self._budget(caller.site)
        accounts = accounts_of(caller, allowed, budget, now, self._rules.reset_hour)
        self._sweep(now)
        # Before it is asked for: what is granted too late is given back like all else.
        held = self._held[turn] = _Held(self._name(turn), accounts, 0)
        made = await self._asked(self._budgets.reserve(held.name, accounts, micros, now))
        if made.refused is not None:
            del self._held[turn]
            self._alerts.refused(made.refused)
            # Less may still be granted: only at the turn's end it is known that nothing was.
            self._unpaid[turn] = made.refused
            return replace(made, key=key)
        self._unpaid.pop(turn, None)
        self._held[turn] = replace(held, micros=made.micros)
        return replace(made, key=key)

    async def top_up(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Hold `micros` in all for this caller's turn; may raise `Unavailable`.

        It is paid from what the turn was begun with. One that is refused holds what it held before.
        """
        turn = _turn(caller, key)
        held = self._held.get(turn)
        if held is None:
            return await self.hold(caller, allowed, key, micros)
        if micros <= held.micros:
            return Reservation(key, held.micros)
        asking = self._budgets.top_up(held.name, held.accounts, micros, self._clock())
        made = await self._asked(asking)
        if made.refused is not None:
            self._alerts.refused(made.refused)
            return replace(made, key=key)
        self._held[turn] = replace(held, micros=made.micros)
        return replace(made, key=key)

    def settle(self, caller: Caller, key: str, bill: Bill) -> None:
        """Settle what was held for this turn by its bill, soon; `settled` waits for that."""
        turn = _turn(caller, key)
        unpaid = self._unpaid.pop(turn, None)
        if unpaid is not None and not unpaid.subject:
            self._later(self._alerts.used_up(unpaid))
        held = self._held.pop(turn, None)
        if held is not None:
            self._later(self._settle(held.name, bill.micros, held.accounts))

    async def settled(self, within_s: float) -> None:
        """Wait for what is being settled, so long at most; a stop gives up what is left then."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()

    async def forget(self, scope: Scope) -> None:
        """Forget what is kept of a visitor who was erased; raises `Unavailable`.

        Where the store is away it is tried again until it is back, for some minutes.
        """
        hour = self._rules.reset_hour
        accounts = subject_accounts(scope.site, [scope.subject], self._clock(), hour)
        try:
            await self._budgets.forget(accounts)
        except Unavailable:
            self._later(self._forget(accounts))
            raise

    async def sweep(self) -> int:
        """Give back what was held for too long, and forget what is past; raises `Unavailable`."""
        return await self._budgets.sweep(self._clock())

    async def _asked(self, asking: Awaitable[Reservation]) -> Reservation:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asking
        except TimeoutError as exc:
            raise Unavailable("the budgets did not answer in time") from exc

    def _name(self, turn: _Turn) -> str:
        """What its reservation is called: one name from its first hold until it is settled, and
        never another run's, so that none is paid for by another that has the same id."""
        held = self._held.get(turn)
        return held.name if held is not None else self._random(_NAME_BYTES).hex()

    def _budget(self, site: str) -> SiteBudget:
        return self._rules.sites.get(site, SiteBudget())

    def _sweep(self, now: float) -> None:
        if now - self._swept >= SWEEP_S:
            self._swept = now
            self._later(self._swept_once())

    async def _swept_once(self) -> None:
        try:
            given = await self.sweep()
        except FanlightError:
            return  # a minute later it is tried again
        if given:
            _log.warning("spending: gave back %d reservations that nobody settled", given)

    def _later(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, name: str, micros: int, accounts: Sequence[Account]) -> None:
        told = await self._again(
            lambda: self._budgets.settle(name, micros, self._clock()),
            f"{micros} millionths of a dollar uncounted",
        )
        if told is not None:
            self._alerts.settled(told, {one.name: one for one in accounts}, micros)

    async def _forget(self, accounts: Sequence[Account]) -> None:
        await self._again(
            lambda: self._budgets.forget(accounts),
            "what an erased visitor spent stays until its time is over",
        )

    async def _again[Value](self, ask: Callable[[], Awaitable[Value]], lost: str) -> Value | None:
        """What the store says, once it does; None, and a word in the log, where it is too late."""
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + HELD_S / 2, FIRST_AGAIN_S
        while True:
            try:
                return await ask()
            except FanlightError as exc:
                if loop.time() + pause_s >= until:
                    _log.warning("spending: %s: %s", lost, exc)
                    return None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_AGAIN_S)


def _turn(caller: Caller, key: str) -> _Turn:
    """Which turn it is: browsers make its id, so that it is the caller's own."""
    return caller.site, caller.subject, caller.channel, key
