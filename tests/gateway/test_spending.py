"""What turns cost is held before, and settled or given back however they end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.breaker import Breaker
from core.encoding import timestamp
from core.errors import Unavailable
from core.messages import Usage
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.decision import Price, Tier
from core.model_routing.periods import SiteBudget, accounts_of, span
from core.model_routing.permissions import Permissions
from core.model_routing.resolve import Layers
from core.model_routing.spend import HELD_S, Account, Budgets, Reservation, Settled
from core.ports import Piece, Prompt, Transport
from core.scope import Scope, anonymous
from core.telemetry import BUDGET_ALERTS, BUDGET_REFUSALS, SPENT, Metric, Silent
from gateway import sse
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_budgets import RedisBudgets
from gateway.adapters.redis_link import RedisLink
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.bell import OPERATORS, Bell
from gateway.configuration import parse_settings
from gateway.pipeline.bill import Bill
from gateway.pipeline.models import Model
from gateway.pipeline.spending import Spending, SpendingRules
from gateway.routes import operator_events
from gateway.settings import LimitSettings, ModelSettings, RoutingSettings, Secret, Settings
from tests.gateway.routes.console import Console
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.test_subjects import erase
from tests.gateway.world import GATEWAY, START, Time, World, make_services, settings
from tests.servers import RedisServer

KEY = "api-key-for-tests-0123456789"
UNKNOWN = "zxqv unknown thing"
PRICE = Price(10, 100)
COST = PRICE.micros(12, 3)
"""Of the scripted model's usage."""


def priced(daily: float = 5.0, monthly: float = 0.0, **limits: float) -> Settings:
    """The settings of a site with a budget."""
    wait = {"first_token_s": 0.3, "between_tokens_s": 0.3, **limits}
    chosen = settings(
        limits=LimitSettings(pow_difficulty=4, **wait),  # type: ignore[arg-type]
        routing=RoutingSettings(reset_hour_utc=6, alerts=(0.5, 1.0)),
    )
    first, *others = chosen.sites
    first = replace(first, api_key=Secret(KEY), daily_usd=daily, monthly_usd=monthly)
    return replace(chosen, sites=(first, *others))


@asynccontextmanager
async def shop(
    *transports: Transport,
    chosen: Settings | None = None,
    prices: Sequence[Price] = (PRICE,),
    budgets: Budgets | None = None,
) -> AsyncIterator[World]:
    """A running gateway whose models cost something."""
    time = Time()
    services = make_services(chosen or priced(), time)
    names = ("model", "second")
    models = [
        Model(name, transport, Breaker(time), price=price)
        for name, transport, price in zip(names, transports, prices, strict=False)
    ]
    services = replace(services, models=models, budgets=budgets)
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client,
    ):
        yield World(services, client, time)


