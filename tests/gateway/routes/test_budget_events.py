"""What consoles hear of budgets: each step forward once, and no step back."""

from __future__ import annotations

from core.model_routing.caller import WIDGET, Caller
from core.model_routing.periods import SiteBudget
from core.model_routing.permissions import Permissions
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.pipeline.bill import Bill
from gateway.pipeline.spending import Spending, SpendingRules
from gateway.routes.operator_events import Budgeted, Watch
from tests.gateway.test_spending import billed
from tests.gateway.world import Time

ANNA = Caller("site_a", "anon:anna", WIDGET)
RICH = Permissions(cost_budget_daily_usd=0, cost_budget_monthly_usd=0)
DAY_S = 86_400


class House:
    """One site with a thousand millionths a day, and a console that watches it."""

    def __init__(self) -> None:
        self.time = Time()
        truth = MemoryTruth(clock=self.time)
        rules = SpendingRules({"site_a": SiteBudget(0.001)}, alerts=(0.5, 0.8, 0.95))
        cache = MemoryCache(clock=self.time)
        self.spending = Spending(truth.budgets, self.time, rules, cache=cache)
        self.watch = Watch(truth, spent=self._spent)

    async def _spent(self) -> Budgeted:
        return await self.spending.use.reached(["site_a"])

    async def hold(self, key: str, micros: int) -> bool:
        return (await self.spending.hold(ANNA, RICH, key, micros)).granted

    async def settle(self, key: str, bill: Bill) -> None:
        self.spending.settle(ANNA, key, bill)
        await self.spending.settled(5)

    async def heard(self) -> list[tuple[float, bool]]:
        """What is told now: the share that was reached, and whether it is used up."""
        told = await self.watch.budgets()
        assert {(site, period) for site, period, _ in told} <= {("site_a", "day")}
        return [(one.share, one.used_up) for _, _, one in told]


async def test_what_is_held_and_given_back_is_told_once() -> None:
    house = House()
    await house.hold("k0", 790)
    await house.settle("k0", billed(790))
    assert await house.heard() == []  # at the first look nothing is news
    heard = []
    for number in range(1, 4):
        assert await house.hold(f"k{number}", 20)
        heard.append(await house.heard())
        await house.settle(f"k{number}", Bill())
        heard.append(await house.heard())
    assert heard == [[(0.8, False)], [], [], [], [], []]
    assert await house.hold("k9", 180)
    assert await house.heard() == [(0.95, False)]


async def test_that_it_is_used_up_is_told_once_beside_the_furthest_that_it_came() -> None:
    house = House()
    assert await house.heard() == []
    assert await house.hold("k1", 960)
    assert await house.heard() == [(0.95, False)]
    await house.settle("k1", billed(100))
    for key in ("k2", "k3"):
        assert not await house.hold(key, 950)
        await house.settle(key, Bill())
    assert await house.heard() == [(0.95, True)]
    assert await house.heard() == []


async def test_a_new_day_is_told_anew() -> None:
    house = House()
    assert await house.heard() == []
    for _ in range(2):
        assert await house.hold("k", 600)
        assert await house.heard() == [(0.5, False)]
        await house.settle("k", billed(600))
        assert await house.heard() == []
        house.time.now += DAY_S
        assert await house.heard() == []
