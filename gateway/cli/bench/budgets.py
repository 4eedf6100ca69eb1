"""`fanlight bench budgets`: what it takes to hold a turn's money and to settle it.

Every turn is paid by a visitor and by the one site that all of them are on, so that they all meet
in two accounts. Decides how many turns are timed one at a time, and how many at once. PostgreSQL
and Redis are measured where their addresses are given: the database must be empty, and what is
written to Redis is forgotten by itself.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import click

from core.errors import Unavailable
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.periods import SiteBudget, accounts_of
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Budgets
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.redis_budgets import RedisBudgets
from gateway.adapters.redis_link import RedisLink
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.bench.figures import figures_table
from gateway.cli.output import Output, json_option

AT_ONCE: Final = 32
MICROS: Final = 5_000
DEADLINE_S: Final = 20.0
PLENTY: Final = SiteBudget(1_000_000, 1_000_000)
ALLOWED: Final = Permissions(cost_budget_daily_usd=100_000, cost_budget_monthly_usd=100_000)


@click.command("budgets")
@click.option("--turns", type=click.IntRange(10, 100_000), default=1_000, show_default=True)
@click.option("--postgresql", help="The address of an empty database: measure it too.")
@click.option("--redis", help="The address of a Redis server: measure it too.")
@json_option
def budgets(turns: int, postgresql: str | None, redis: str | None, as_json: bool) -> None:
    """Time the holding and settling of money."""
    output = Output(as_json)
    with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
        places = {"memory": "", "sqlite": f"sqlite:///{Path(name)}/bench.db"}
        places |= {"postgresql": postgresql} if postgresql else {}
        places |= {"redis": redis} if redis else {}
        try:
            figures = asyncio.run(_measure(places, turns))
        except (Unavailable, OSError) as error:
            raise click.ClickException(str(error)) from error
    output.result({**figures, "turns": turns, "at_once": AT_ONCE})
    output.show(figures_table(figures, {}, {name: _meaning(name) for name in figures}))


def _meaning(name: str) -> str:
    if name.endswith("_per_second"):
        return f"turns held and settled a second, {AT_ONCE} at once on one site"
    return "to hold and to settle a turn, one at a time"


async def _measure(places: Mapping[str, str], turns: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind, place in places.items():
        async with AsyncExitStack() as opened:
            store = await _open(kind, place, opened)
            alone = [await _turn(store, f"{kind} alone {number}") for number in range(turns)]
            cuts = statistics.quantiles(alone, n=100)
            figures[f"{kind}_p50_ms"] = round(cuts[49] * 1000, 3)
            figures[f"{kind}_p99_ms"] = round(cuts[98] * 1000, 3)
            figures[f"{kind}_per_second"] = round(await _crowd(store, kind, turns))
    return figures


async def _open(kind: str, place: str, opened: AsyncExitStack) -> Budgets:
    if kind == "memory":
        return MemoryBudgets()
    if kind == "redis":
        budgets = RedisBudgets(RedisLink(place, deadline_s=DEADLINE_S))
        opened.push_async_callback(budgets.close)
        return budgets
    truth = SqlTruth(place, clock=time.time, deadline_s=DEADLINE_S)
    await truth.start()
    opened.push_async_callback(truth.close)
    return truth.budgets


async def _turn(store: Budgets, key: str, visitor: int = 0) -> float:
    """Seconds for one turn."""
    now, began = time.time(), time.perf_counter()
    caller = Caller("site_bench", f"anon:{visitor}", WIDGET)
    accounts = accounts_of(caller, ALLOWED, PLENTY, now, 0)
    made = await store.reserve(key, accounts, MICROS, now)
    await store.settle(key, MICROS // 2, now)
    if not made.granted:
        raise Unavailable("the accounts are not empty: measure an empty store")
    return time.perf_counter() - began


async def _crowd(store: Budgets, kind: str, turns: int) -> float:
    """Turns a second, so many at once, each of another visitor."""
    numbers = iter(range(turns))

    async def one(visitor: int) -> None:
        for number in numbers:
            await _turn(store, f"{kind} crowd {number}", visitor)

    began = time.perf_counter()
    await asyncio.gather(*map(one, range(AT_ONCE)))
    return turns / (time.perf_counter() - began)