async def usage(gateway: World) -> dict[str, Any]:
    """The site's own server asks."""
    headers = {"authorization": f"Bearer {KEY}"}
    response = await gateway.client.get(f"{GATEWAY}/v1/usage", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    made: dict[str, Any] = response.json()
    return made


async def spent(gateway: World, *, settled: bool = True) -> int:
    """Millionths of a dollar that the site has spent today, once nothing is held any more."""
    async with asyncio.timeout(10):
        while settled and held(gateway.truth.budgets):  # noqa: ASYNC110 - a task settles
            await asyncio.sleep(0.01)
    dollars: float = (await usage(gateway))["day"]["spent_usd"]
    return round(dollars * 1e6)


def held(budgets: MemoryBudgets) -> int:
    return sum(row.held for row in budgets._rows.values())


async def test_a_turn_costs_what_the_models_server_counted() -> None:
    async with shop(ScriptedModel("Return it.")) as gateway:
        visitor = await gateway.visitor()
        await visitor.ask(UNKNOWN)
        assert await spent(gateway) == COST
        await visitor.ask(UNKNOWN)
        assert await spent(gateway) == 2 * COST


async def test_what_the_knowledge_base_answers_costs_nothing() -> None:
    async with shop(ScriptedModel("x")) as gateway:
        await (await gateway.visitor()).ask("When are you open?")
        assert await spent(gateway) == 0


FAILURES: list[tuple[str, ScriptedModel, Callable[[int], bool]]] = [
    ("no connection", ScriptedModel(Unavailable("down")), lambda micros: micros == 0),
    ("no first word", ScriptedModel(None), lambda micros: micros == 0),
    (
        "breaks off",
        ScriptedModel("Send it back. " * 20, Unavailable("gone")),
        lambda micros: micros > PRICE.micros(20, 60),
    ),
    ("stalls", ScriptedModel("Send it back.", None), lambda micros: micros > PRICE.micros(20, 3)),
    ("says nothing", ScriptedModel(), lambda micros: micros == COST),
]


@pytest.mark.parametrize(
    ("model", "right"), [one[1:] for one in FAILURES], ids=[one[0] for one in FAILURES]
)
async def test_a_turn_that_fails_costs_what_came_until_then(
    model: ScriptedModel, right: Callable[[int], bool]
) -> None:
    async with shop(model) as gateway:
        turn = (await (await gateway.visitor()).ask(UNKNOWN)).json()
        assert turn["escalate"]
        assert right(await spent(gateway))


class Paused:
    """A model that says something, waits, and says the rest with its usage once it may."""

    model = "paused"

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        yield Piece("Send it back within thirty days. ")
        self.begun.set()
        await self.may_end.wait()
        yield Piece("Please.", Usage(12, 3))

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_visitor_who_leaves_pays_for_the_whole_turn_which_goes_on() -> None:
    model = Paused()
    async with shop(model, chosen=priced(first_token_s=30, between_tokens_s=30)) as gateway:
        visitor = await gateway.visitor()
        asking = asyncio.create_task(visitor.ask(UNKNOWN))
        await model.begun.wait()
        asking.cancel()
        await asyncio.wait({asking})
        assert await spent(gateway, settled=False) > COST
        model.may_end.set()
        assert await spent(gateway) == COST


async def test_a_caller_that_leaves_pays_for_what_was_written_until_then() -> None:
    model = Paused()
    async with shop(model, chosen=priced(first_token_s=30, between_tokens_s=30)) as gateway:
        app = gateway.client._transport.app  # type: ignore[attr-defined]
        body = json.dumps(
            {"model": "fanlight", "messages": [{"role": "user", "content": UNKNOWN}]}
        ).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, object]:
            if messages:
                return messages.pop()
            await model.begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: object) -> None:
            """Nobody reads it."""

        headers = [
            (b"host", b"localhost:8000"),
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {KEY}".encode()),
        ]
        scope: dict[str, object] = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
        }
        scope |= {"query_string": b"", "headers": headers, "client": ("127.0.0.1", 1)}
        await app(scope, receive, send)
        assert 0 < await spent(gateway) < 100 * COST


async def test_a_process_that_stops_settles_its_last_turns() -> None:
    model = Paused()
    async with shop(model, chosen=priced(first_token_s=30, between_tokens_s=30)) as gateway:
        visitor = await gateway.visitor()
        asking = asyncio.create_task(visitor.ask(UNKNOWN))
        await model.begun.wait()
    await asyncio.wait({asking})
    budgets = gateway.truth.budgets
    assert held(budgets) == 0
    assert sum(row.settled for row in budgets._rows.values()) > 0


async def test_whoever_has_too_little_left_asks_a_person_and_no_model() -> None:
    model = ScriptedModel("Return it.")
    async with shop(model, chosen=priced(daily=0.001)) as gateway:
        turn = (await (await gateway.visitor()).ask(UNKNOWN)).json()
        assert turn["escalate"]
        assert turn["reply"] == ""
        assert turn["reasons"][-1] == "budget_spent"
        assert model.prompts == []
        assert await spent(gateway) == 0


async def test_a_model_that_costs_nothing_answers_where_the_budget_is_spent() -> None:
    dear, free = ScriptedModel("dear"), ScriptedModel("free")
    async with shop(dear, free, chosen=priced(daily=0.001), prices=(PRICE, Price())) as gateway:
        turn = (await (await gateway.visitor()).ask(UNKNOWN)).json()
        assert turn["model"] == "scripted-1"
        assert (dear.prompts, len(free.prompts)) == ([], 1)
        assert await spent(gateway) == 0


class Away(MemoryBudgets):
    """Budgets whose store is away, refuses at once or says nothing, until it is back."""

    def __init__(self, *, silent: bool = False) -> None:
        super().__init__()
        self.silent = silent
        self.back = asyncio.Event()

    async def _reach(self) -> None:
        if not self.back.is_set():
            if not self.silent:
                raise Unavailable("away")
            await self.back.wait()

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold money, where the store is there; a late word is taken all the same."""
        return await asyncio.shield(asyncio.ensure_future(self._late(key, accounts, micros, at)))

    async def _late(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        await self._reach()
        return await super().reserve(key, accounts, micros, at)

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Settle, where the store is there."""
        await self._reach()
        return await super().settle(key, micros, at)


@pytest.mark.parametrize("silent", [False, True])
async def test_without_the_store_no_model_is_asked_and_a_person_is(silent: bool) -> None:
    budgets, model = Away(silent=silent), ScriptedModel("Return it.")
    async with shop(model, budgets=budgets) as gateway:
        visitor = await gateway.visitor()
        async with asyncio.timeout(4):
            turn = (await visitor.ask(UNKNOWN)).json()
        assert turn["escalate"]
        assert turn["reasons"][-1] == "budget_unavailable"
        assert model.prompts == []
        # What was held too late is given back.
        budgets.back.set()
        async with asyncio.timeout(10):
            while held(budgets) or not budgets.back.is_set():  # noqa: ASYNC110 - a task settles
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert held(budgets) == 0


async def test_usage_tells_the_periods_their_limits_and_when_they_reset() -> None:
    async with shop(ScriptedModel("x"), chosen=priced(5, 50)) as gateway:
        await (await gateway.visitor()).ask(UNKNOWN)
        await spent(gateway)
        made = await usage(gateway)
    assert (made["object"], made["site"], made["currency"]) == ("usage", "site_demo", "USD")
    day, month = made["day"], made["month"]
    assert (day["limit_usd"], month["limit_usd"]) == (5, 50)
    assert day["spent_usd"] == month["spent_usd"] == COST / 1e6
    assert "T06:00:00" in day["began_at"]
    assert day["began_at"] < day["resets_at"] <= month["resets_at"]
    assert (day["alerts"], month["alerts"]) == ([], [])


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_usage_is_told_to_nobody_without_the_key(key: str) -> None:
    async with shop(ScriptedModel("x")) as gateway:
        headers = {"authorization": f"Bearer {key}"}
        response = await gateway.client.get(f"{GATEWAY}/v1/usage", headers=headers)
    assert response.status_code == 401


async def test_operators_see_the_usage_of_every_site() -> None:
    async with shop(ScriptedModel("x")) as gateway:
        console = Console(gateway)
        assert (await console.call("GET", "/v1/usage")).status_code == 401
        await console.log_in()
        await (await gateway.visitor()).ask(UNKNOWN)
        await spent(gateway)
        items = (await console.call("GET", "/v1/usage")).json()["items"]
    assert [(one["site"], one["day"]["spent_usd"]) for one in items] == [
        ("site_demo", COST / 1e6),
        ("site_other", 0),
    ]
    assert items[1]["day"]["limit_usd"] is None


async def test_an_erase_takes_what_the_visitor_spent_and_leaves_the_sites(
    tmp_path: Path,
) -> None:
    truth = SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=Time())
    time, day = Time(), span("day", START, 0).began
    await truth.start()
    services = replace(make_services(settings(), time), truth=truth)
    app = create_app(services, outbox=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client:
        visitor = Visitor(client, GATEWAY, "site_demo", clock=time)
        await visitor.open_session()
        subject = anonymous("site_demo", visitor.keyid).subject
        mine = Account("site_demo", subject, "day", day, 10**9)
        site = Account("site_demo", "", "day", day)
        await truth.budgets.reserve("k1", (mine, site), 100, START)
        await truth.budgets.settle("k1", 70, START)
        await truth.budgets.reserve("k2", (mine, site), 100, START)
        assert (await erase(visitor)).status_code == 200
        assert await truth.budgets.spent((mine, site)) == [0, 170]
        await truth.budgets.settle("k2", 30, START)
        assert await truth.budgets.spent((mine, site)) == [0, 100]
    await truth.close()
    with closing(sqlite3.connect(tmp_path / "truth.db")) as database:
        for table in ("spending", "spending_holds"):
            count = f"SELECT count(*) FROM {table} WHERE subject <> ''"  # noqa: S608
            assert database.execute(count).fetchone() == (0,)


async def test_an_export_has_what_the_visitor_spent_and_after_an_erase_there_is_nothing() -> None:
    chosen = priced(5.0)
    layers = Layers(
        levels={"zero_trust": {"cost_budget_daily_usd": 2.0, "cost_budget_monthly_usd": 0}}
    )
    routing = replace(chosen.routing, permissions=layers)
    async with shop(ScriptedModel("x"), chosen=replace(chosen, routing=routing)) as gateway:
        visitor, other = await gateway.visitor(), await gateway.visitor()
        for each in (visitor, other):
            await each.ask(UNKNOWN)
        await spent(gateway)
        held = (await visitor.call("GET", "/v1/export")).json()
        day = {"period": "day", "spent_usd": COST / 1e6}
        assert held["spending"] == [{**day, "began_at": timestamp(span("day", START, 6).began)}]
        page = {"cursor": "receipts"}
        assert (await visitor.call("POST", "/v1/export", page)).json()["spending"] == []
        assert (await erase(visitor)).status_code == 200
        gateway.time.now += 1
        await visitor.open_session()
        assert (await visitor.call("GET", "/v1/export")).json()["spending"] == []
        assert (await other.call("GET", "/v1/export")).json()["spending"] != []
        assert await spent(gateway) == 2 * COST


@pytest.mark.needs("redis-server")
async def test_an_erase_reaches_what_redis_counts(redis_server: RedisServer) -> None:
    chosen = priced(5.0)
    layers = Layers(
        levels={"zero_trust": {"cost_budget_daily_usd": 2.0, "cost_budget_monthly_usd": 0}}
    )
    routing = replace(chosen.routing, permissions=layers)
    budgets = RedisBudgets(RedisLink(redis_server.url, deadline_s=20))
    await budgets._link.client.flushall()
    model = ScriptedModel("x")
    settled = asyncio.timeout(10)
    async with shop(model, chosen=replace(chosen, routing=routing), budgets=budgets) as gateway:
        visitor = await gateway.visitor()
        await visitor.ask(UNKNOWN)
        async with settled:
            while (await usage(gateway))["day"]["spent_usd"] != COST / 1e6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        [one] = (await visitor.call("GET", "/v1/export")).json()["spending"]
        assert (one["period"], one["spent_usd"]) == ("day", COST / 1e6)
        began = span("day", START, 6).began
        assert len(await budgets.heaviest("site_demo", "day", began, "anon", 5)) == 1
        assert (await erase(visitor)).status_code == 200
        assert await budgets.heaviest("site_demo", "day", began, "anon", 5) == []
        gateway.time.now += 1
        await visitor.open_session()
        assert (await visitor.call("GET", "/v1/export")).json()["spending"] == []
        assert (await usage(gateway))["day"]["spent_usd"] == COST / 1e6
    await budgets.close()


class Forgetful(Away):
    """Budgets whose store is away when it is to forget."""

    async def forget(self, accounts: Sequence[Account]) -> None:
        """Forget, where the store is there."""
        await self._reach()
        await super().forget(accounts)


async def test_what_an_erased_visitor_spent_is_forgotten_once_the_store_is_back() -> None:
    budgets = Forgetful()
    budgets.back.set()
    spending = over(budgets, Told())
    await spend(spending, ANNA, "k1", 300)
    budgets.back.clear()
    with pytest.raises(Unavailable):
        await spending.forget(Scope("site_a", "anon:anna"))
    assert len(await spending.use.of(Scope("site_a", "anon:anna"))) == 1
    budgets.back.set()
    await spending.settled(5)
    assert await spending.use.of(Scope("site_a", "anon:anna")) == []
    assert [one.micros for one in await spending.use.of_site("site_a")] == [300, 300]


@dataclass
class Told(Silent):
    """Telemetry that keeps what was counted and said of budgets."""

    counted: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        self.counted.append((metric.name, by, labels))

    def line(self, event: str, **fields: object) -> None:
        self.lines.append({"event": event, **fields})

    def of(self, metric: Metric) -> list[dict[str, str]]:
        return [labels for name, _, labels in self.counted if name == metric.name]


ANNA = Caller("site_a", "anon:anna", WIDGET)
BEN = Caller("site_a", "anon:ben", WIDGET)
MINE = Permissions(cost_budget_daily_usd=0.001, cost_budget_monthly_usd=0)


def billed(micros: int) -> Bill:
    """A bill over so many millionths: of a model that takes a millionth for each token written."""
    bill = Bill()
    model = Model("m", ScriptedModel(), Breaker(Time()), price=Price(0, 1))
    bill.call(Prompt([], 9)).hear(model, Piece("x", Usage(0, micros)))
    return bill


async def spend(spending: Spending, caller: Caller, key: str, micros: int) -> bool:
    made = await spending.hold(caller, MINE, key, micros)
    if made.granted:
        spending.settle(caller, key, billed(micros))
        await spending.settled(5)
    return made.granted


def over(budgets: Budgets, told: Told, ring: Callable[[], None] = lambda: None) -> Spending:
    rules = SpendingRules({"site_a": SiteBudget(0.002)}, alerts=(0.5, 0.8, 1.0))
    return Spending(budgets, Time(), rules, told, ring=ring)


async def test_every_threshold_is_told_once_for_each_account() -> None:
    told, rung = Told(), []
    spending = over(MemoryBudgets(), told, lambda: rung.append(1))
    for number in range(5):
        assert await spend(spending, ANNA, f"k{number}", 200)
    assert not await spend(spending, ANNA, "k9", 1)
    assert told.of(BUDGET_ALERTS) == [
        {"site": "site_a", "whose": "caller", "period": "day"},
        {"site": "site_a", "whose": "caller", "period": "day"},
        {"site": "site_a", "whose": "caller", "period": "day"},
        {"site": "site_a", "whose": "site", "period": "day"},
    ]
    assert [line["detail"] for line in told.lines][-1] == "50% of the site's day is spent"
    assert told.of(BUDGET_REFUSALS) == [{"site": "site_a", "whose": "caller", "period": "day"}]
    assert sum(by for name, by, _ in told.counted if name == SPENT.name) == 1000
    assert rung == [1]
    assert "anna" not in str(told)


async def test_one_turn_may_pass_several_thresholds_and_two_processes_tell_none_twice() -> None:
    store, one, other = MemoryBudgets(), Told(), Told()
    first, second = over(store, one), over(store, other)
    await asyncio.gather(
        *(spend((first, second)[n % 2], ANNA if n < 5 else BEN, f"k{n}", 200) for n in range(10))
    )
    alerts = [*one.of(BUDGET_ALERTS), *other.of(BUDGET_ALERTS)]
    assert sum(each["whose"] == "site" for each in alerts) == 3
    assert sum(each["whose"] == "caller" for each in alerts) == 6


async def test_two_visitors_who_make_the_same_turn_id_pay_each_for_their_own() -> None:
    spending = over(MemoryBudgets(), Told())
    assert (await spending.hold(ANNA, MINE, "t_1", 500)).granted
    assert (await spending.hold(BEN, MINE, "t_1", 400)).micros == 400
    spending.settle(ANNA, "t_1", billed(100))
    await spending.settled(5)
    assert [one.micros for one in await spending.use.of_site("site_a")] == [500, 500]


async def test_two_runs_of_one_turn_pay_each_for_its_own() -> None:
    # As after a stall: two processes, which take each other for dead.
    store = MemoryBudgets()
    first, second = over(store, Told()), over(store, Told())
    for one in (first, second):
        assert (await one.hold(ANNA, MINE, "t_1", 500)).granted
    for one, micros in ((first, 100), (second, 70)):
        one.settle(ANNA, "t_1", billed(micros))
        await one.settled(5)
    assert [one.micros for one in await first.use.of_site("site_a")] == [170, 170]
    assert held(store) == 0


async def test_a_turn_that_runs_again_is_not_paid_by_what_is_still_being_settled() -> None:
    budgets = Away()
    budgets.back.set()
    spending = over(budgets, Told())
    assert (await spending.hold(ANNA, MINE, "t_1", 500)).granted
    budgets.back.clear()
    spending.settle(ANNA, "t_1", billed(100))
    await asyncio.sleep(0.05)
    budgets.back.set()
    assert (await spending.hold(ANNA, MINE, "t_1", 400)).micros == 400
    spending.settle(ANNA, "t_1", billed(70))
    await spending.settled(5)
    assert [one.micros for one in await spending.use.of_site("site_a")] == [170, 170]


async def test_what_is_refused_may_be_asked_for_again_for_less() -> None:
    spending = over(MemoryBudgets(), Told())
    assert not (await spending.hold(ANNA, MINE, "t_1", 1001)).granted
    assert (await spending.hold(ANNA, MINE, "t_1", 1000)).granted


async def test_settling_is_tried_again_until_the_store_is_back() -> None:
    budgets = Away()
    budgets.back.set()
    spending = over(budgets, Told())
    await spending.hold(ANNA, MINE, "t_1", 500)
    budgets.back.clear()
    spending.settle(ANNA, "t_1", billed(100))
    await asyncio.sleep(0.1)
    assert held(budgets) > 0
    budgets.back.set()
    await spending.settled(5)
    assert [one.micros for one in await spending.use.of_site("site_a")] == [100, 100]


async def test_holds_of_a_process_that_died_are_given_back_by_another_one() -> None:
    store, time = MemoryBudgets(), Time()
    rules = SpendingRules({"site_a": SiteBudget(0.002)})
    await Spending(store, time, rules).hold(ANNA, MINE, "t_1", 700)
    alive = Spending(store, time, rules)
    await alive.hold(BEN, MINE, "t_2", 100)
    time.now += HELD_S + 61
    await alive.hold(BEN, MINE, "t_3", 50)
    await alive.settled(5)
    assert [one.micros for one in await alive.use.of_site("site_a")] == [50, 50]


async def test_consoles_hear_once_of_a_sites_threshold() -> None:
    bell, truth = Bell(), MemoryTruth(clock=Time())
    spending = over(truth.budgets, Told(), lambda: bell.ring(OPERATORS))

    async def reached() -> operator_events.Budgeted:
        return await spending.use.reached(["site_a", "site_b"])

    async def logged_in() -> bool:
        return True

    watch = operator_events.Watch(truth, spent=reached)
    await watch.budgets()
    stream = operator_events.changes(bell, watch, logged_in, heartbeat_s=0.05)
    assert await anext(stream) == sse.HEARTBEAT
    for caller in (ANNA, BEN):
        await spend(spending, caller, "k", 600)
    told = {"site": "site_a", "period": "day", "reached": 0.5, "used_up": False}
    assert await anext(stream) == sse.event("budget", told)
    assert await anext(stream) == sse.HEARTBEAT
    # Of what is left nobody may hold so much: once that is found out, it is told once.
    rich = Permissions(cost_budget_daily_usd=0, cost_budget_monthly_usd=0)
    for key in ("k2", "k3"):
        assert not (await spending.hold(ANNA, rich, key, 1500)).granted
        spending.settle(ANNA, key, Bill())
        await spending.settled(5)
    assert await anext(stream) == sse.event("budget", {**told, "used_up": True})
    assert await anext(stream) == sse.HEARTBEAT
    with suppress(RuntimeError):
        await stream.aclose()  # type: ignore[attr-defined]


async def test_that_a_budget_is_used_up_is_told_once_by_all_and_until_its_day_is_over() -> None:
    store, time, told = MemoryBudgets(), Time(), Told()
    cache, rung = MemoryCache(clock=time), list[int]()
    rules = SpendingRules({"site_a": SiteBudget(0.002)})
    processes = [
        Spending(store, time, rules, told, cache=cache, ring=lambda: rung.append(1))
        for _ in range(3)
    ]
    rich = Permissions(cost_budget_daily_usd=0, cost_budget_monthly_usd=0)
    for number, one in enumerate(processes * 2):
        assert not (await one.hold(ANNA, rich, f"k{number}", 2001)).granted
        one.settle(ANNA, f"k{number}", Bill())
        await one.settled(5)
    assert rung == [1]
    lines = [line["detail"] for line in told.lines]
    assert lines == ["too little of the site's day is left for a turn"]
    assert len(told.of(BUDGET_REFUSALS)) == 6
    for one in processes:
        assert [each.used_up for each in await one.use.of_site("site_a")] == [True, False]
    # A turn that a cheaper model answers, and one whose visitor alone has too little, say nothing.
    cheaper = Spending(store, time, SpendingRules({"site_b": SiteBudget(0.002)}), cache=cache)
    other = Caller("site_b", "anon:anna", WIDGET)
    assert not (await cheaper.hold(other, rich, "k1", 2001)).granted
    assert (await cheaper.hold(other, rich, "k1", 100)).granted
    cheaper.settle(other, "k1", billed(10))
    assert not (await cheaper.hold(other, MINE, "k2", 1001)).granted
    cheaper.settle(other, "k2", Bill())
    await cheaper.settled(5)
    assert [each.used_up for each in await cheaper.use.of_site("site_b")] == [False, False]
    # Whoever raises the budget has one that is not used up.
    raised = Spending(store, time, SpendingRules({"site_a": SiteBudget(0.003)}), cache=cache)
    assert [each.used_up for each in await raised.use.of_site("site_a")] == [False, False]
    time.now += 86_400
    assert [each.used_up for each in await processes[0].use.of_site("site_a")] == [False, False]


async def test_operators_see_who_is_nearest_a_limit_and_not_who_that_is() -> None:
    chosen = priced(5.0)
    layers = Layers(
        levels={
            "zero_trust": {"cost_budget_daily_usd": 0.01, "cost_budget_monthly_usd": 0.0},
            "user": {"cost_budget_daily_usd": 0.1},
        },
        users={"https://shop.example|ada": {"cost_budget_daily_usd": 0.002}},
    )
    routing = replace(chosen.routing, mode="tiered", permissions=layers)
    routing = replace(routing, tiers=(Tier("free", ("model",)),))
    async with shop(ScriptedModel("x"), chosen=replace(chosen, routing=routing)) as gateway:
        console = Console(gateway)
        await console.log_in()
        began = span("day", START, 6).began
        sums = {
            "anon:one": 900,
            "anon:two": 5_000,
            "user:https://shop.example|ada": 1_900,
            "user:https://shop.example|bob": 60_000,
            "api": 20_000,
        }
        for subject, micros in sums.items():
            account = Account("site_demo", subject, "day", began)
            await gateway.truth.budgets.reserve(subject, (account,), micros, START)
        [item, other] = (await console.call("GET", "/v1/usage")).json()["items"]
    day = item["callers"]["day"]
    assert [(one["whose"], one["spent_usd"], one["limit_usd"]) for one in day] == [
        ("user", 0.0019, 0.002),
        ("user", 0.06, 0.1),
        ("visitor", 0.005, 0.01),
        ("api", 0.02, 0.1),
        ("visitor", 0.0009, 0.01),
    ]
    assert "anon:" not in str(item)
    assert "shop.example" not in str(item)
    assert len({one["mark"] for one in day}) == 5
    assert item["callers"]["month"] == other["callers"]["day"] == []
    assert (item["thresholds"], item["day"]["used_up"]) == ([0.5, 1.0], False)


def test_a_bill_goes_by_what_the_server_counted_else_by_the_letters() -> None:
    bill = Bill()
    model = Model("m", ScriptedModel(), Breaker(Time()), price=PRICE)
    assert bill.micros == 0
    asked = Prompt([{"role": "user", "content": "a" * 400}], 64)
    call = bill.call(asked)
    assert bill.micros == 0
    call.hear(model, Piece("b" * 40))
    assert bill.micros == PRICE.micros(106, 10)
    call.hear(model, Piece(reasoning="c" * 40))
    assert bill.micros == PRICE.micros(106, 20)
    model.measure.learn(asked, 212)
    assert bill.micros == PRICE.micros(212, 40)
    call.hear(model, Piece(usage=Usage(90, 9)))
    assert bill.micros == PRICE.micros(90, 9)
    bill.call(asked).hear(model, Piece("b" * 4))
    assert bill.micros == PRICE.micros(90, 9) + PRICE.micros(212, 2)


def test_a_redis_that_nobody_names_counts_nothing() -> None:
    _, flaws = parse_settings({"routing": {"budgets": "redis"}}, {}, Path())
    assert "routing.budgets" in [one.key for one in flaws]
    _, flaws = parse_settings({"routing": {"budgets": "pocket"}}, {}, Path())
    assert "routing.budgets" in [one.key for one in flaws]


async def test_accounts_of_one_turn_are_the_callers_and_the_sites() -> None:
    store = MemoryBudgets()
    spending = over(store, Told())
    await spending.hold(ANNA, MINE, "t_1", 10)
    accounts = accounts_of(ANNA, MINE, SiteBudget(0.002), START, 0)
    assert await store.spent(accounts) == [10, 10, 10]
    free = Permissions(cost_budget_daily_usd=0, cost_budget_monthly_usd=0)
    await spending.hold(ANNA, free, "t_2", 10)
    assert await store.spent(accounts) == [10, 20, 20]
    assert (await spending.hold(ANNA, MINE, "t_3", 0)).granted
    assert await store.spent(accounts) == [10, 20, 20]


async def test_a_turn_that_goes_by_tiers_is_held_and_settled_too() -> None:
    chosen = priced(5.0)
    tiers = (Tier("free", ("model",)),)
    everyone = Layers(levels={"zero_trust": {"cost_budget_daily_usd": 2.0}})
    routing = replace(chosen.routing, mode="tiered", tiers=tiers, permissions=everyone)
    models = (ModelSettings("http://localhost/v1", "scripted-1", Secret(""), price=PRICE),)
    chosen = replace(chosen, routing=routing, more_models=models)
    async with shop(ScriptedModel("Return it."), chosen=chosen) as gateway:
        visitor = await gateway.visitor()
        await visitor.ask(UNKNOWN)
        assert await spent(gateway) == COST
        subject = anonymous("site_demo", visitor.keyid).subject
        mine = Account("site_demo", subject, "day", span("day", START, 6).began)
        assert await gateway.truth.budgets.spent([mine]) == [COST]
